-- tests/clients/sqlite/library.sql: a small schema with every kind of key, for tests of catalogs.
CREATE TABLE authors (id SERIAL PRIMARY KEY, name VARCHAR(100) NOT NULL, born DATE, active BOOLEAN NOT NULL DEFAULT true);
CREATE TABLE books (id SERIAL PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors(id) ON DELETE CASCADE, title TEXT NOT NULL, price NUMERIC(10,2) DEFAULT 0, isbn VARCHAR(20) UNIQUE, published TIMESTAMP, CONSTRAINT positive CHECK (price >= 0), CONSTRAINT one_title UNIQUE (author_id, title));
CREATE INDEX books_title ON books (title DESC, price);
CREATE INDEX books_cheap ON books (price) WHERE price < 10;
CREATE TABLE tags (book_id INTEGER NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (book_id, tag), FOREIGN KEY (book_id) REFERENCES books (id));
CREATE VIEW cheap AS SELECT id, title FROM books WHERE price < 10;
INSERT INTO authors (name, born) VALUES ('Ada', '1815-12-10');
INSERT INTO books (author_id, title, price, isbn, published) VALUES (1, 'Notes', 9.50, 'x-1', '1843-09-01 00:00:00');
