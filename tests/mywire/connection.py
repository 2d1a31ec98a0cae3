"""Sockets below the packets: asyncio and blocking."""
import asyncio
import dataclasses
import socket
import struct

from . import messages
from .login import DEFAULT, Login
from .messages import DEPRECATE_EOF, MORE_RESULTS, SESSION_TRACK, Column, frame


class ServerError(Exception):
    """An ERR packet where there was no place for another answer."""

    def __init__(self, error):
        super().__init__("%s (%s): %s" % error)
        self.errno, self.sqlstate, self.message = error


class Closed(Exception):
    """The other side closed the connection."""


@dataclasses.dataclass
class Result:
    """One result of a reply: rows, or counts, or an error."""
    columns: list = dataclasses.field(default_factory=list)
    rows: list = dataclasses.field(default_factory=list)
    affected: int = 0
    insert_id: int = 0
    status: int = 0
    warnings: int = 0
    info: str = ""
    tracked: bytes = b""
    error: tuple = None


class Reply:
    """All results of a command."""

    def __init__(self):
        self.results, self.packets = [], []

    @property
    def last(self):
        return self.results[-1]

    @property
    def error(self):
        return self.last.error

    @property
    def errno(self):
        return self.last.error and self.last.error[0]

    @property
    def rows(self):
        return self.results[0].rows

    @property
    def status(self):
        return self.last.status

    def value(self):
        assert self.results[0].rows, self.error
        return self.results[0].rows[0][0]


@dataclasses.dataclass
class Prepared:
    id: int
    parameters: list
    columns: list
    warnings: int = 0


class Connection:
    """`packets`: every payload of the reply in hand, for who compares them."""

    def __init__(self, reader, writer, address):
        self.reader, self.writer, self.address = reader, writer, address
        self._buffer, self._at = b"", 0
        self.sequence = 0
        self.id, self.status, self.capabilities, self.version = 0, 0, 0, ""
        self.packets = []
        self.early_eofs = []  # indexes in `packets` of EOFs between definitions and rows

    # -- login

    @classmethod
    async def open(cls, host, port, user, database=None, password=None, timeout=30, **options):
        return await asyncio.wait_for(
            cls._open(host, port, Login(user, database, password, **options)), timeout)

    @classmethod
    async def _open(cls, host, port, login):
        self = await cls.connect(host, port)
        try:
            while not login.done:
                answer = login.take(await self.receive())
                if login.error:
                    raise ServerError(login.error)
                if answer is not None:
                    self.answer(answer)
        except BaseException:
            self.abort()
            raise
        self.id, self.version = login.id, login.version
        self.user, self.password, self.database = login.user, login.password, login.database
        self.capabilities = login.capabilities
        self.status = messages.parse_ok(self.packets[-1])["status"]
        return self

    @classmethod
    async def connect(cls, host, port):
        """The socket alone: nothing is sent."""
        if host.startswith("/"):
            streams = await asyncio.open_unix_connection(host, limit=2**20)
        else:
            streams = await asyncio.open_connection(host, port, limit=2**20)
        return cls(*streams, (host, port))

    # -- packets

    def answer(self, payload):
        """A packet within an exchange: its number goes on from the last one's."""
        self.writer.write(frame(payload, self.sequence))
        self.sequence = (self.sequence + 1 + len(payload) // messages.PIECE) & 255

    def command(self, code, body=b""):
        """Starts a new exchange."""
        body = body.encode() if isinstance(body, str) else body
        self.sequence, self.packets, self.early_eofs = 0, [], []
        self.answer(bytes([code]) + body)

    async def _need(self, count):
        while len(self._buffer) - self._at < count:
            try:
                data = await self.reader.read(1 << 18)
            except ConnectionError as gone:
                raise Closed(str(gone)) from gone
            if not data:
                raise Closed("end of stream")
            self._buffer = self._buffer[self._at:] + data
            self._at = 0

    async def receive(self):
        """The next payload, put together of as many packets as it has."""
        whole = b""
        while True:
            await self._need(4)
            header = self._buffer[self._at:self._at + 4]
            size = header[0] | header[1] << 8 | header[2] << 16
            if header[3] != self.sequence:
                raise AssertionError(f"packet {header[3]} where {self.sequence} was due")
            await self._need(4 + size)
            piece = self._buffer[self._at + 4:self._at + 4 + size]
            self._at += 4 + size
            self.sequence = (self.sequence + 1) & 255
            whole = whole + piece if whole else piece
            if size < messages.PIECE:
                self.packets.append(whole)
                return whole

    # -- replies

    @property
    def _deprecate_eof(self):
        return bool(self.capabilities & DEPRECATE_EOF)

    def _finish(self, result, body):
        """OK, EOF or ERR into `result`."""
        if body[0] == 0xFF:
            result.error = messages.parse_error(body)
            return result
        if body[0] == 0xFE and len(body) == 5:
            result.warnings, result.status = struct.unpack_from("<HH", body, 1)
        else:
            for key, value in messages.parse_ok(
                    body, bool(self.capabilities & SESSION_TRACK)).items():
                setattr(result, key, value)
        self.status = result.status
        return result

    async def _columns(self, count):
        """`count` definitions, and the EOF behind them where there is one."""
        found = [Column.parse(await self.receive()) for _ in range(count)]
        eof = None
        if count and not self._deprecate_eof:
            eof = await self.receive()
            assert eof[0] == 0xFE and len(eof) <= 5, eof[:20]
            (self.status,) = struct.unpack_from("<H", eof, 3)
            self.early_eofs.append(len(self.packets) - 1)
        return found

    async def _rows(self, result, binary):
        while True:
            body = await self.receive()
            if body[0] == 0xFF or (body[0] == 0xFE and len(body) < messages.PIECE):
                return self._finish(result, body)
            result.rows.append(messages.binary_row(body, result.columns) if binary
                               else messages.text_row(body))

    async def _result(self, binary, infile):
        result, body = Result(), await self.receive()
        if body[0] in (0x00, 0xFF) or (body[0] == 0xFE and len(body) < 9):
            return self._finish(result, body)
        if body[0] == 0xFB:
            for piece in infile(body[1:].decode()) if infile else ():
                self.answer(piece)
            self.answer(b"")
            return await self._result(binary, None)
        count, _ = messages.read_lenenc(body, 0)
        result.columns = await self._columns(count)
        if self.status & messages.CURSOR_EXISTS and binary and not self._deprecate_eof:
            result.status = self.status
            return result
        return await self._rows(result, binary)

    async def reply(self, binary=False, infile=None, timeout=60):
        """Up to the last result. `infile(name)` yields the pieces of a LOAD DATA LOCAL."""
        return await asyncio.wait_for(self._reply(binary, infile), timeout)

    async def _reply(self, binary, infile):
        found = Reply()
        while True:
            found.results.append(await self._result(binary, infile))
            if found.last.error or not found.last.status & MORE_RESULTS:
                found.packets = self.packets
                return found

    # -- commands

    async def query(self, sql, timeout=60, infile=None):
        self.command(messages.QUERY, sql)
        return await self.reply(timeout=timeout, infile=infile)

    async def simple(self, code, body=b"", timeout=60):
        """A command that is answered by OK, EOF or ERR."""
        self.command(code, body)
        return await self.reply(timeout=timeout)

    async def ping(self):
        return await self.simple(messages.PING)

    async def change_user(self, user, password, database=""):
        """Without a first answer: the server has to ask for one."""
        self.command(messages.CHANGE_USER, user.encode() + b"\0\0" + database.encode() + b"\0"
                     + struct.pack("<H", 45) + b"mysql_native_password\0")
        login = Login(user, database, password)
        login.greeting = b"had"
        while not login.done:
            answer = login.take(await asyncio.wait_for(self.receive(), 30))
            if login.error:
                raise ServerError(login.error)
            if answer is not None:
                self.answer(answer)

    async def prepare(self, sql, timeout=60):
        return await asyncio.wait_for(self._prepare(sql), timeout)

    async def _prepare(self, sql):
        self.command(messages.PREPARE, sql)
        body = await self.receive()
        if body[0] == 0xFF:
            raise ServerError(messages.parse_error(body))
        number, columns, parameters, warnings = struct.unpack_from("<IHHxH", body, 1)
        made = Prepared(number, await self._columns(parameters), [], warnings)
        made.columns = await self._columns(columns)
        return made

    async def execute(self, statement, values=(), timeout=60, **options):
        self.send_execute(statement, values, **options)
        return await self.reply(binary=True, timeout=timeout)

    def send_execute(self, statement, values=(), **options):
        self.sequence, self.packets, self.early_eofs = 0, [], []
        self.answer(messages.execute(statement.id, values, **options))

    async def fetch(self, statement, columns, count, timeout=60):
        """Rows of an open cursor."""
        self.command(messages.FETCH, struct.pack("<II", statement.id, count))
        return await asyncio.wait_for(self._rows(Result(columns=columns), True), timeout)

    def long_data(self, statement, index, data):
        self.command(messages.LONG_DATA, struct.pack("<IH", statement.id, index) + data)

    def forget(self, statement):
        self.command(messages.CLOSE, struct.pack("<I", statement.id))

    async def close(self):
        try:
            self.command(messages.QUIT)
            await self.writer.drain()
            self.writer.close()
            await self.writer.wait_closed()
        except (ConnectionError, OSError):
            pass

    def abort(self):
        """As if the client's machine died: no QUIT."""
        self.writer.transport.abort()


class Blocking:
    """One socket, for streams: counts bytes and keeps nothing."""

    def __init__(self, host, port, user, database, password=None, timeout=300):
        self.socket = socket.create_connection((host, port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._chunk = memoryview(bytearray(2**18))
        self.sequence = 0
        login = Login(user, database, password, capabilities=DEFAULT)
        while not login.done:
            answer = login.take(self.receive())
            if login.error:
                raise ServerError(login.error)
            if answer is not None:
                self.socket.sendall(frame(answer, self.sequence))

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise Closed("end of stream")
            data += piece
        return data

    def receive(self):
        """A payload of one packet; for all but rows."""
        header = self._exactly(4)
        self.sequence = header[3] + 1 & 255
        return self._exactly(int.from_bytes(header[:3], "little"))

    def command(self, code, body=b""):
        self.socket.sendall(frame(bytes([code]) + body))

    def prepare(self, sql):
        self.command(messages.PREPARE, sql.encode())
        body = self.receive()
        if body[0] == 0xFF:
            raise ServerError(messages.parse_error(body))
        number, columns, parameters = struct.unpack_from("<IHH", body, 1)
        for _ in range(columns + parameters):
            self.receive()
        return number

    def drain(self, pause_after=None):
        """Discards a result of rows below 16 MiB; returns the bytes of its rows.

        `pause_after(seen)` may sleep once in a while: a slow reader.
        """
        body = self.receive()
        if body[0] == 0xFF:
            raise ServerError(messages.parse_error(body))
        for _ in range(messages.read_lenenc(body, 0)[0]):
            self.receive()
        payload, left, header, first = 0, 0, b"", b""
        while True:
            count = self.socket.recv_into(self._chunk)
            if not count:
                raise Closed("end of stream")
            at = 0
            while at < count:
                if not left:
                    # The header and the first byte behind it, which tells rows from the end.
                    step = min(5 - len(header), count - at)
                    header += bytes(self._chunk[at:at + step])
                    at += step
                    if len(header) < 5:
                        continue
                    size = int.from_bytes(header[:3], "little")
                    kind, left, header = header[4], size - 1, b""
                    payload += size
                    first = b"" if kind in (0xFE, 0xFF) and size < 1000 else None
                    if first is not None:
                        payload -= size
                step = min(left, count - at)
                if first is not None:
                    first += bytes(self._chunk[at:at + step])
                at, left = at + step, left - step
                if not left and first is not None:
                    if kind == 0xFF:
                        raise ServerError(messages.parse_error(b"\xff" + first))
                    return payload
            if pause_after:
                pause_after(payload)

    def close(self):
        try:
            self.command(messages.QUIT)
        except OSError:
            pass
        self.socket.close()
