"""SQLAlchemy 1.4 over PyMySQL, mysqlclient and aiomysql: the ORM, reflection, pools."""
import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.ext import asyncio as sa_asyncio

import bookshop_models
from bookshop_models import Author, Base


@pytest.fixture(params=["pymysql", "mysqldb"])
def engine(my, request):
    yield from bookshop_models.made(my.url(f"mysql+{request.param}") + "?charset=utf8mb4")


def test_orm(engine):
    bookshop_models.try_orm(engine)


def test_rollback(engine):
    bookshop_models.try_rollback(engine)


def test_nested_transaction(engine):
    with orm.Session(engine) as session:
        session.add(Author(id=1, name="outer"))
        with session.begin_nested():
            session.add(Author(id=2, name="inner"))
        session.commit()
        assert session.scalars(sa.select(Author.name).order_by(Author.id)).all() == ["outer",
                                                                                     "inner"]


def test_reflection(engine):
    bookshop_models.try_reflection(engine)


def test_many_sessions_share_the_pool(engine):
    def work(number):
        with orm.Session(engine) as session, session.begin():
            session.add(Author(id=number, name=f"author {number}"))
            session.flush()
            assert session.get(Author, number).name == f"author {number}"

    for number in range(20):
        work(number)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM sa_authors")) == 20


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

    asyncio.run(asyncio.wait_for(scenario(), 85))
