"""The login as a machine without I/O: feed it messages, send what it answers."""
import base64
import hashlib
import hmac
import os
import struct

from .messages import cstring, error_fields, message, startup

_salted = {}  # (password, salt, iterations) -> salted password: one PBKDF2 for thousands of logins


def _salted_password(password, salt, iterations):
    key = (password, salt, iterations)
    if key not in _salted:
        _salted[key] = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    return _salted[key]


def _hmac(key, data):
    return hmac.digest(key, data, "sha256")


class Login:
    """first() is to be sent; then take(kind, body) for each message: returns bytes to send.

    `done` is set by the first ReadyForQuery, `error` by an ErrorResponse.
    """

    def __init__(self, user, database, password=None, parameters=None):
        self.user, self.password = user, password
        self.parameters_sent = {"user": user, "database": database, **(parameters or {})}
        self.done, self.error = False, None
        self.parameters = {}
        self.pid = self.key = 0
        self.status = "I"

    def first(self):
        return startup(self.parameters_sent)

    def take(self, kind, body):
        if kind == b"R":
            return self._authenticate(struct.unpack_from("!I", body)[0], body[4:])
        if kind == b"S":
            name, value = body[:-1].split(b"\0")
            self.parameters[name.decode()] = value.decode()
        elif kind == b"K":
            self.pid, self.key = struct.unpack("!II", body)
        elif kind == b"E":
            self.error = error_fields(body)
        elif kind == b"Z":
            self.status = body.decode()
            self.done = True
        return b""

    def _authenticate(self, code, body):
        if code == 0 or code == 12:
            return b""
        if code == 3:
            return message(b"p", cstring(self.password))
        if code == 5:
            inner = hashlib.md5((self.password + self.user).encode()).hexdigest()
            outer = hashlib.md5(inner.encode() + body).hexdigest()
            return message(b"p", cstring("md5" + outer))
        if code == 10:
            assert b"SCRAM-SHA-256\0" in body, body
            self._nonce = base64.b64encode(os.urandom(18)).decode()
            self._first_bare = f"n=,r={self._nonce}"
            first = b"n,," + self._first_bare.encode()
            return message(b"p", b"SCRAM-SHA-256\0" + struct.pack("!I", len(first)) + first)
        if code == 11:
            return message(b"p", self._final(body.decode()))
        raise AssertionError(f"authentication request {code}")

    def _final(self, server_first):
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        assert fields["r"].startswith(self._nonce), "the server changed the nonce"
        salted = _salted_password(self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = _hmac(salted, b"Client Key")
        without_proof = f"c=biws,r={fields['r']}"
        signed = f"{self._first_bare},{server_first},{without_proof}".encode()
        signature = _hmac(hashlib.sha256(client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()
