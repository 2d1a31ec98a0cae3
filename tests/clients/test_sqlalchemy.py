"""SQLAlchemy 1.4 over psycopg2 and asyncpg: the ORM, reflection, pools."""
import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

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


pytestmark = pytest.mark.postgres  # its dialect reads catalogs while it connects


@pytest.fixture
def engine(target):
    made = sa.create_engine(target.url("postgresql+psycopg2"), pool_size=5, future=True)
    Base.metadata.drop_all(made)
    Base.metadata.create_all(made)
    yield made
    Base.metadata.drop_all(made)
    made.dispose()


def test_orm(engine):
    with orm.Session(engine) as session, session.begin():
        session.add(Author(id=1, name="Austen", books=[Book(id=1, title="Emma"),
                                                       Book(id=2, title="Persuasion")]))
    with orm.Session(engine) as session:
        author = session.execute(sa.select(Author).options(orm.selectinload(Author.books))).scalar_one()
        assert [book.title for book in author.books] == ["Emma", "Persuasion"]
        author.books[0].title = "Emma, again"
        session.commit()
        assert session.get(Book, 1).title == "Emma, again"
        session.delete(session.get(Book, 2))
        session.commit()
        assert session.scalar(sa.select(sa.func.count()).select_from(Book)) == 1


def test_rollback(engine):
    with orm.Session(engine) as session:
        session.add(Author(id=1, name="kept"))
        session.commit()
        session.add(Author(id=1, name="double"))
        with pytest.raises(sa.exc.IntegrityError):
            session.commit()
        session.rollback()
        assert session.scalars(sa.select(Author.name)).all() == ["kept"]


def test_reflection(engine):
    columns = {c["name"]: c for c in sa.inspect(engine).get_columns("sa_books")}
    assert list(columns) == ["id", "title", "author_id"]
    assert sa.inspect(engine).get_foreign_keys("sa_books")[0]["referred_table"] == "sa_authors"


def test_isolation_level(engine):
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        assert connection.scalar(sa.text("SHOW transaction_isolation")) == "serializable"
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW transaction_isolation")) == "read committed"


def test_stream_results(engine):
    with engine.connect() as connection:
        result = connection.execution_options(stream_results=True, yield_per=50).execute(
            sa.text("SELECT generate_series(1, 400)"))
        assert [row[0] for row in result] == list(range(1, 401))


def test_async(target, engine):
    async def main():
        made = sa_asyncio.create_async_engine(
            target.url("postgresql+asyncpg"), connect_args={"ssl": False}, pool_size=8)

        async def one(number):
            async with sa_asyncio.AsyncSession(made) as session, session.begin():
                session.add(Author(id=number, name=f"n{number}"))
                session.add(Book(id=number, title=f"t{number}", author_id=number))

        await asyncio.gather(*(one(n) for n in range(1, 25)))
        async with sa_asyncio.AsyncSession(made) as session:
            count = await session.scalar(sa.select(sa.func.count()).select_from(Book).join(Author))
            assert count == 24
        await made.dispose()

    asyncio.run(asyncio.wait_for(main(), 60))
