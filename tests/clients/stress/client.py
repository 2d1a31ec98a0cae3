"""One client of PostgreSQL's protocol: random deeds, each reply checked."""
import asyncio
import time

import pgwire

from .ledger import ACCOUNTS
from .person import Mixed, Person, expect


class Client(Person):
    """Only cancelling clients may ever see 57014, and only on a statement that a cancel of theirs
    was meant for."""

    failures = (pgwire.Closed, pgwire.ServerError)

    async def open(self):
        self.name = f"app{self.number}"
        self.lock_timeout = "0"
        self.prepared = {}
        self.connection = await self.connect(parameters={"application_name": self.name})
        expect(self.connection.parameters.get("application_name") == self.name,
               "application_name after login:", self.connection.parameters)

    def at_rest(self):
        expect(self.connection.status == "I", "left in state", self.connection.status)

    def deeds(self):
        deeds = {self.simple: 20, self.extended: 15, self.named: 25, self.transfer: 20,
                 self.error: 8, self.failed_transaction: 4, self.pipeline: 8, self.many_rows: 3,
                 self.copy_out: 2, self.copy_in: 2, self.settings: 6, self.change_settings: 3,
                 self.forget_prepared: 2, self.temporary: 1, self.vanish: 2}
        if self.cancels:
            deeds |= {self.cancel: 1, self.late_cancel: 3}
        return deeds

    # -- replies that must be ours

    def check(self, result, rows):
        expect(not result.errors, result.errors)
        expect(result.rows == rows, "expected", rows[:3], "got", result.rows[:3], result.tags)

    async def simple(self):
        self.check(await self.connection.query(f"select {self.number}, {self.counter}"),
                   [[str(self.number), str(self.counter)]])

    async def extended(self):
        result = await self.connection.extended("select $1::int, $2::text",
                                                [self.number, f"n{self.counter}"])
        self.check(result, [[str(self.number), f"n{self.counter}"]])
        expect(result.kinds == "12DCZ", result.kinds)

    async def named(self):
        """Names that every client uses; a text of its own, or one that all share."""
        slot = self.random.randrange(6)
        name = f"s{slot}"
        if name not in self.prepared:
            text = (f"select {self.number} as me, {slot}, $1::int" if slot < 3
                    else f"select $1::int, {slot}, $1::int")
            result = await self.connection.prepare(name, text)
            expect(result.kinds == "1Z", "Parse:", result.kinds, result.errors)
            self.prepared[name] = slot < 3
        own = self.prepared[name]
        value = self.counter if own else self.number
        self.check(await self.connection.run(name, [value]),
                   [[str(self.number), str(slot), str(value)]])

    async def forget_prepared(self):
        way = self.random.randrange(3)
        if way == 0 and self.prepared:
            name = self.random.choice(list(self.prepared))
            self.connection.send(pgwire.close("S", name) + pgwire.sync())
            result = await self.connection.result()
            expect(result.kinds == "3Z", result.kinds, result.errors)
            del self.prepared[name]
            result = await self.connection.run(name, [1])
            expect(result.code == "26000", "Bind of a closed statement:", result.kinds, result.code)
        else:
            sql = "deallocate all" if way == 1 else "discard all"
            result = await self.connection.query(sql)
            expect(not result.errors, sql, result.errors)
            self.prepared.clear()
            if way != 1:  # also resets every setting to the startup packet's
                self.name, self.lock_timeout = f"app{self.number}", "0"

    async def pipeline(self):
        """Several requests written before the first reply is read; one may fail."""
        count, bad = self.random.randrange(2, 8), self.random.randrange(12)
        data = b""
        for n in range(count):
            sql = "select 1 / ($1::int * 0)" if n == bad else f"select $1::int, {n}"
            data += (pgwire.parse("", sql) + pgwire.bind("", "", [self.number])
                     + pgwire.execute() + pgwire.sync())
        self.connection.send(data)
        for n in range(count):
            result = await self.connection.result()
            if n == bad:
                expect(result.code == "22012", result.errors, result.rows)
            else:
                self.check(result, [[str(self.number), str(n)]])

    async def many_rows(self):
        count = self.random.randrange(100, 3000)
        self.check(await self.connection.query(
            f"select {self.number}, n, repeat('{self.number % 10}', 50) "
            f"from generate_series(1, {count}) n"),
            [[str(self.number), str(n), str(self.number % 10) * 50] for n in range(1, count + 1)])

    # -- errors

    async def error(self):
        if self.random.random() < 0.5:
            result = await self.connection.query(f"select {self.number}/0")
        else:
            result = await self.connection.extended("select $1::int/0", [self.number])
        expect(result.code == "22012" and not result.rows, result.errors, result.rows)

    async def failed_transaction(self):
        await self.begin()
        result = await self.connection.query(f"select no_such_column_{self.number}")
        expect(result.code == "42703" and f"no_such_column_{self.number}" in result.error["M"],
               result.errors)
        expect(result.status == "E", result.status)
        result = await self.connection.query("select 1")
        expect(result.code == "25P02", result.errors)
        result = await self.connection.query("commit")
        expect(result.tags == ["ROLLBACK"] and result.status == "I", result.tags, result.status)

    # -- transactions

    async def begin(self):
        result = await self.connection.query("begin")
        expect(result.tags == ["BEGIN"] and result.status == "T", result.errors, result.tags)

    async def transfer(self):
        source, target = sorted(self.random.sample(range(1, ACCOUNTS + 1), 2))
        amount = self.random.randrange(-50, 50)
        self.transfer_number += 1
        await self.begin()
        before = await self.connection.extended(
            "update accounts set balance = balance - $1 where id = $2 returning balance",
            [amount, source])
        expect(len(before.rows) == 1, before.errors)
        after = await self.connection.query(
            f"update accounts set balance = balance + {amount} where id = {target}")
        expect(after.tags == ["UPDATE 1"], after.errors)
        await self.connection.query(
            f"insert into ledger values ({self.number}, {self.transfer_number}, {source}, "
            f"{target}, {amount})")
        fate = self.random.random()
        if fate < 0.1:
            result = await self.connection.query("rollback")
            expect(result.tags == ["ROLLBACK"], result.errors)
        elif fate < 0.15:
            await self.reconnect()  # the gateway has to roll back
        else:
            result = await self.connection.query("commit")
            expect(result.tags == ["COMMIT"], result.errors)
            self.acknowledged.append(f"{self.number}:{self.transfer_number}")

    async def temporary(self):
        await self.begin()
        await self.connection.query("create temp table mine (n int) on commit drop")
        await self.connection.query(f"insert into mine values ({self.number})")
        self.check(await self.connection.query("select n from mine"), [[str(self.number)]])
        result = await self.connection.query("commit")
        expect(result.tags == ["COMMIT"], result.errors)

    # -- session settings follow the client

    async def settings(self):
        self.check(await self.connection.query(
            "select current_setting('application_name'), current_setting('lock_timeout')"),
            [[self.name, self.lock_timeout]])
        expect(self.connection.parameters["application_name"] == self.name,
               "ParameterStatus:", self.connection.parameters["application_name"])

    async def change_settings(self):
        if self.random.random() < 0.5:
            self.name = f"app{self.number}x{self.counter}"
            result = await self.connection.query(f"set application_name = '{self.name}'")
        else:
            milliseconds = 20_000 + self.number
            self.lock_timeout = f"{milliseconds}ms"
            result = await self.connection.query(f"set lock_timeout = {milliseconds}")
        expect(result.tags == ["SET"], result.errors)

    # -- COPY

    async def copy_out(self):
        self.connection.send(pgwire.query(
            f"copy (select {self.number}, n from generate_series(1, 200) n) to stdout"))
        lines = []
        while True:
            kind, body = await self.connection.receive()
            if kind == b"d":
                lines.append(body)
            elif kind == b"E":
                raise Mixed(f"COPY: {pgwire.error_fields(body)}")
            elif kind == b"Z":
                break
        expect(lines == [b"%d\t%d\n" % (self.number, n) for n in range(1, 201)], lines[:3])

    async def copy_in(self):
        """Into a table that the transaction leaves empty, or given up by the client."""
        await self.begin()
        await self.connection.query("create temp table lines (client int, n int) on commit drop")
        self.connection.send(pgwire.query("copy lines from stdin"))
        kind, body = await self.connection.receive()
        expect(kind == b"G", kind, body)
        for n in range(20):
            self.connection.send(pgwire.copy_data(b"%d\t%d\n" % (self.number, n)))
        if self.random.random() < 0.3:
            self.connection.send(pgwire.copy_fail("changed my mind"))
            result = await self.connection.result()
            expect(result.code == "57014" and "changed my mind" in result.error["M"],
                   result.errors)
        else:
            self.connection.send(pgwire.copy_done())
            result = await self.connection.result()
            expect(result.tags == ["COPY 20"], result.errors, result.tags)
            self.check(await self.connection.query("select distinct client from lines"),
                       [[str(self.number)]])
        result = await self.connection.query("rollback")
        expect(result.tags == ["ROLLBACK"], result.errors)

    # -- cancels and ends

    async def cancel(self):
        began = time.monotonic()
        self.connection.send(pgwire.query(f"select pg_sleep(120), {self.number}"))
        await asyncio.sleep(self.random.random() * 0.05)
        while True:
            # One that comes while the statement still waits for a backend counts as well.
            await self.connection.cancel()
            try:
                result = await self.connection.result(5)
                break
            except asyncio.TimeoutError:
                expect(time.monotonic() - began < 50, "a cancel had no effect for 50 s")
        expect(result.code == "57014", result.errors, result.rows)

    async def late_cancel(self):
        """Races with the end of a statement: cancelled or not, and the next ones are unharmed."""
        self.connection.send(pgwire.query(f"select {self.number}, {self.counter}"))
        if self.random.random() < 0.5:
            _, result = await asyncio.gather(self.connection.cancel(), self.connection.result())
        else:
            result = await self.connection.result()
            await self.connection.cancel()
        if result.code != "57014":
            self.check(result, [[str(self.number), str(self.counter)]])
        await self.simple()

    async def vanish(self):
        """Without a goodbye: in a statement, in a long reply, in a COPY, half a message sent."""
        way = self.random.randrange(5)
        if way == 0:
            self.connection.send(pgwire.query(f"select {self.number}, pg_sleep(0.05)"))
        elif way == 1:
            self.connection.send(pgwire.query(
                f"select {self.number}, repeat('x', 1000) from generate_series(1, 20000)"))
            await self.connection.receive()
        elif way == 2:
            self.connection.send(pgwire.query("begin; create temp table lost (n int); "
                                              "copy lost from stdin"))
            self.connection.send(pgwire.copy_data(b"1\n"))
        elif way == 3:
            self.connection.send(pgwire.query(f"select {self.number}")[:-4])
        else:
            await self.begin()
            self.connection.send(pgwire.query("update accounts set balance = balance - 1 "
                                              "where id = 1"))
        await asyncio.sleep(self.random.random() * 0.02)
        await self.reconnect()
