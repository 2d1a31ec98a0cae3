"""The SQLite bench's results as a page, a picture and a verdict."""
import warnings

import machine
from report import goals_table, table

NAMES = {"sluice": "Sluice", "postgres": "PostgreSQL", "aiosqlite": "aiosqlite",
         "limit": "one thread, no network"}
COLOURS = {"sluice": "#2166ac", "postgres": "#8a8a8a", "aiosqlite": "#d9822b", "limit": "#4d9221"}


def _ms(value):
    return f"{value:.3f}"


def _loads(rows):
    order = list(NAMES)
    loads = list(dict.fromkeys(row["load"] for row in rows))
    rows = sorted(rows, key=lambda r: (loads.index(r["load"]), r["clients"],
                                       order.index(r["target"])))
    return table(["load", "clients", "through", "statements/s", "p50 ms", "p99 ms", "p99.9 ms",
                  "CPU µs a statement", "errors"],
                 [[r["load"], r["clients"], NAMES[r["target"]], f"{r['tps']:,.0f}", _ms(r["p50"]),
                   _ms(r["p99"]), _ms(r["p999"]), f"{r['cpu']:.1f}" if r["cpu"] else "–",
                   f"{r['failed']:.0f}"] for r in rows])


def _grouping(rows):
    return table(["64 clients' INSERTs are flushed", "statements/s", "p50 ms", "p99 ms",
                  "p99.9 ms"],
                 [[r["target"], f"{r['tps']:,.0f}", _ms(r["p50"]), _ms(r["p99"]), _ms(r["p999"])]
                  for r in rows])


def _relay(rows):
    names = {"file": "translated to SQLite", "relay": "relayed to PostgreSQL"}
    return table(["point SELECT, 64 clients", "protocol", "statements/s", "CPU µs a statement"],
                 [[names[r["target"]], r["protocol"], f"{r['tps']:,.0f}", f"{r['cpu']:.1f}"]
                  for r in rows])


def _readers(rows):
    return table(["16 readers, 1,000 statements/s", "p50 ms", "p99 ms", "p99.9 ms"],
                 [[r["what"], _ms(r["p50"]), _ms(r["p99"]), _ms(r["p999"])] for r in rows])


SECTIONS = [
    ("loads", "Loads (prepared statements, pgbench scripts)", _loads),
    ("grouping", "Writes that share a flush", _grouping),
    ("relay", "CPU beside the relay's", _relay),
    ("readers", "Readers beside a writer that never stops", _readers),
]


def _find(rows, **wanted):
    if isinstance(rows, str):
        return None
    return next((r for r in rows or () if all(r[k] == v for k, v in wanted.items())), None)


def judge(results):
    goals = []

    def goal(what, measured, limit, unit):
        """`measured` must not be more than `limit`."""
        goals.append({"what": what, "value": measured, "limit": limit, "unit": unit,
                      "pass": measured is not None and measured <= limit})

    def ratio(below, above, key):
        return below[key] / above[key] if below and above and above[key] else None

    for part in ("loads", "grouping", "relay", "readers"):
        if isinstance(results.get(part), str):
            goal(f"{part}: {results[part]}", None, 0, "")
    if "grouping" in results:
        goal("64 clients' INSERTs, one by one beside together",
             ratio(_find(results["grouping"], target="one by one"),
                   _find(results["grouping"], target="together"), "tps"), 0.25, "×")
    rows = results.get("loads")
    if rows:
        for load in ("INSERT", "point SELECT"):
            ours, theirs = (_find(rows, load=load, clients=64, target=t)
                            for t in ("sluice", "postgres"))
            goal(f"64 clients' {load}, PostgreSQL's rate beside Sluice's",
                 ratio(theirs, ours, "tps"), 1, "×")
        ours = _find(rows, load="INSERT", clients=64, target="sluice")
        goal("64 clients' INSERT, p99", ours and ours["p99"], 15, "ms")
        goal("errors", sum(r["failed"] for r in rows if r["target"] == "sluice")
             if not isinstance(rows, str) else None, 0, "")
    if "relay" in results:
        goal("CPU of a point SELECT, prepared, 64 clients, beside the relay's",
             ratio(_find(results["relay"], target="file", protocol="prepared"),
                   _find(results["relay"], target="relay", protocol="prepared"), "cpu"), 1.3, "×")
    if "readers" in results:
        goal("readers' p99 beside a writer, beside that alone",
             ratio(_find(results["readers"], what="beside a writer"),
                   _find(results["readers"], what="alone"), "p99"), 2, "×")
    return goals


def markdown(results):
    facts = results["machine"]
    text = "# SQLite behind the PostgreSQL wire: Sluice, PostgreSQL, aiosqlite\n\n"
    text += machine.described(facts, "the clients and the server",
                              [facts["postgres"] + " with synchronous_commit = on",
                               facts["sluice"] + ", 1 worker, durability = \"full\""])
    text += (f"The targets take turns; each figure is the median of {results['rounds']} rounds of {results['seconds']} s. aiosqlite "
             "runs its clients in its own process, the limit in its own thread: no network "
             "there.\n")
    for part, title, write in SECTIONS:
        if part in results:
            found = results[part]
            text += f"\n## {title}\n\n"
            text += f"Failed: {found}\n" if isinstance(found, str) else write(found)
    if results.get("goals"):
        text += "\n## Goals\n\n" + goals_table(results["goals"])
    return text


def plot(results, path):
    rows = results.get("loads")
    if not rows or isinstance(rows, str):
        return
    warnings.filterwarnings("ignore")
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    loads = list(dict.fromkeys(row["load"] for row in rows))
    counts = sorted({row["clients"] for row in rows})
    names = ["sluice", "postgres", "aiosqlite"]
    figure, axes = plt.subplots(2, len(loads), squeeze=False, figsize=(4.2 * len(loads), 7))
    for column, load in enumerate(loads):
        for line, (key, label) in enumerate((("tps", "statements/s"), ("p99", "p99 ms (log)"))):
            axis = axes[line][column]
            for at, name in enumerate(names):
                found = {r["clients"]: r[key] for r in rows
                         if r["load"] == load and r["target"] == name}
                axis.bar([i + (at - 1) * 0.27 for i in range(len(counts))],
                         [found.get(count, 0) for count in counts], 0.25, color=COLOURS[name])
            limit = _find(rows, load=load, target="limit")
            if limit and key == "tps" and limit["tps"] < 1.5 * max(
                    r["tps"] for r in rows if r["load"] == load and r["target"] != "limit"):
                axis.axhline(limit["tps"], color=COLOURS["limit"], linewidth=1)
            axis.set_xticks(range(len(counts)), [str(count) for count in counts])
            axis.grid(axis="y", alpha=0.3)
            axis.set_axisbelow(True)
            axis.spines[["top", "right"]].set_visible(False)
            if key == "p99":
                axis.set_yscale("log")
                axis.set_xlabel("clients")
            if column == 0:
                axis.set_ylabel(label)
        axes[0][column].set_title(load)
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[name]) for name in names]
    figure.legend(handles, [NAMES[name] for name in names], loc="upper center", ncol=3,
                  frameon=False, bbox_to_anchor=(0.5, 0.96))
    figure.suptitle(f"A SQLite file behind the PostgreSQL wire, durable, "
                    f"{results['machine']['cores']} cores", y=0.985)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    figure.savefig(path, dpi=110)
    plt.close(figure)
