"""The login as a machine without I/O: feed it packets, send what it answers."""
import hashlib
import struct

from .messages import (CONNECT_ATTRS, CONNECT_WITH_DB, DEPRECATE_EOF, LENENC_AUTH, LOCAL_FILES,
                       LONG_FLAG, LONG_PASSWORD, MULTI_RESULTS, MULTI_STATEMENTS, PLUGIN_AUTH,
                       PROTOCOL_41, PS_MULTI_RESULTS, SECURE_CONNECTION, SESSION_TRACK, TRANSACTIONS,
                       lenenc, parse_error)

DEFAULT = (LONG_PASSWORD | LONG_FLAG | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION
           | MULTI_STATEMENTS | MULTI_RESULTS | PS_MULTI_RESULTS | PLUGIN_AUTH | LENENC_AUTH
           | DEPRECATE_EOF)


def _xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def native(password, nonce):
    if not password:
        return b""
    stage1 = hashlib.sha1(password.encode()).digest()
    return _xor(stage1, hashlib.sha1(nonce + hashlib.sha1(stage1).digest()).digest())


def caching_sha2(password, nonce):
    if not password:
        return b""
    stage1 = hashlib.sha256(password.encode()).digest()
    stage2 = hashlib.sha256(hashlib.sha256(stage1).digest() + nonce).digest()
    return _xor(stage1, stage2)


class Login:
    """take(payload) for each packet from the greeting on: returns a payload to send, or None.

    `done` is set by the OK, `error` by an ERR. `secure`: passwords may be sent as they are.
    """

    def __init__(self, user, database=None, password=None, capabilities=DEFAULT, attributes=None,
                 charset=45, secure=False, plugin=None):
        self.user, self.database, self.password = user, database, password or ""
        self.capabilities, self.attributes = capabilities, attributes
        self.charset, self.secure, self.plugin = charset, secure, plugin
        self.done, self.error, self.greeting = False, None, None

    def take(self, body):
        if self.greeting is None:
            if body[0] == 0xFF:
                self.error = parse_error(body)
                return None
            return self._respond(body)
        if body[0] == 0x00:
            self.done = True
        elif body[0] == 0xFF:
            self.error = parse_error(body)
        elif body[0] == 0xFE:
            plugin, _, nonce = body[1:].partition(b"\0")
            self.plugin = plugin.decode()
            return self._answer(nonce.rstrip(b"\0"))
        elif body == b"\x01\x04":
            assert self.secure, "full authentication is for secure connections here"
            return self.password.encode() + b"\0"
        return None

    def _respond(self, body):
        version, _, rest = body[1:].partition(b"\0")
        self.greeting = body
        self.version = version.decode()
        (self.id,) = struct.unpack_from("<I", rest)
        low, self.server_charset, status, high, size = struct.unpack_from("<HBHHB", rest, 13)
        self.server_capabilities = low | high << 16
        nonce = rest[4:12] + rest[31:31 + max(12, size - 9)]
        if self.plugin is None:
            self.plugin = rest[31 + max(13, size - 8):].partition(b"\0")[0].decode()
        self.capabilities &= self.server_capabilities | CONNECT_WITH_DB | CONNECT_ATTRS
        return self.response(self._answer(nonce[:20]))

    def response(self, answer):
        flags = self.capabilities
        if self.database:
            flags |= CONNECT_WITH_DB
        if self.attributes:
            flags |= CONNECT_ATTRS
        out = struct.pack("<IIB23x", flags, 1 << 26, self.charset) + self.user.encode() + b"\0"
        out += lenenc(answer)
        if self.database:
            out += self.database.encode() + b"\0"
        out += self.plugin.encode() + b"\0"
        if self.attributes:
            out += lenenc(b"".join(lenenc(k) + lenenc(v) for k, v in self.attributes.items()))
        return out

    def _answer(self, nonce):
        if self.plugin == "mysql_native_password":
            return native(self.password, nonce)
        if self.plugin == "caching_sha2_password":
            return caching_sha2(self.password, nonce)
        if self.plugin == "mysql_clear_password" and self.secure:
            return self.password.encode() + b"\0"
        raise AssertionError(f"no {self.plugin} here")


__all__ = ["DEFAULT", "LOCAL_FILES", "Login", "SESSION_TRACK", "caching_sha2", "native"]
