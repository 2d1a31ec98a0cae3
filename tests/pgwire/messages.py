"""Builders and readers of PostgreSQL 3.0 messages: bytes in, bytes out."""
import struct


def message(kind, body=b""):
    return kind + struct.pack("!I", len(body) + 4) + body


def cstring(text):
    return text.encode() + b"\0"


def startup(parameters, version=196608):
    body = struct.pack("!I", version)
    for key, value in parameters.items():
        body += cstring(key) + cstring(value)
    body += b"\0"
    return struct.pack("!I", len(body) + 4) + body


def cancel_request(pid, key):
    return struct.pack("!IIII", 16, 80877102, pid, key)


def query(sql):
    return message(b"Q", cstring(sql))


def parse(name, sql, oids=()):
    return message(b"P", cstring(name) + cstring(sql)
                   + struct.pack(f"!H{len(oids)}I", len(oids), *oids))


def bind(portal, statement, values=()):
    """Text parameters, text results."""
    body = cstring(portal) + cstring(statement) + struct.pack("!HH", 0, len(values))
    for value in values:
        if value is None:
            body += struct.pack("!i", -1)
        else:
            raw = value if isinstance(value, bytes) else str(value).encode()
            body += struct.pack("!i", len(raw)) + raw
    return message(b"B", body + struct.pack("!H", 0))


def describe(kind, name):
    return message(b"D", kind.encode() + cstring(name))


def execute(portal="", rows=0):
    return message(b"E", cstring(portal) + struct.pack("!I", rows))


def close(kind, name):
    return message(b"C", kind.encode() + cstring(name))


def sync():
    return message(b"S")


def flush():
    return message(b"H")


def terminate():
    return message(b"X")


def copy_data(data):
    return message(b"d", data)


def copy_done():
    return message(b"c")


def copy_fail(reason):
    return message(b"f", cstring(reason))


def error_fields(body):
    """{'S': 'ERROR', 'C': '22012', 'M': 'division by zero', ...}"""
    fields = {}
    for field in body.split(b"\0"):
        if field:
            fields[chr(field[0])] = field[1:].decode("utf-8", "replace")
    return fields


def data_row(body):
    (count,) = struct.unpack_from("!H", body)
    at, values = 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        if size < 0:
            values.append(None)
            continue
        values.append(body[at:at + size].decode("utf-8", "replace"))
        at += size
    return values
