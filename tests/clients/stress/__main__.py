"""By hand: python3 -m stress --port 6432 ... (from tests/clients). The tables are made anew."""
import argparse
import asyncio
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

import mywire  # noqa: E402
import pgwire  # noqa: E402

from . import crowd, ledger  # noqa: E402


def lines(target, text):
    async def ask():
        connection = await pgwire.Connection.open(
            target["host"], target["port"], target["user"], target["database"], target["password"])
        result = await connection.query(text)
        await connection.close()
        assert not result.errors, result.errors
        return [row[0] for row in result.rows]
    return asyncio.run(ask())


def my_lines(target, *statements):
    async def ask():
        connection = await mywire.Connection.open(
            target["host"], target["port"], target["user"], target["database"], target["password"])
        for text in statements:
            reply = await connection.query(text)
            assert not reply.error, (text, reply.error)
        await connection.close()
        return [row[0] for row in reply.rows]
    return asyncio.run(ask())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password")
    parser.add_argument("--database", required=True)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--drivers", type=int, default=5)
    parser.add_argument("--without-cancels", action="store_true")
    parser.add_argument("--mysql", action="store_true", help="MySQL's protocol")
    options = parser.parse_args()
    target = {key: getattr(options, key) for key in ("host", "port", "user", "password", "database")}
    if options.mysql:
        ask, written, side = my_lines, ledger.MY_WRITTEN, crowd.MYSQL
        my_lines(target, *ledger.MY_CREATE)
    else:
        ask, written, side = lines, ledger.WRITTEN, crowd.POSTGRES
        lines(target, ledger.CREATE)
    failures, acknowledged, tally = crowd.run(target, options.clients, options.seconds,
                                              options.seed, options.drivers,
                                              not options.without_cancels, side)
    failures += ledger.faults(lambda text: ask(target, text), acknowledged, written)
    print(sum(tally.values()), "deeds:", tally)
    for failure in failures:
        print(failure)
    sys.exit(1 if failures else 0)


main()
