"""The figures to reach, judged on one run's results."""


# p99/p50 of pure computing on a machine whose latencies are worth judging over seconds.
STEADY = 1.2


def goal(what, value, limit, unit=""):
    return {"what": what, "value": value, "limit": limit, "unit": unit,
            "pass": value is not None and value <= limit}


def _cpu(results, protocol, clients, target):
    for row in results:
        if (row["protocol"], row["clients"], row["target"]) == (protocol, clients, target):
            return row["cpu"]
    return None


def _statements(rows):
    for clients, limit in ((16, 1.0), (500, 0.95)):
        for protocol in ("simple", "extended", "prepared"):
            ours, peer = (_cpu(rows, protocol, clients, t) for t in ("sluice", "pgbouncer"))
            what = f"CPU a statement, {protocol}, {clients} clients, beside PgBouncer's"
            if ours is not None and peer is None:
                # The peer has no prepared statements there: its extended figure does less work.
                peer = _cpu(rows, "extended", clients, "pgbouncer")
                what += " extended"
            if ours is not None and peer:
                yield goal(what, ours / peer, limit, "×")


def _memory(found):
    for state, figures in found.get("sluice", {}).items():
        yield goal(f"memory an idle client, {state} (PSS)", figures["Pss"] / 1000, 3.0, "kB")


def _logins(found):
    if "sluice" in found:
        yield goal("CPU a SCRAM login", 1000 * sum(found["sluice"]), 0.4, "ms")


def _streams(rows):
    for row in rows:
        if row["target"] == "sluice":
            yield goal(f"memory growth, {row['what']}", row["growth"] / 2**20, 16, "MiB")


def _fairness(rows):
    for row in rows:
        if row["target"] == "sluice":
            what = "p99/p50, 500 clients over 40 backends"
            yield goal(f"{what}, inside 0.25 s", row["steady_ratio"], 1.5, "×")
            # Where computing alone is less steady, the whole run says more of the machine.
            if row["machine"] <= STEADY:
                yield goal(f"{what}, over the whole run", row["ratio"], 1.5, "×")


JUDGES = {"statements": _statements, "memory": _memory, "logins": _logins, "streams": _streams,
          "fairness": _fairness}


def judge(results, judges=None):
    found = []
    for part, judge_part in (judges or JUDGES).items():
        figures = results.get(part)
        if isinstance(figures, str):  # what went wrong
            found.append({"what": f"{part}: {figures}", "value": None, "limit": None, "unit": "",
                          "pass": False})
        elif figures:
            found += judge_part(figures)
    return found
