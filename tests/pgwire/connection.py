"""Sockets below the messages: asyncio and blocking."""
import asyncio
import socket
import struct

from . import messages
from .login import Login


class ServerError(Exception):
    """An ErrorResponse. `code` is the SQLSTATE."""

    def __init__(self, fields):
        super().__init__(f"{fields.get('S')} {fields.get('C')}: {fields.get('M')}")
        self.fields = fields
        self.code = fields.get("C")


class Closed(Exception):
    """The other side closed the connection; `last_error` is what it said before, if anything."""

    def __init__(self, last_error=None):
        super().__init__(f"connection closed, last error: {last_error}")
        self.last_error = last_error


class Result:
    """Everything up to ReadyForQuery."""

    def __init__(self):
        self.rows, self.tags, self.errors, self.notices, self.kinds = [], [], [], [], ""
        self.status = "?"

    @property
    def error(self):
        return self.errors[0] if self.errors else None

    @property
    def code(self):
        return self.errors[0].get("C") if self.errors else None

    def value(self):
        return self.rows[0][0]


class Connection:
    def __init__(self, reader, writer, address):
        self.reader, self.writer, self.address = reader, writer, address
        self.pid = self.key = 0
        self.parameters, self.status = {}, "I"
        self.last_error = None

    @classmethod
    async def open(cls, host, port, user, database, password=None, parameters=None, timeout=30):
        return await asyncio.wait_for(
            cls._open(host, port, user, database, password, parameters), timeout)

    @classmethod
    async def _open(cls, host, port, user, database, password, parameters):
        self = await cls.connect(host, port)
        try:
            login = Login(user, database, password, parameters)
            self.send(login.first())
            while not login.done:
                answer = login.take(*await self.receive())
                if login.error:
                    raise ServerError(login.error)
                if answer:
                    self.send(answer)
        except BaseException:
            self.abort()
            raise
        self.pid, self.key = login.pid, login.key
        self.parameters, self.status = login.parameters, login.status
        return self

    @classmethod
    async def connect(cls, host, port):
        """The socket alone: nothing is sent."""
        if host.startswith("/"):
            streams = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}", limit=2**20)
        else:
            streams = await asyncio.open_connection(host, port, limit=2**20)
        return cls(*streams, (host, port))

    def send(self, data):
        self.writer.write(data)

    async def receive(self):
        try:
            header = await self.reader.readexactly(5)
            (size,) = struct.unpack_from("!I", header, 1)
            body = await self.reader.readexactly(size - 4)
        except (asyncio.IncompleteReadError, ConnectionError) as gone:
            raise Closed(self.last_error) from gone
        kind = header[:1]
        if kind == b"S":
            name, value = body[:-1].split(b"\0")
            self.parameters[name.decode()] = value.decode()
        elif kind == b"E":
            self.last_error = messages.error_fields(body)
        return kind, body

    async def result(self, timeout=60):
        """Reads up to ReadyForQuery."""
        return await asyncio.wait_for(self._result(), timeout)

    async def _result(self):
        found = Result()
        while True:
            kind, body = await self.receive()
            if kind not in b"SAN":  # may come at any time
                found.kinds += kind.decode()
            if kind == b"D":
                found.rows.append(messages.data_row(body))
            elif kind == b"C":
                found.tags.append(body[:-1].decode())
            elif kind == b"E":
                found.errors.append(messages.error_fields(body))
            elif kind == b"N":
                found.notices.append(messages.error_fields(body))
            elif kind == b"Z":
                found.status = self.status = body.decode()
                return found

    async def query(self, sql, timeout=60):
        self.send(messages.query(sql))
        return await self.result(timeout)

    async def extended(self, sql, values=(), name="", timeout=60):
        """Parse, Bind, Execute, Sync in one write."""
        self.send(messages.parse(name, sql) + messages.bind("", name, values)
                  + messages.execute() + messages.sync())
        return await self.result(timeout)

    async def prepare(self, name, sql, timeout=60):
        self.send(messages.parse(name, sql) + messages.sync())
        return await self.result(timeout)

    async def run(self, name, values=(), timeout=60):
        self.send(messages.bind("", name, values) + messages.execute() + messages.sync())
        return await self.result(timeout)

    async def cancel(self):
        await cancel(*self.address, self.pid, self.key)

    async def close(self):
        try:
            self.send(messages.terminate())
            await self.writer.drain()
            self.writer.close()
            await self.writer.wait_closed()
        except (ConnectionError, OSError):
            pass

    def abort(self):
        """As if the client's machine died: no Terminate."""
        self.writer.transport.abort()


async def cancel(host, port, pid, key):
    """Sends a CancelRequest and waits for the server to close, as libpq does."""
    connection = await Connection.connect(host, port)
    connection.send(messages.cancel_request(pid, key))
    try:
        await asyncio.wait_for(connection.reader.read(), 20)
    except (ConnectionError, OSError):
        pass
    connection.writer.close()


class Blocking:
    """One socket, for streams: counts bytes and looks at message headers, keeps nothing."""

    def __init__(self, host, port, user, database, password=None, timeout=300):
        if host.startswith("/"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(f"{host}/.s.PGSQL.{port}")
        else:
            self.socket = socket.create_connection((host, port), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(2**18))
        login = Login(user, database, password)
        self.socket.sendall(login.first())
        while not login.done:
            answer = login.take(*self.receive())
            if login.error:
                raise ServerError(login.error)
            self.socket.sendall(answer)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise Closed()
            data += piece
        return data

    def receive(self):
        header = self._exactly(5)
        return header[:1], self._exactly(struct.unpack_from("!I", header, 1)[0] - 4)

    def send(self, data):
        self.socket.sendall(data)

    def drain(self, until=b"Z", pause_after=None):
        """Discards messages until one of kind `until`; returns (bytes of DataRow/CopyData, tags).

        `pause_after(seen)` may sleep once in a while: a slow reader.
        """
        payload, tags, left, keep, header = 0, [], 0, b"", b""
        while True:
            count = self.socket.recv_into(self._buffer)
            if not count:
                raise Closed()
            at = 0
            while at < count:
                if left:
                    step = min(left, count - at)
                    if header[:1] in b"CEZ":
                        keep += bytes(self._buffer[at:at + step])
                    at, left = at + step, left - step
                else:
                    step = min(5 - len(header), count - at)
                    header += bytes(self._buffer[at:at + step])
                    at += step
                    if len(header) < 5:
                        continue
                    left = struct.unpack_from("!I", header, 1)[0] - 4
                    if header[:1] in b"Dd":
                        payload += left
                if left:
                    continue
                kind, body, header, keep = header[:1], keep, b"", b""
                if kind == b"E":
                    raise ServerError(messages.error_fields(body))
                if kind == b"C":
                    tags.append(body[:-1].decode())
                if kind == until:
                    return payload, tags
            if pause_after:
                pause_after(payload)

    def close(self):
        try:
            self.socket.sendall(messages.terminate())
        except OSError:
            pass
        self.socket.close()
