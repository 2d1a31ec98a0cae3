"""The relay to MariaDB beside going direct and HAProxy in TCP mode, in one run on one load.

HAProxy reads no protocol and shares no connection: the floor of any proxy. The three take turns in
every round; the figures to reach are ratios to HAProxy's, or do not depend on the load.
"""
import contextlib
import json

import machine
import mysql_probes
import mysql_report
import mysql_servers
import sysbench
from postgres import guarded, median_of, progress

PROTOCOLS = ("text", "prepared")
CLIENTS = (1, 8, 64)
BACKENDS = 16
PARTS = ("statements", "memory", "streams")
CPU_LIMIT, MEMORY_LIMIT, GROWTH_LIMIT = 1.1, 8.0, 16.0


def statements(targets, options):
    """[{target, protocol, clients, qps, p99, cpu, user, system}], medians over the rounds."""
    measured = {}
    for number in range(options.rounds):
        order = targets[number % len(targets):] + targets[:number % len(targets)]
        for protocol in options.protocols:
            for clients in options.clients:
                progress(f"round {number + 1}/{options.rounds}: {protocol}, {clients} threads")
                for target in order:
                    figures = sysbench.run(target, clients, protocol == "prepared", options.seconds)
                    measured.setdefault((protocol, clients, target.name), []).append(figures)
    return [{"protocol": protocol, "clients": clients, "target": name, **median_of(rounds)}
            for (protocol, clients, name), rounds in measured.items()]


def idle(server, options):
    """Each proxy fresh: memory that other parts freed would hide what clients take."""
    found = {}
    kinds = [mysql_servers.HAProxy]
    if not options.without_sluice:
        kinds.append(lambda server: mysql_servers.Sluice(server, BACKENDS))
    for kind in kinds:
        with kind(server) as target:
            found[target.name] = mysql_probes.idle_memory(target, options.idle_clients)
    return found


def goal(what, value, limit, unit):
    return {"what": what, "value": value, "limit": limit, "unit": unit,
            "pass": value is not None and value <= limit}


def judge(results):
    found = [goal(f"{part}: {results[part]}", None, None, "") for part in PARTS
             if isinstance(results.get(part), str)]
    rows = results.get("statements")
    rows = {} if isinstance(rows, str) or not rows else {
        (row["protocol"], row["clients"], row["target"]): row["cpu"] for row in rows}
    for protocol in PROTOCOLS:
        for clients in (8, 64):
            ours, floor = (rows.get((protocol, clients, t)) for t in ("sluice", "haproxy"))
            if ours and floor:
                found.append(goal(f"CPU a query, {protocol}, {clients} threads, beside HAProxy's",
                                  ours / floor, CPU_LIMIT, "×"))
    memory = results.get("memory")
    if isinstance(memory, dict):
        for state, figures in memory.get("sluice", {}).items():
            found.append(goal(f"memory an idle client, {state} (PSS)", figures["Pss"] / 1000,
                              MEMORY_LIMIT, "kB"))
    streams = results.get("streams")
    for row in streams if isinstance(streams, list) else ():
        if row["target"] == "sluice":
            found.append(goal(f"memory growth, {row['what']}", row["growth"] / 2**20, GROWTH_LIMIT,
                              "MiB"))
    return found


def main(options):
    results = {"machine": facts(options), "seconds": options.seconds, "rounds": options.rounds,
               "backends": BACKENDS}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(mysql_servers.MariaDB())
        sysbench.prepare(server.port)
        targets = [mysql_servers.Direct(server), stack.enter_context(mysql_servers.HAProxy(server))]
        if not options.without_sluice:
            targets.append(stack.enter_context(mysql_servers.Sluice(server, BACKENDS)))
        parts = {
            "statements": lambda: statements(targets, options),
            "memory": lambda: idle(server, options),
            "streams": lambda: [{"what": what, "target": t.name, **mysql_probes.stream(t, ask)}
                                for what, ask in mysql_probes.STREAMS.items() for t in targets],
        }
        for part in options.only or PARTS:
            progress(part)
            results[part] = guarded(part, parts[part])
    results["goals"] = judge(results)
    text = mysql_report.markdown(results)
    print(text)
    if not options.only and not options.without_sluice or options.write:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "mysql.md").write_text(text)
        (options.out / "mysql.json").write_text(json.dumps(results, indent=1) + "\n")
        mysql_report.plot(results, options.out / "mysql.png")
    return 0 if all(goal["pass"] for goal in results["goals"]) else 1


def facts(options):
    programs = {"mariadb": [mysql_servers.program("mariadb"), "--version"],
                "haproxy": [mysql_servers.program("haproxy"), "-v"]}
    found = machine.facts(programs, not options.without_sluice)
    # "mariadb  Ver 15.1 Distrib 10.11.19-MariaDB, for ..."
    found["mariadb"] = "MariaDB " + found["mariadb"].partition("Distrib ")[2].partition("-")[0]
    return found
