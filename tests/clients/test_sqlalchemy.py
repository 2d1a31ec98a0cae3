"""SQLAlchemy 1.4 over psycopg2 and asyncpg: the ORM, reflection, pools."""
import asyncio

import pytest
import sqlalchemy as sa
from sqlalchemy.ext import asyncio as sa_asyncio

import bookshop_models
from bookshop_models import Author, Book

pytestmark = pytest.mark.postgres  # its dialect reads catalogs while it connects


@pytest.fixture
def engine(target):
    yield from bookshop_models.made(target.url("postgresql+psycopg2"))


def test_orm(engine):
    bookshop_models.try_orm(engine)


def test_rollback(engine):
    bookshop_models.try_rollback(engine)


def test_reflection(engine):
    bookshop_models.try_reflection(engine)


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

    asyncio.run(asyncio.wait_for(main(), 85))
