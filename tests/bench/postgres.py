"""The relay to PostgreSQL beside going direct and PgBouncer, in one run on one load.

Absolute times of shared machines mean nothing: the three take turns in every round, and the
figures to reach are ratios to the peer's, or costs that do not depend on the load.
"""
import contextlib
import json
import statistics
import subprocess
import sys

import goals
import machine
import pgbench
import probes
import report
import servers

PROTOCOLS = ("simple", "extended", "prepared")
CLIENTS = (1, 16, 64, 500)
BACKENDS = 20
PARTS = ("statements", "syscalls", "memory", "logins", "streams", "workers", "fairness")


def fill(cluster):
    subprocess.run([servers.pg_binary("pgbench"), "-i", "-q", "-s", "10", "-h", "127.0.0.1", "-p",
                    str(cluster.port), "-U", servers.USER, servers.DATABASE],
                   env=pgbench.environment(), check=True, capture_output=True)
    probes.prepare_tables(cluster)
    cluster.sql("vacuum analyze")


def database_for(target, protocol, clients):
    """None: this target cannot run it."""
    if target.name != "pgbouncer":
        return servers.DATABASE
    if protocol != "prepared":
        return servers.CROWD
    # Before 1.21 it has prepared statements in session mode only: every client needs a backend.
    return "session" if clients <= BACKENDS else None


def progress(text):
    print(text, file=sys.stderr, flush=True)


def median_of(rounds):
    return {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}


def statements(targets, options):
    """[{target, protocol, clients, tps, p50, p99, cpu, user, system}], medians over the rounds."""
    measured = {}
    for number in range(options.rounds):
        order = targets[number % len(targets):] + targets[:number % len(targets)]
        for protocol in options.protocols:
            for clients in options.clients:
                progress(f"round {number + 1}/{options.rounds}: {protocol}, {clients} clients")
                for target in order:
                    database = database_for(target, protocol, clients)
                    if not database:
                        continue
                    figures = pgbench.run(target, clients, protocol, options.seconds, database)
                    measured.setdefault((protocol, clients, target.name), []).append(figures)
    return [{"protocol": protocol, "clients": clients, "target": name, **median_of(rounds)}
            for (protocol, clients, name), rounds in measured.items()]


def system_calls(targets, options):
    """Per statement: a long run less a short one, so that logins do not count."""
    from meters import SystemCalls
    found, each = [], 400 if options.quick else 1500
    for clients in (1, 16, 500):
        if clients not in options.clients:
            continue
        each_here = max(50, min(each, each * 16 // clients))
        for protocol in options.protocols:
            for target in targets:
                database = database_for(target, protocol, clients)
                if not target.pid or not database:
                    continue
                counts = []
                for number in (10, 10 + each_here):
                    with SystemCalls(target.pid) as calls:
                        pgbench.run_transactions(target.port, database, clients, protocol, number)
                    counts.append(calls)
                if None in (counts[0].total, counts[1].total):
                    continue
                names = sorted(set(counts[0].counts) | set(counts[1].counts))
                per = {name: (counts[1].counts.get(name, 0) - counts[0].counts.get(name, 0))
                       / (each_here * clients) for name in names}
                found.append({"protocol": protocol, "clients": clients, "target": target.name,
                              "total": sum(per.values()),
                              "calls": {k: v for k, v in per.items() if v >= 0.005}})
    return found


def proxies(targets):
    return [target for target in targets if target.pid]


def scaling(cluster, options):
    found = []
    for workers in (1, 2):
        with servers.Sluice(cluster, BACKENDS, workers) as sluice:
            for protocol in ("simple", "extended"):
                rounds = [pgbench.run(sluice, 64, protocol, options.seconds)
                          for _ in range(options.rounds)]
                found.append({"workers": workers, "protocol": protocol, "clients": 64,
                              **median_of(rounds)})
    return found


def fairness(cluster, options):
    """p99/p50 at 500 clients over 40 backends, and of pure computing on the same machine."""
    found, alone = [], []
    with contextlib.ExitStack() as stack:
        one_each = stack.enter_context(servers.Sluice(cluster, 40, pool="multiplex = false"))
        one_each.name = "one each"
        targets = [stack.enter_context(servers.PgBouncer(cluster, 40)), one_each,
                   stack.enter_context(servers.Sluice(cluster, 40))]
        measured = {target.name: [] for target in targets}
        # One round alone says more of what else the machine did.
        for _ in range(max(5, options.rounds)):
            alone.append(machine.spread_of_computing())
            for target in targets:
                measured[target.name].append(pgbench.run(
                    target, 500, "simple", options.seconds,
                    database_for(target, "simple", 500)))
        for name, rounds in measured.items():
            found.append({"target": name, **median_of(rounds), "machine": statistics.median(alone),
                          "ratio": statistics.median(r["p99"] / r["p50"] for r in rounds)})
    return found


def facts(with_sluice):
    return machine.facts({"postgres": [servers.pg_binary("postgres"), "--version"],
                          "pgbouncer": ["/usr/sbin/pgbouncer", "--version"]}, with_sluice)


def guarded(what, function, *arguments):
    """One part that fails must not cost the others' figures."""
    try:
        return function(*arguments)
    except Exception as failed:
        progress(f"FAILED: {what}: {failed}")
        return f"{type(failed).__name__}: {failed}"


def main(options):
    results = {"machine": facts(not options.without_sluice), "seconds": options.seconds,
               "rounds": options.rounds, "backends": BACKENDS}
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(servers.Cluster())
        fill(cluster)
        targets = [servers.Direct(cluster), stack.enter_context(servers.PgBouncer(cluster, BACKENDS))]
        if not options.without_sluice:
            targets.append(stack.enter_context(servers.Sluice(cluster, BACKENDS)))
        parts = {
            "statements": lambda: statements(targets, options),
            "syscalls": lambda: system_calls(targets, options),
            "logins": lambda: {t.name: probes.login_cost(t, options.logins)
                               for t in proxies(targets)},
            "memory": lambda: idle(cluster, options),
            "streams": lambda: [{"what": what, "target": t.name, **probes.stream(t, work)}
                                for what, work in probes.STREAMS.items() for t in targets],
            "workers": lambda: scaling(cluster, options),
            "fairness": lambda: fairness(cluster, options),
        }
        for part in options.only or PARTS:
            if options.without_sluice and part in ("workers", "fairness"):
                continue
            progress(part)
            results[part] = guarded(part, parts[part])
    results["goals"] = goals.judge(results)
    text = report.markdown(results)
    print(text)
    if not options.only and not options.without_sluice or options.write:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "postgres.md").write_text(text)
        (options.out / "postgres.json").write_text(json.dumps(results, indent=1) + "\n")
        report.plot(results, options.out / "postgres.png")
    return 0 if all(goal["pass"] for goal in results["goals"]) else 1


def idle(cluster, options):
    """Each proxy fresh: memory that other parts freed would hide what clients take."""
    found = {}
    for kind in (servers.PgBouncer, *(() if options.without_sluice else (servers.Sluice,))):
        with kind(cluster, BACKENDS) as target:
            found[target.name] = probes.idle_memory(target, options.idle_clients)
    return found
