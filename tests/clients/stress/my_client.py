"""One client of MySQL's protocol: random deeds, each reply checked."""
import asyncio
import time

import mywire

from .ledger import ACCOUNTS
from .person import Person, expect

CAPABILITIES = mywire.DEFAULT | mywire.LOCAL_FILES
LEGACY = CAPABILITIES & ~mywire.DEPRECATE_EOF


class Client(Person):
    """Every third client is of the kind that wants EOF packets. Only killing clients may ever see
    1317, and only on a statement that a kill of theirs was meant for."""

    failures = (mywire.Closed, mywire.ServerError)
    killer = None

    async def open(self):
        self.connection = await self.connect(
            capabilities=LEGACY if self.number % 3 == 0 else CAPABILITIES)
        self.begin_anew()
        if self.cancels and not self.killer:
            self.killer = await self.connect()

    def begin_anew(self):
        self.prepared, self.zone, self.size = {}, None, None

    def abandon(self):
        super().abandon()
        if self.killer:
            self.killer.abort()

    def at_rest(self):
        expect(self.connection.status & (mywire.IN_TRANS | mywire.AUTOCOMMIT) == mywire.AUTOCOMMIT,
               "left in state", self.connection.status)

    def deeds(self):
        deeds = {self.simple: 20, self.named: 25, self.transfer: 20, self.insert_id: 15,
                 self.error: 8, self.warning: 6, self.error_in_transaction: 4, self.pipeline: 6,
                 self.many_rows: 3, self.several: 4, self.procedure: 3, self.settings: 6,
                 self.change_settings: 3, self.forget_prepared: 2, self.load: 2,
                 self.without_autocommit: 3, self.temporary: 1, self.variable: 1, self.lock: 1,
                 self.cursor: 2, self.long_data: 2, self.change_user: 1, self.vanish: 2}
        if self.cancels:
            deeds |= {self.kill: 1, self.late_kill: 3}
        return deeds

    # -- replies that must be ours

    async def rows(self, sql, expected):
        reply = await self.connection.query(sql)
        expect(not reply.error, sql, reply.error)
        expect(reply.rows == expected, sql, "expected", expected[:3], "got", reply.rows[:3])
        return reply

    async def done(self, sql):
        reply = await self.connection.query(sql)
        expect(not reply.error, sql, reply.error)
        return reply.last

    async def simple(self):
        await self.rows(f"select {self.number}, {self.counter}",
                        [[str(self.number), str(self.counter)]])

    async def named(self):
        """A text of its own, or one that all share; types are sent the first time only."""
        slot = self.random.randrange(6)
        if slot not in self.prepared:
            text = (f"select {self.number} as me, {slot}, ?" if slot < 3
                    else f"select ?, {slot}, ?")
            self.prepared[slot] = [await self.connection.prepare(text), True]
        statement, fresh = self.prepared[slot]
        values = [self.counter] if slot < 3 else [self.number, str(self.counter)]
        reply = await self.connection.execute(statement, values, new_types=fresh)
        self.prepared[slot][1] = False
        expect(not reply.error, reply.error)
        expect(reply.rows == [[self.number, slot, values[-1]]], "prepared", slot, reply.rows)

    async def forget_prepared(self):
        way = self.random.randrange(2)
        if way == 0 and self.prepared:
            statement, _ = self.prepared.pop(self.random.choice(list(self.prepared)))
            self.connection.forget(statement)
            reply = await self.connection.execute(statement, [1])
            expect(reply.errno == 1243, "a closed statement:", reply.error, reply.rows)
        else:
            statement = self.prepared and next(iter(self.prepared.values()))[0]
            await self.reset()
            if statement:
                reply = await self.connection.execute(statement, [1])
                expect(reply.errno == 1243, "after a reset:", reply.error, reply.rows)

    async def reset(self):
        reply = await self.connection.simple(mywire.RESET_CONNECTION)
        expect(not reply.error, "reset:", reply.error)
        self.begin_anew()

    async def change_user(self):
        await self.connection.change_user(self.connection.user, self.connection.password,
                                          self.connection.database)
        self.begin_anew()
        await self.settings()

    async def pipeline(self):
        """Several commands written before the first reply is read; one may fail."""
        count, bad = self.random.randrange(2, 8), self.random.randrange(12)
        for n in range(count):
            self.connection.command(mywire.QUERY, f"select {self.number}, {n}"
                                    + (", missing" if n == bad else ""))
        for n in range(count):
            self.connection.sequence = 1
            reply = await self.connection.reply()
            if n == bad:
                expect(reply.errno == 1054, reply.error, reply.results[0].rows)
            else:
                expect(not reply.error and reply.rows == [[str(self.number), str(n)]],
                       "pipeline", n, reply.error, reply.rows)

    async def many_rows(self):
        count, letter = self.random.randrange(100, 3000), str(self.number % 10)
        await self.rows(f"select {self.number}, seq, repeat('{letter}', 50) from seq_1_to_{count}",
                        [[str(self.number), str(n), letter * 50] for n in range(1, count + 1)])

    async def several(self):
        """Multi-statements, one of which may fail."""
        fails = self.random.random() < 0.3
        reply = await self.connection.query(
            f"select {self.number}; do 0; select {'missing' if fails else self.counter}; select 3")
        expect(reply.rows == [[str(self.number)]], reply.error, reply.rows)
        if fails:
            expect(reply.errno == 1054 and len(reply.results) == 3, reply.error, reply.results)
        else:
            expect(not reply.error and reply.results[2].rows == [[str(self.counter)]]
                   and len(reply.results) == 4, reply.error, reply.results)

    async def procedure(self):
        reply = await self.connection.query(f"call several({self.number})")
        expect(not reply.error and len(reply.results) == 4, reply.error)
        expect(reply.rows == [[str(self.number)]] and len(reply.results[1].rows) == 50
               and {row[1] for row in reply.results[1].rows} == {str(self.number)}, "procedure")

    async def cursor(self):
        statement = await self.connection.prepare("select seq, ? from seq_1_to_40")
        reply = await self.connection.execute(statement, [self.number], cursor=1)
        expect(not reply.error and reply.status & mywire.CURSOR_EXISTS, reply.error, reply.status)
        found, columns = [], reply.last.columns
        for _ in range(self.random.randrange(1, 6)):
            portion = await self.connection.fetch(statement, columns, 15)
            expect(not portion.error, portion.error)
            found += portion.rows
            if portion.status & mywire.LAST_ROW_SENT:
                break
        expect(found == [[n + 1, self.number] for n in range(len(found))], "cursor", found[:3])
        self.connection.forget(statement)
        await self.simple()

    async def long_data(self):
        statement = await self.connection.prepare("select ?, length(?), left(?, 4)")
        for _ in range(3):
            self.connection.long_data(statement, 2, b"%04d" % (self.number % 10000))
        reply = await self.connection.execute(
            statement, [self.number, f"{self.number}", (mywire.messages.STRING, b"")],
            long_data=(2,))
        expect(not reply.error and reply.rows == [
            [self.number, len(str(self.number)), f"{self.number % 10000:04d}"]], reply.error,
            reply.rows)
        self.connection.forget(statement)

    # -- errors and what belongs to the statement before

    async def error(self):
        name = f"missing_{self.number}"
        if self.random.random() < 0.5:
            reply = await self.connection.query(f"select {name}")
            error = reply.error
        else:
            try:
                await self.connection.prepare(f"select {name} + ?")
                error = None
            except mywire.ServerError as refused:
                error = (refused.errno, refused.sqlstate, refused.message)
        expect(error and error[0] == 1054 and f"'{name}'" in error[2], error)

    async def warning(self):
        last = await self.done(f"select cast('{self.number}w' as int)")
        expect(last.warnings == 1 and last.rows == [[str(self.number)]], last.warnings, last.rows)
        reply = await self.connection.query("show warnings")
        expect(len(reply.rows) == 1 and f"'{self.number}w'" in reply.rows[0][2], reply.rows)

    async def insert_id(self):
        last = await self.done(f"insert into numbered (client) values ({self.number})")
        own = last.insert_id
        if self.random.random() < 0.5:
            await self.rows("select last_insert_id()", [[str(own)]])
        await self.rows(f"select client from numbered where id = {own}", [[str(self.number)]])

    # -- transactions

    async def begin(self):
        last = await self.done("begin")
        expect(last.status & mywire.IN_TRANS, "begin:", last.status)

    async def end(self, how):
        last = await self.done(how)
        expect(not last.status & mywire.IN_TRANS, how, last.status)

    async def error_in_transaction(self):
        await self.begin()
        await self.done(f"insert into numbered (client) values ({self.number})")
        await self.error()
        reply = await self.connection.query(
            f"select client from numbered where id = last_insert_id()")
        expect(reply.rows == [[str(self.number)]], "after an error:", reply.error, reply.rows)
        expect(reply.status & mywire.IN_TRANS, "after an error:", reply.status)
        await self.end("rollback")

    async def transfer(self):
        source, target = sorted(self.random.sample(range(1, ACCOUNTS + 1), 2))
        amount = self.random.randrange(-50, 50)
        self.transfer_number += 1
        await self.begin()
        for sign, account in (("-", source), ("+", target)):
            last = await self.done(f"update accounts set balance = balance {sign} ({amount}) "
                                   f"where id = {account}")
            expect(last.affected == (amount != 0), "update:", last.affected)
        await self.done(f"insert into ledger values ({self.number}, {self.transfer_number}, "
                        f"{source}, {target}, {amount})")
        fate = self.random.random()
        if fate < 0.1:
            await self.end("rollback")
        elif fate < 0.15:
            await self.reconnect()  # the gateway has to roll back
        else:
            await self.end("commit")
            self.acknowledged.append(f"{self.number}:{self.transfer_number}")

    async def without_autocommit(self):
        await self.done("set autocommit = 0")
        last = await self.done(f"insert into numbered (client) values ({self.number})")
        expect(last.status & mywire.IN_TRANS, "autocommit = 0:", last.status)
        await self.rows("select client from numbered where id = last_insert_id()",
                        [[str(self.number)]])
        await self.end("rollback")
        await self.rows(f"select count(*) from numbered where id = {last.insert_id}", [["0"]])
        await self.end(self.random.choice(["commit", "rollback"]))
        await self.done("set autocommit = 1")

    async def load(self):
        """LOAD DATA LOCAL in a transaction that is rolled back."""
        await self.begin()
        lines = b"".join(b"%d\t%d\n" % (self.number, n) for n in range(200))
        reply = await self.connection.query(
            f"load data local infile 'of {self.number}' into table loaded",
            infile=lambda name: [lines[:700], lines[700:]] if name == f"of {self.number}" else [])
        expect(not reply.error and reply.last.affected == 200, reply.error, reply.last.affected)
        await self.rows(f"select sum(n) from loaded where client = {self.number}", [["19900"]])
        await self.end("rollback")

    # -- session state

    async def settings(self):
        reply = await self.connection.query("select @@time_zone, @@sort_buffer_size, database()")
        expect(not reply.error, reply.error)
        zone, size, database = reply.rows[0]
        expect(zone == (self.zone or "SYSTEM"), "time zone", zone, "not", self.zone)
        expect(self.size in (None, size) and (self.size or int(size) % 1024 == 0),
               "sort buffer", size, "not", self.size)
        expect(database == self.connection.database, "database", database)

    async def change_settings(self):
        if self.random.random() < 0.5:
            # Whole hours: MariaDB takes some offsets for others, +05:22 for +07:38.
            self.zone = f"+0{(self.number + self.counter) % 10}:00"
            await self.done(f"set time_zone = '{self.zone}'")
        else:
            self.size = str(500_001 + 2 * self.number)
            await self.done(f"set session sort_buffer_size = {self.size}")
        await self.settings()

    async def temporary(self):
        await self.done("create temporary table mine (n int)")
        await self.done(f"insert into mine values ({self.number})")
        await self.rows("select n from mine", [[str(self.number)]])
        await self.reset()
        reply = await self.connection.query("select n from mine")
        expect(reply.errno == 1146, "a temporary table after a reset:", reply.error, reply.rows)

    async def variable(self):
        reply = await self.connection.query("select @mine")
        expect(reply.rows == [[None]], "somebody's variable:", reply.rows)
        await self.done(f"set @mine = {self.number}")
        await self.simple()
        await self.rows("select @mine", [[str(self.number)]])
        await self.reset()

    async def lock(self):
        await self.rows(f"select get_lock('lock {self.number}', 0)", [["1"]])
        await self.simple()
        await self.rows(f"select is_used_lock('lock {self.number}') = connection_id()", [["1"]])
        await self.rows(f"select release_lock('lock {self.number}')", [["1"]])
        await self.reset()

    # -- kills and ends

    async def aim(self):
        reply = await self.killer.query(f"kill query {self.connection.id}")
        expect(not reply.error, "kill:", reply.error)

    async def kill(self):
        began = time.monotonic()
        self.connection.command(mywire.QUERY, f"select {self.number}, sleep(120)")
        waiting = asyncio.ensure_future(self.connection.reply())
        await asyncio.sleep(self.random.random() * 0.05)
        while not waiting.done():
            # One that comes while the statement still waits for a backend counts as well.
            await self.aim()
            await asyncio.wait([waiting], timeout=5)
            expect(time.monotonic() - began < 50, "a kill had no effect for 50 s")
        reply = await waiting
        expect(reply.errno == 1317 or (time.monotonic() - began < 60
                                       and reply.rows == [[str(self.number), "1"]]),
               reply.error, reply.rows)

    async def late_kill(self):
        """Races with the end of a statement: killed or not, and the others are unharmed."""
        self.connection.command(mywire.QUERY, f"select {self.number}, {self.counter}")
        if self.random.random() < 0.5:
            _, reply = await asyncio.gather(self.aim(), self.connection.reply())
        else:
            reply = await self.connection.reply()
            await self.aim()
        if reply.errno != 1317:
            expect(not reply.error and reply.rows == [[str(self.number), str(self.counter)]],
                   reply.error, reply.rows)
        # MariaDB's own late kills may hit this client's next statement.
        reply = await self.connection.query(f"select {self.number}")
        expect(reply.errno in (None, 1317), reply.error)
        await self.simple()

    async def vanish(self):
        """Without a goodbye: in a statement, in a long reply, in a LOAD DATA, half a packet sent."""
        way = self.random.randrange(6)
        if way == 0:
            self.connection.command(mywire.QUERY, f"select {self.number}, sleep(0.05)")
        elif way == 1:
            self.connection.command(
                mywire.QUERY, f"select {self.number}, repeat('x', 1000) from seq_1_to_20000")
            await self.connection.receive()
        elif way == 2:
            self.connection.command(mywire.QUERY, "load data local infile 'x' into table loaded")
            self.connection.answer(b"1\t1\n")
        elif way == 3:
            self.connection.writer.write(
                mywire.frame(bytes([mywire.QUERY]) + b"select 12345")[:-4])
        elif way == 4:
            statement = await self.connection.prepare("select ?, length(?)")
            self.connection.long_data(statement, 1, b"lost")
        else:
            await self.begin()
            self.connection.command(
                mywire.QUERY, "update accounts set balance = balance - 1 where id = 1")
        await asyncio.sleep(self.random.random() * 0.02)
        await self.reconnect()
