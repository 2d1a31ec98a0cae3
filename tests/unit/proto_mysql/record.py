#!/usr/bin/python3
"""Records what a real server answers, as bytes for the tests. Usage: record.py SOCKET > recorded.hpp

SOCKET is a MariaDB server's whose user root has no password. Where a reply ends is found by the
server's silence, not by understanding it: the tests compare the tracker with that.
"""
import socket
import struct
import sys
import time

PLAIN = 0x00AFF200 | 0x80 | 0x01 | 0x08 | 0x30000 | 0x40000   # MULTI_*, LOCAL_FILES, PROTOCOL_41 ...
PLAIN &= ~(1 << 23) & ~(1 << 24) & ~(1 << 11) & ~(1 << 20) & ~(1 << 21) & ~(1 << 5)
MODES = {"legacy": 0, "modern": (1 << 23) | (1 << 24), "eofless": 1 << 24, "tracking": 1 << 23}
SETUP = ["DROP DATABASE IF EXISTS rec", "CREATE DATABASE rec", "USE rec",
         "CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b VARCHAR(300), c DOUBLE DEFAULT 1.5)",
         "INSERT INTO t (b) VALUES ('one'), (NULL), ('three')",
         "CREATE TABLE u (a INT)", "INSERT INTO u VALUES (2), (2), (3)",
         "CREATE PROCEDURE two() BEGIN SELECT 1; SELECT a, b FROM t; END",
         "CREATE PROCEDURE outs(OUT x INT, INOUT y VARCHAR(9)) BEGIN SET x = 7; SELECT y; SET y = 'o'; END",
         "CREATE PROCEDURE sets() SET SESSION sort_buffer_size = 300000"]
TRACK = ("SET session_track_system_variables='*', session_track_state_change=ON, "
         "session_track_transaction_info='CHARACTERISTICS'")


class client:
    def __init__(self, path, capabilities):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.read_some(4)
        answer = struct.pack("<IIB23x", capabilities, 1 << 24, 45) + b"root\0" + b"\0" + b"\0"
        answer += b"mysql_native_password\0"
        self.socket.sendall(struct.pack("<I", len(answer) | 1 << 24) + answer)
        reply = self.read_all()
        assert reply[4:5] == b"\0", reply

    def read_some(self, n):
        self.socket.settimeout(2)
        return self.socket.recv(65536)

    def read_all(self):
        got = b""
        self.socket.settimeout(2)
        try:
            while True:
                got += self.socket.recv(1 << 20)
                self.socket.settimeout(0.04)
        except socket.timeout:
            return got

    def send(self, payload, sequence=0):
        self.socket.sendall(struct.pack("<I", len(payload) | sequence << 24) + payload)

    def ask(self, payload):
        self.send(payload)
        if payload[0] in (0x18, 0x19):      # no reply
            return b""
        return self.read_all()


def q(text):
    return b"\3" + text.encode()


# Statements are named by the order in which they were prepared; the server's ids come in later.
def on(command, statement, behind=b""):
    return lambda ids: command + struct.pack("<I", ids.get(statement, 99)) + behind


def execute(statement, flags=0, values=b""):
    return on(b"\x17", statement, struct.pack("<BI", flags, 1) + values)


INT_7 = b"\0\1\3\0" + struct.pack("<i", 7)   # no NULLs, types follow: int, 7


def exchanges():
    """(name, payload of the command, payloads of the upload or None)"""
    yield "select", q("SELECT 1"), None
    yield "rows", q("SELECT a, b, c FROM t"), None
    yield "no rows", q("SELECT * FROM t WHERE a = 99"), None
    yield "insert", q("INSERT INTO t (b) VALUES ('four')"), None
    yield "update", q("UPDATE t SET c = 2"), None
    yield "syntax error", q("SELEC 1"), None
    yield "error in rows", q("SELECT a, (SELECT u.a FROM u WHERE u.a = t.a) FROM t"), None
    yield "several", q("SELECT 1; INSERT INTO u VALUES (9); SELECT a FROM t; SET @x = 1"), None
    yield "several, error", q("SELECT 1; SELECT nope; SELECT 2"), None
    yield "warning", q("SELECT CAST('1x' AS INT)"), None
    yield "show warnings", q("SHOW WARNINGS"), None
    yield "track", q(TRACK), None
    yield "set names", q("SET NAMES latin1"), None
    yield "user variable", q("SET @a = 5"), None
    yield "begin", q("BEGIN"), None
    yield "select in transaction", q("SELECT a FROM t LIMIT 1"), None
    yield "commit", q("COMMIT"), None
    yield "call", q("CALL two()"), None
    yield "call sets", q("CALL sets()"), None
    yield "use", q("USE rec"), None
    yield "init db", b"\2rec", None
    yield "init db error", b"\2nope", None
    yield "ping", b"\x0e", None
    yield "statistics", b"\x09", None
    yield "process info", b"\x0a", None
    yield "set option", b"\x1b\0\0", None
    yield "set option error", b"\x1b\x63\0", None
    yield "field list", b"\4t\0", None
    yield "field list error", b"\4nope\0", None
    yield "process kill error", b"\x0c" + struct.pack("<I", 999999), None
    yield "unknown command", b"\x77", None
    yield "prepare nothing", b"\x16DO 1", None
    yield "prepare columns", b"\x16SELECT 1, 2", None
    yield "prepare parameters", b"\x16INSERT INTO u VALUES (?)", None
    yield "prepare both", b"\x16SELECT a, ? FROM t WHERE a < ?", None
    yield "prepare error", b"\x16SELECT nope", None
    yield "execute nothing", execute(1), None
    yield "execute columns", execute(2), None
    yield "execute insert", execute(3, 0, INT_7), None
    yield "execute error", execute(99), None
    yield "execute both", execute(4, 0, b"\0\1\3\0\3\0" + struct.pack("<ii", 5, 7)), None
    yield "execute again", execute(4, 0, b"\0\0" + struct.pack("<ii", 6, 7)), None
    yield "cursor", execute(4, 1, b"\0\1\3\0\3\0" + struct.pack("<ii", 5, 7)), None
    yield "fetch", on(b"\x1c", 4, struct.pack("<I", 2)), None
    yield "fetch to end", on(b"\x1c", 4, struct.pack("<I", 100)), None
    yield "fetch error", on(b"\x1c", 98, struct.pack("<I", 1)), None
    yield "cursor for no rows", execute(3, 1, INT_7), None
    yield "statement reset", on(b"\x1a", 4), None
    yield "prepare long", b"\x16INSERT INTO t (b) VALUES (?)", None
    yield "long data", on(b"\x18", 5, b"\0\0longer"), None
    yield "execute long", execute(5, 0, b"\0\1\xfc\0"), None
    yield "close", on(b"\x19", 5), None
    yield "prepare call", b"\x16CALL two()", None
    yield "execute call", execute(6), None
    yield "prepare out", b"\x16CALL outs(?, ?)", None
    yield "execute out", execute(7, 0, b"\0\1\3\0\xfe\0" + struct.pack("<i", 1) + b"\2in"), None
    yield "local infile", q("LOAD DATA LOCAL INFILE 'f' INTO TABLE u"), [b"1\n2\n", b"3\n", b""]
    yield "local infile, none", q("LOAD DATA LOCAL INFILE 'f' INTO TABLE u"), [b""]
    yield "local infile, warning", q("LOAD DATA LOCAL INFILE 'f' INTO TABLE u"), [b"x\n", b""]
    yield "local infile, no table", q("LOAD DATA LOCAL INFILE 'f' INTO TABLE nope"), None
    yield "local infile, several", \
        q("SELECT 1; LOAD DATA LOCAL INFILE 'f' INTO TABLE u; SELECT 2"), [b"1\n", b""]
    yield "explain", q("EXPLAIN SELECT 1"), None
    yield "get lock", q("SELECT GET_LOCK('l', 0)"), None
    yield "assignment", q("SELECT @z := 3"), None
    yield "debug", b"\x0d", None
    yield "reset connection", b"\x1f", None


def literal(data):
    return '"' + data.hex() + '"'


def main():
    setup = client(sys.argv[1], PLAIN)
    print("// tests/unit/proto_mysql/recorded.hpp: exchanges with MariaDB 10.11, made by record.py.")
    print("#pragma once\n\n#include <cstdint>\n#include <vector>\n\nnamespace sluice::test {\n")
    print("struct recorded {\n    const char* name;\n    std::uint32_t capabilities;")
    print("    const char* command;  // packets, in hex")
    print("    const char* reply;")
    print("    const char* upload;  // what the client sent after that, if anything")
    print("    const char* upload_reply;\n};\n")
    print("// clang-format off")
    print("inline const std::vector<recorded> recorded_exchanges = {")
    for mode, bits in MODES.items():
        for text in SETUP:
            assert setup.ask(q(text))[4:5] != b"\xff", text
        one = client(sys.argv[1], PLAIN | bits)
        one.ask(b"\2rec")
        ids = {}
        for name, payload, upload in exchanges():
            if callable(payload):
                payload = payload(ids)
            reply = one.ask(payload)
            if payload[0] == 0x16 and reply[4] == 0:
                ids[len(ids) + 1] = struct.unpack_from("<I", reply, 5)[0]
            sent, after = b"", b""
            if upload is not None:
                sequence = reply[-len("f") - 2] + 1
                for part in upload:
                    sent += struct.pack("<I", len(part) | sequence << 24) + part
                    sequence += 1
                one.socket.sendall(sent)
                after = one.read_all()
            command = struct.pack("<I", len(payload)) + payload
            print(f'    {{"{mode}: {name}", 0x{PLAIN | bits:08x},')
            print(f"     {literal(command)},\n     {literal(reply)},")
            print(f"     {literal(sent)}, {literal(after)}}},")
    print("};\n// clang-format on\n\n}  // namespace sluice::test")


main()
