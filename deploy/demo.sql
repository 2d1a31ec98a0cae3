-- deploy/demo.sql: a small bookshop in SQLite, the database of deploy/quickstart.
-- Books and authors are real; customers and orders are computed, the same on every run.
PRAGMA journal_mode = WAL;
BEGIN;

CREATE TABLE authors (
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    country TEXT NOT NULL,
    born    INTEGER NOT NULL
);

CREATE TABLE books (
    id          INTEGER PRIMARY KEY,
    author_id   INTEGER NOT NULL REFERENCES authors (id),
    title       TEXT NOT NULL,
    published   INTEGER NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents > 0),
    stock       INTEGER NOT NULL DEFAULT 0 CHECK (stock >= 0)
);
CREATE INDEX books_author ON books (author_id);

CREATE TABLE customers (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    email      TEXT NOT NULL UNIQUE,
    city       TEXT NOT NULL,
    joined     DATE NOT NULL,
    newsletter BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE TABLE orders (
    id          INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    ordered_at  TIMESTAMP NOT NULL,
    status      TEXT NOT NULL CHECK (status IN ('open', 'paid', 'shipped', 'returned'))
);
CREATE INDEX orders_customer ON orders (customer_id);

CREATE TABLE order_lines (
    order_id    INTEGER NOT NULL REFERENCES orders (id),
    book_id     INTEGER NOT NULL REFERENCES books (id),
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    price_cents INTEGER NOT NULL,
    PRIMARY KEY (order_id, book_id)
);

INSERT INTO authors (id, name, country, born) VALUES
    (1, 'Jane Austen', 'England', 1775),
    (2, 'Charles Dickens', 'England', 1812),
    (3, 'Mary Shelley', 'England', 1797),
    (4, 'Leo Tolstoy', 'Russia', 1828),
    (5, 'Fyodor Dostoevsky', 'Russia', 1821),
    (6, 'Herman Melville', 'United States', 1819),
    (7, 'Mark Twain', 'United States', 1835),
    (8, 'Jules Verne', 'France', 1828),
    (9, 'Gustave Flaubert', 'France', 1821),
    (10, 'Franz Kafka', 'Bohemia', 1883),
    (11, 'Johann Wolfgang von Goethe', 'Germany', 1749),
    (12, 'Miguel de Cervantes', 'Spain', 1547),
    (13, 'Selma Lagerlöf', 'Sweden', 1858),
    (14, 'Virginia Woolf', 'England', 1882),
    (15, 'Robert Louis Stevenson', 'Scotland', 1850),
    (16, 'Bram Stoker', 'Ireland', 1847),
    (17, 'Machado de Assis', 'Brazil', 1839),
    (18, 'Natsume Sōseki', 'Japan', 1867);

INSERT INTO books (author_id, title, published, price_cents, stock) VALUES
    (1, 'Sense and Sensibility', 1811, 899, 14),
    (1, 'Pride and Prejudice', 1813, 949, 31),
    (1, 'Emma', 1815, 899, 9),
    (1, 'Persuasion', 1817, 849, 12),
    (2, 'Oliver Twist', 1838, 999, 8),
    (2, 'David Copperfield', 1850, 1299, 6),
    (2, 'Bleak House', 1853, 1399, 4),
    (2, 'Great Expectations', 1861, 1099, 17),
    (3, 'Frankenstein', 1818, 799, 26),
    (3, 'The Last Man', 1826, 1149, 2),
    (4, 'War and Peace', 1869, 1899, 11),
    (4, 'Anna Karenina', 1878, 1599, 13),
    (4, 'The Death of Ivan Ilyich', 1886, 699, 7),
    (5, 'Crime and Punishment', 1866, 1249, 19),
    (5, 'The Idiot', 1869, 1349, 6),
    (5, 'The Brothers Karamazov', 1880, 1499, 10),
    (6, 'Moby-Dick', 1851, 1199, 15),
    (6, 'Bartleby, the Scrivener', 1853, 599, 21),
    (7, 'The Adventures of Tom Sawyer', 1876, 849, 18),
    (7, 'Adventures of Huckleberry Finn', 1884, 899, 16),
    (8, 'Journey to the Centre of the Earth', 1864, 949, 9),
    (8, 'Twenty Thousand Leagues Under the Seas', 1870, 1049, 12),
    (8, 'Around the World in Eighty Days', 1872, 899, 23),
    (9, 'Madame Bovary', 1857, 1099, 8),
    (9, 'Sentimental Education', 1869, 1149, 3),
    (10, 'The Metamorphosis', 1915, 649, 34),
    (10, 'The Trial', 1925, 999, 14),
    (10, 'The Castle', 1926, 1099, 5),
    (11, 'The Sorrows of Young Werther', 1774, 749, 9),
    (11, 'Faust', 1808, 1299, 12),
    (12, 'Don Quixote', 1605, 1799, 10),
    (13, 'Gösta Berling''s Saga', 1891, 1199, 4),
    (13, 'The Wonderful Adventures of Nils', 1906, 1099, 11),
    (14, 'Mrs Dalloway', 1925, 949, 15),
    (14, 'To the Lighthouse', 1927, 999, 13),
    (14, 'Orlando', 1928, 949, 7),
    (15, 'Treasure Island', 1883, 799, 20),
    (15, 'Strange Case of Dr Jekyll and Mr Hyde', 1886, 699, 22),
    (16, 'Dracula', 1897, 999, 27),
    (17, 'The Posthumous Memoirs of Brás Cubas', 1881, 1149, 5),
    (17, 'Dom Casmurro', 1899, 1049, 6),
    (18, 'I Am a Cat', 1906, 1399, 8),
    (18, 'Kokoro', 1914, 1099, 9);

CREATE TEMP TABLE first_names (n INTEGER PRIMARY KEY, name TEXT);
INSERT INTO first_names (name) VALUES
    ('Alice'), ('Ben'), ('Clara'), ('David'), ('Elif'), ('Farid'), ('Greta'), ('Hugo'), ('Ines'),
    ('Jonas'), ('Katya'), ('Liam'), ('Mei'), ('Noor'), ('Oskar'), ('Priya'), ('Rosa'), ('Samuel');
CREATE TEMP TABLE last_names (n INTEGER PRIMARY KEY, name TEXT);
INSERT INTO last_names (name) VALUES
    ('Andersen'), ('Bauer'), ('Costa'), ('Dubois'), ('Eriksson'), ('Fischer'), ('García'),
    ('Hughes'), ('Ivanova'), ('Jansen'), ('Khan'), ('Lindqvist'), ('Moretti');
CREATE TEMP TABLE cities (n INTEGER PRIMARY KEY, name TEXT);
INSERT INTO cities (name) VALUES
    ('Berlin'), ('Lisbon'), ('Gothenburg'), ('Lyon'), ('Edinburgh'), ('Kraków'), ('Utrecht'),
    ('Bologna'), ('Galway');

-- 18 and 13 have no common divisor: the first 234 pairs of names are all different.
WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i < 119)
INSERT INTO customers (id, name, email, city, joined, newsletter)
SELECT i + 1,
       f.name || ' ' || l.name,
       lower(f.name) || '.' || (i + 1) || '@example.org',
       c.name,
       date('2023-01-09', '+' || (i * 6 + i % 5) || ' days'),
       i * 7 % 3 = 0
FROM numbers
JOIN first_names f ON f.n = i % 18 + 1
JOIN last_names l ON l.n = i % 13 + 1
JOIN cities c ON c.n = i * 5 % 9 + 1;

WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 399)
INSERT INTO orders (id, customer_id, ordered_at, status)
SELECT n + 1,
       (n * 53 + n / 7 * 11) % 120 + 1,
       datetime('2025-01-02 08:15:00', '+' || (n * 1290 + n * 37 % 600) || ' minutes'),
       CASE WHEN n >= 380 THEN 'open' WHEN n >= 365 THEN 'paid' WHEN n % 29 = 11 THEN 'returned'
            ELSE 'shipped' END
FROM numbers;

-- One to four lines an order.
WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 3)
INSERT OR IGNORE INTO order_lines (order_id, book_id, quantity, price_cents)
SELECT o.id, b.id, CASE WHEN (o.id + numbers.n) % 9 = 0 THEN 2 ELSE 1 END, b.price_cents
FROM orders o
JOIN numbers ON numbers.n <= o.id * 7 % 11 / 3
JOIN books b ON b.id = (o.id * 13 + o.id / 9 * o.id + numbers.n * 19) % 43 + 1;

CREATE VIEW bestsellers AS
SELECT b.title, a.name AS author, sum(l.quantity) AS sold, sum(l.quantity * l.price_cents) AS cents
FROM order_lines l
JOIN books b ON b.id = l.book_id
JOIN authors a ON a.id = b.author_id
GROUP BY b.id
ORDER BY sold DESC, b.title;

COMMIT;
ANALYZE;
