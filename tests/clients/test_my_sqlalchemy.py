"""SQLAlchemy 1.4 over PyMySQL, mysqlclient and aiomysql: the ORM, reflection, pools."""
import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

Base = orm.declarative_base()


class Author(Base):
    __tablename__ = "sa_my_authors"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    name = sa.Column(sa.String(50), nullable=False)
    books = orm.relationship("Book", back_populates="author", order_by="Book.id")


class Book(Base):
    __tablename__ = "sa_my_books"
    id = sa.Column(sa.Integer, primary_key=True, autoincrement=False)
    title = sa.Column(sa.Text)
    author_id = sa.Column(sa.ForeignKey("sa_my_authors.id"))
    author = orm.relationship(Author, back_populates="books")


@pytest.fixture(params=["pymysql", "mysqldb"])
def engine(my, request):
    made = sa.create_engine(my.url(f"mysql+{request.param}") + "?charset=utf8mb4", pool_size=5,
                            future=True)
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
        author = session.execute(
            sa.select(Author).options(orm.selectinload(Author.books))).scalar_one()
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
        with session.begin_nested():
            session.add(Author(id=2, name="inner"))
        session.commit()
        assert session.scalars(sa.select(Author.name).order_by(Author.id)).all() == ["kept",
                                                                                     "inner"]


def test_many_sessions_share_the_pool(engine):
    def work(number):
        with orm.Session(engine) as session, session.begin():
            session.add(Author(id=number, name=f"author {number}"))
            session.flush()
            assert session.get(Author, number).name == f"author {number}"

    for number in range(20):
        work(number)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sa_my_authors")) == 20


def test_reflection(engine):
    inspector = sa.inspect(engine)
    assert {"sa_my_authors", "sa_my_books"} <= set(inspector.get_table_names())
    columns = {column["name"]: column for column in inspector.get_columns("sa_my_books")}
    assert list(columns) == ["id", "title", "author_id"]
    assert inspector.get_pk_constraint("sa_my_books")["constrained_columns"] == ["id"]
    keys = inspector.get_foreign_keys("sa_my_books")
    assert [key["referred_table"] for key in keys] == ["sa_my_authors"]


@pytest.mark.mariadb
def test_isolation_level_and_streaming(engine):
    with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
        level = connection.scalar(sa.text("SELECT @@tx_isolation"))
        assert level == "SERIALIZABLE"
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT @@tx_isolation")) == "REPEATABLE-READ"
        streamed = connection.execution_options(stream_results=True).execute(
            sa.text("SELECT seq FROM seq_1_to_10000"))
        assert sum(row.seq for row in streamed) == 50005000


def test_asyncio(my):
    async def scenario():
        engine = sa_asyncio.create_async_engine(my.url("mysql+aiomysql"), pool_size=4)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.drop_all)
                await connection.run_sync(Base.metadata.create_all)

            async def worker(number):
                async with sa_asyncio.AsyncSession(engine) as session, session.begin():
                    session.add(Author(id=number, name=f"author {number}"))

            await asyncio.gather(*(worker(number) for number in range(12)))
            async with sa_asyncio.AsyncSession(engine) as session:
                assert await session.scalar(
                    sa.select(sa.func.count()).select_from(Author)) == 12
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.drop_all)
        finally:
            await engine.dispose()

    asyncio.run(asyncio.wait_for(scenario(), 60))
