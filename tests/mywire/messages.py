"""Builders and readers of the MySQL protocol's packets: bytes in, bytes out."""
import dataclasses
import struct

# Capabilities
LONG_PASSWORD, FOUND_ROWS, LONG_FLAG, CONNECT_WITH_DB = 1, 2, 4, 8
LOCAL_FILES, IGNORE_SPACE, PROTOCOL_41 = 1 << 7, 1 << 8, 1 << 9
SSL, TRANSACTIONS, SECURE_CONNECTION = 1 << 11, 1 << 13, 1 << 15
MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS = 1 << 16, 1 << 17, 1 << 18
PLUGIN_AUTH, CONNECT_ATTRS, LENENC_AUTH = 1 << 19, 1 << 20, 1 << 21
SESSION_TRACK, DEPRECATE_EOF = 1 << 23, 1 << 24

# Status flags
IN_TRANS, AUTOCOMMIT, MORE_RESULTS = 1, 2, 8
CURSOR_EXISTS, LAST_ROW_SENT = 0x40, 0x80
STATE_CHANGED, ANSI_QUOTES = 0x4000, 0x8000

# Commands
QUIT, INIT_DB, QUERY, FIELD_LIST, STATISTICS, PROCESS_KILL = 1, 2, 3, 4, 9, 12
PING, CHANGE_USER, PREPARE, EXECUTE, LONG_DATA, CLOSE, RESET = 14, 17, 22, 23, 24, 25, 26
SET_OPTION, FETCH, RESET_CONNECTION = 27, 28, 31

# Column types
(DECIMAL, TINY, SHORT, LONG, FLOAT, DOUBLE, NULL, TIMESTAMP, LONGLONG, INT24, DATE, TIME, DATETIME,
 YEAR) = range(14)
BIT, NEWDECIMAL, BLOB, VAR_STRING, STRING = 16, 246, 252, 253, 254
UNSIGNED = 0x20  # column flag

PIECE = 0xFFFFFF
_FIXED = {TINY: "b", SHORT: "h", YEAR: "h", LONG: "i", INT24: "i", LONGLONG: "q", FLOAT: "f",
          DOUBLE: "d"}


def frame(payload, sequence=0):
    """Packets of at most 16 MiB - 1 each; one that is full is followed by another, maybe empty."""
    out, at = b"", 0
    while True:
        piece = payload[at:at + PIECE]
        out += struct.pack("<I", len(piece))[:3] + bytes([sequence & 255]) + piece
        at, sequence = at + len(piece), sequence + 1
        if len(piece) < PIECE:
            return out


def lenenc(value):
    """A length-encoded number, or string when `value` is text or bytes."""
    if not isinstance(value, int):
        raw = value.encode() if isinstance(value, str) else value
        return lenenc(len(raw)) + raw
    if value < 251:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfc" + struct.pack("<H", value)
    if value < 1 << 24:
        return b"\xfd" + struct.pack("<I", value)[:3]
    return b"\xfe" + struct.pack("<Q", value)


def read_lenenc(body, at):
    """(number or None for NULL, position behind it)"""
    first = body[at]
    if first < 251:
        return first, at + 1
    if first == 0xFB:
        return None, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(body[at + 1:at + 1 + size], "little"), at + 1 + size


def read_string(body, at):
    size, at = read_lenenc(body, at)
    if size is None:
        return None, at
    return body[at:at + size], at + size


def parse_ok(body, session_track=False):
    """{'affected', 'insert_id', 'status', 'warnings', 'info', 'tracked'} of an OK packet."""
    affected, at = read_lenenc(body, 1)
    insert_id, at = read_lenenc(body, at)
    status, warnings = struct.unpack_from("<HH", body, at)
    at += 4
    info, tracked = b"", b""
    if session_track and at < len(body):
        info, at = read_string(body, at)
        if status & STATE_CHANGED and at < len(body):
            tracked, at = read_string(body, at)
    elif at < len(body):
        info = body[at:]
        if info[0] == len(info) - 1:  # MariaDB writes the length here, too
            info = info[1:]
    return {"affected": affected, "insert_id": insert_id, "status": status, "warnings": warnings,
            "info": info.decode("utf-8", "replace"), "tracked": tracked}


def parse_error(body):
    """(errno, SQLSTATE, message)"""
    (errno,) = struct.unpack_from("<H", body, 1)
    if body[3:4] == b"#":
        return errno, body[4:9].decode(), body[9:].decode("utf-8", "replace")
    return errno, "HY000", body[3:].decode("utf-8", "replace")


@dataclasses.dataclass
class Column:
    schema: str
    table: str
    name: str
    charset: int
    length: int
    type: int
    flags: int
    decimals: int

    @classmethod
    def parse(cls, body):
        texts, at = [], 0
        for _ in range(6):
            text, at = read_string(body, at)
            texts.append(text.decode("utf-8", "replace"))
        charset, length, kind, flags, decimals = struct.unpack_from("<HIBHB", body, at + 1)
        return cls(texts[1], texts[2], texts[4], charset, length, kind, flags, decimals)


def text_row(body):
    at, values = 0, []
    while at < len(body):
        value, at = read_string(body, at)
        values.append(None if value is None else value.decode("utf-8", "replace"))
    return values


def binary_row(body, columns):
    nulls, at, values = body[1:], 1 + (len(columns) + 9) // 8, []
    for index, column in enumerate(columns):
        if nulls[(index + 2) // 8] >> ((index + 2) % 8) & 1:
            values.append(None)
            continue
        code = _FIXED.get(column.type)
        if code:
            if column.flags & UNSIGNED and code in "bhiq":
                code = code.upper()
            values.append(struct.unpack_from("<" + code, body, at)[0])
            at += struct.calcsize("<" + code)
        elif column.type in (DATE, DATETIME, TIMESTAMP, TIME):
            size = body[at]
            values.append(bytes(body[at + 1:at + 1 + size]))
            at += 1 + size
        else:
            value, at = read_string(body, at)
            values.append(value if column.charset == 63 and column.type == BLOB
                          else value.decode("utf-8", "replace"))
    return values


def _typed(value):
    """(type, flag, bytes) of a parameter. A tuple (type, bytes) or (type, bytes, flag) is taken as
    it is."""
    if value is None:
        return NULL, 0, b""
    if isinstance(value, tuple):
        return value[0], value[2] if len(value) > 2 else 0, value[1]
    if isinstance(value, int):
        if value >= 1 << 63:
            return LONGLONG, 0x80, struct.pack("<Q", value)
        return LONGLONG, 0, struct.pack("<q", value)
    if isinstance(value, float):
        return DOUBLE, 0, struct.pack("<d", value)
    return (BLOB if isinstance(value, bytes) else VAR_STRING), 0, lenenc(value)


def execute(statement, values=(), new_types=True, cursor=0, long_data=()):
    """`long_data`: indexes of parameters that were sent before, by LONG_DATA."""
    body = struct.pack("<BIBI", EXECUTE, statement, cursor, 1)
    if not values:
        return body
    typed = [_typed(value) for value in values]
    nulls = bytearray((len(values) + 7) // 8)
    for index, value in enumerate(values):
        if value is None:
            nulls[index // 8] |= 1 << (index % 8)
    body += bytes(nulls) + bytes([1 if new_types else 0])
    if new_types:
        body += b"".join(bytes([kind, flag]) for kind, flag, _ in typed)
    return body + b"".join(raw for index, (_, _, raw) in enumerate(typed) if index not in long_data)
