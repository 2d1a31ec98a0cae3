#!/usr/bin/python3
"""Rules that a compiler cannot state. Usage: tidy.py REPOSITORY. Exit status 1 names each breach.

- third-party includes per layer (the arrows between our own layers are enforced by CMake's views)
- every source file opens with "// path: what it is"
- no ".." in includes, no line over 100 columns, no tabs, headers have #pragma once
- GCC 12.2 miscompiles temporaries in co_await expressions: no capturing lambda and no
  brace-built temporary there
- no folder or file named utils, common or helpers
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1]).resolve()
LAYERS = ["proto", "drivers", "pool", "gateway"]
# What each folder may include in <> besides the standard library.
THIRD_PARTY = {
    "proto": r"openssl/(evp|hmac|sha|md5|rand|crypto|rsa|pem|bio|bn)\.h",
    "drivers/api": r"asio.*|openssl/.*",
    "drivers/io": r"asio.*|openssl/.*|sys/.*|unistd\.h|fcntl\.h|netinet/.*|netdb\.h|poll\.h|arpa/.*",
    "drivers/pg": r"asio.*|openssl/.*|libpq-fe\.h|sys/.*|unistd\.h|fcntl\.h|netinet/.*|poll\.h|netdb\.h|arpa/.*",
    "drivers/mysql": r"asio.*|openssl/.*|sys/.*|unistd\.h|fcntl\.h|netinet/.*|netdb\.h|arpa/.*",
    "drivers/sqlite": r"asio.*|sqlite3\.h|sys/.*|unistd\.h|fcntl\.h|linux/.*",
    "pool": r"asio.*",
    "gateway": r".*",
}
C_HEADERS = r"c?(assert|ctype|errno|math|signal|stddef|stdint|stdio|stdlib|string|time|limits)(\.h)?"
STANDARD = re.compile(rf"^([a-z_]+|{C_HEADERS})$")
BANNED_NAMES = re.compile(r"(^|/)(utils?|common|helpers?)(/|\.)")
AWAIT_LAMBDA = re.compile(r"co_await[^;]*\[[^\]\s][^\]]*\]\s*(\(|\{|mutable)")
AWAIT_BRACE = re.compile(r"co_await\s[^;{]*\b[a-z_:]+(<[^;>]*>)?\(\s*\{|co_await\s[^;{(]*\([^;]*[(,]\s*[a-z_:]*\{")


def layer_rule(path):
    best = max((f for f in THIRD_PARTY if path == f or path.startswith(f + "/")), key=len, default=None)
    return best and re.compile("^(" + THIRD_PARTY[best] + ")$")


def check(path, breaches):
    name = str(path.relative_to(ROOT))
    text = path.read_text()
    lines = text.splitlines()
    if not lines or not lines[0].startswith(f"// {name}: "):
        breaches.append(f"{name}:1: first line must be '// {name}: what it is'")
    if path.suffix == ".hpp" and "#pragma once" not in text:
        breaches.append(f"{name}:1: header without #pragma once")
    rule = layer_rule(name)
    for number, line in enumerate(lines, 1):
        if len(line) > 100:
            breaches.append(f"{name}:{number}: {len(line)} columns, 100 is the limit")
        if "\t" in line:
            breaches.append(f"{name}:{number}: tab")
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if not found:
            continue
        kind, target = found.groups()
        if ".." in target:
            breaches.append(f"{name}:{number}: '..' in an include")
        if kind == "<" and rule and not STANDARD.match(target) and not rule.match(target):
            breaches.append(f"{name}:{number}: <{target}> is not for this folder")
    code = re.sub(r"//[^\n]*", "", text)
    for pattern in (AWAIT_LAMBDA, AWAIT_BRACE):
        for found in pattern.finditer(code):
            number = code.count("\n", 0, found.start()) + 1
            breaches.append(f"{name}:{number}: temporary in a co_await expression (GCC 12.2 "
                            "miscompiles it): name it first")


def main():
    breaches = []
    files = [p for folder in LAYERS for p in sorted((ROOT / folder).rglob("*"))
             if p.suffix in (".hpp", ".cpp")]
    for path in files:
        check(path, breaches)
    for path in files + sorted((ROOT / "tests").rglob("*")):
        if BANNED_NAMES.search(str(path.relative_to(ROOT))) and "node_modules" not in str(path):
            breaches.append(f"{path.relative_to(ROOT)}: utils, common, helpers name nothing")
    for breach in breaches:
        print(breach)
    print(f"{len(files)} files checked, {len(breaches)} breaches")
    return 1 if breaches else 0


sys.exit(main())
