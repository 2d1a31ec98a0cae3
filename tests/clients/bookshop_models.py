"""SQLAlchemy's models of a few authors and their books, and what is tried with them on any database."""
import pytest
import sqlalchemy as sa
from sqlalchemy import orm

Base = orm.declarative_base()


class Author(Base):
    __tablename__ = "sa_authors"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    name = sa.Column(sa.String(50), nullable=False)
    books = orm.relationship("Book", back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "sa_books"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    title = sa.Column(sa.Text)
    author_id = sa.Column(sa.ForeignKey("sa_authors.id"))
    author = orm.relationship(Author, back_populates="books")


def made(url, **options):
    """An engine with fresh tables; a generator for fixtures."""
    engine = sa.create_engine(url, pool_size=5, future=True, **options)
    Base.metadata.drop_all(engine)
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    engine.dispose()


def try_orm(engine):
    with orm.Session(engine) as session, session.begin():
        session.add(Author(id=1, name="Austen", books=[Book(id=1, title="Emma"),
                                                       Book(id=2, title="Persuasion")]))
    with orm.Session(engine) as session:
        author = session.execute(
            sa.select(Author).options(orm.selectinload(Author.books))).scalar_one()
        assert [book.title for book in author.books] == ["Emma", "Persuasion"]
        author.books[0].title = "Emma, again"
        session.commit()
        assert session.get(Book, 1).title == "Emma, again"
        session.delete(session.get(Book, 2))
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Book)) == 1


def try_rollback(engine):
    with orm.Session(engine) as session:
        session.add(Author(id=1, name="kept"))
        session.commit()
        session.add(Author(id=1, name="double"))
        with pytest.raises(sa.exc.IntegrityError):
            session.commit()
        session.rollback()
        assert session.scalars(sa.select(Author.name)).all() == ["kept"]


def try_reflection(engine):
    inspector = sa.inspect(engine)
    assert {"sa_authors", "sa_books"} <= set(inspector.get_table_names())
    columns = {column["name"]: column for column in inspector.get_columns("sa_books")}
    assert list(columns) == ["id", "title", "author_id"]
    assert inspector.get_pk_constraint("sa_books")["constrained_columns"] == ["id"]
    keys = inspector.get_foreign_keys("sa_books")
    assert [key["referred_table"] for key in keys] == ["sa_authors"]
