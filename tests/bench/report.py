"""Results as a page and as a picture."""
import warnings

import machine

COLOURS = {"direct": "#8a8a8a", "pgbouncer": "#d9822b", "sluice": "#2166ac",
           "haproxy": "#5b9a5b"}
NAMES = {"direct": "direct", "pgbouncer": "PgBouncer", "sluice": "Sluice"}
WAITING = {**NAMES, "one each": "Sluice, multiplex = false"}


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |",
             "|" + "|".join("---" if i == 0 else "---:" for i in range(len(head))) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _statements(rows):
    shown, note = [], False
    for row in sorted(rows, key=lambda r: (("simple", "extended", "prepared").index(r["protocol"]),
                                           r["clients"], list(NAMES).index(r["target"]))):
        name = NAMES[row["target"]]
        if row["target"] == "pgbouncer" and row["protocol"] == "prepared":
            name, note = "PgBouncer (session)", True
        cpu = "–" if row["target"] == "direct" else (
            f"{row['cpu']:.1f} ({row['user']:.1f} + {row['system']:.1f})")
        shown.append([row["protocol"], row["clients"], name, f"{row['tps']:,.0f}",
                      f"{row['p50']:.3f}", f"{row['p99']:.3f}", cpu])
    text = table(["protocol", "clients", "through", "statements/s", "p50 ms", "p99 ms",
                  "CPU µs a statement (user + system)"], shown)
    if note:
        text += ("\nThis PgBouncer has prepared statements in session mode only: it is measured "
                 "where every client can have a backend, and left out elsewhere.\n")
    return text


def _syscalls(rows):
    return table(["protocol", "clients", "through", "system calls a statement", "which"],
                 [[r["protocol"], r["clients"], NAMES[r["target"]], f"{r['total']:.2f}",
                   ", ".join(f"{k} {v:.2f}" for k, v in sorted(r["calls"].items(),
                                                               key=lambda kv: -kv[1]))]
                  for r in rows])


def _memory(found):
    return table(["through", "state", "PSS kB a client", "RSS kB a client"],
                 [[NAMES[name], state, f"{f['Pss'] / 1000:.2f}", f"{f['Rss'] / 1000:.2f}"]
                  for name, states in found.items() for state, f in states.items()])


def _logins(found):
    return table(["through", "CPU ms a login", "user", "system"],
                 [[NAMES[name], f"{1000 * (user + system):.3f}", f"{1000 * user:.3f}",
                   f"{1000 * system:.3f}"] for name, (user, system) in found.items()])


def _streams(rows):
    return table(["what", "through", "seconds", "CPU s of the proxy", "memory growth MiB"],
                 [[r["what"], NAMES[r["target"]], f"{r['seconds']:.2f}",
                   "–" if r["cpu"] is None else f"{r['cpu']:.2f}",
                   "–" if r["growth"] is None else f"{r['growth'] / 2**20:.1f}"] for r in rows])


def _workers(rows):
    return table(["workers", "protocol", "clients", "statements/s", "p50 ms", "p99 ms",
                  "CPU µs a statement"],
                 [[r["workers"], r["protocol"], r["clients"], f"{r['tps']:,.0f}",
                   f"{r['p50']:.3f}", f"{r['p99']:.3f}", f"{r['cpu']:.1f}"] for r in rows])


def _fairness(rows):
    return table(["through", "statements/s", "p50 ms", "p99 ms", "p99/p50", "inside 0.25 s"],
                 [[WAITING[r["target"]], f"{r['tps']:,.0f}", f"{r['p50']:.2f}", f"{r['p99']:.2f}",
                   f"{r['ratio']:.2f}", f"{r['steady_ratio']:.2f}"] for r in rows]
                 ) + (f"\nPieces of 15 ms of pure computing, nothing else running, have a p99/p50 of "
                      f"{rows[0]['machine']:.2f} on this machine. \"Inside 0.25 s\" leaves out how "
                      "its speed changes from one quarter of a second to the next.\n")


def goals_table(rows):
    return table(["figure to reach", "measured", "at most", ""],
                 [[r["what"], "–" if r["value"] is None else f"{r['value']:.2f} {r['unit']}",
                   "–" if r["limit"] is None else f"{r['limit']:g} {r['unit']}",
                   "pass" if r["pass"] else "**FAIL**"] for r in rows])


SECTIONS = [
    ("statements", "`pgbench -S`, {backends} backends", _statements),
    ("syscalls", "System calls", _syscalls),
    ("memory", "Idle clients", _memory),
    ("logins", "SCRAM logins", _logins),
    ("streams", "Streams (the reader sleeps 1 s at the start)", _streams),
    ("workers", "Sluice with 1 and 2 workers", _workers),
    ("fairness", "500 clients over 40 backends, simple protocol", _fairness),
]


def markdown(results):
    facts = results["machine"]
    text = "# PostgreSQL relay: direct, PgBouncer, Sluice (1 worker)\n\n"
    text += machine.described(facts, "pgbench, the proxy and the server",
                              [facts["postgres"], facts["pgbouncer"], facts["sluice"]])
    text += (f"The targets take turns; each figure is the median of "
             f"{results['rounds']} rounds of {results['seconds']} s.\n"
             "CPU is that of the proxy process. "
             "Absolute times depend on the machine: compare the rows.\n")
    return text + written(results, SECTIONS)


def written(results, sections):
    """The parts that were measured, and the goals."""
    text = ""
    for part, title, write in sections:
        if part not in results:
            continue
        text += f"\n## {title.format(**results)}\n\n"
        found = results[part]
        text += f"Failed: {found}\n" if isinstance(found, str) else write(found)
    if results.get("goals"):
        text += "\n## Goals\n\n" + goals_table(results["goals"])
    return text


def plot(results, path):
    rows = results.get("statements")
    if not rows or isinstance(rows, str):
        return
    warnings.filterwarnings("ignore")
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    protocols = [p for p in ("simple", "extended", "prepared")
                 if any(r["protocol"] == p for r in rows)]
    counts = sorted({r["clients"] for r in rows})
    kinds = [("tps", "statements/s", 1, list(NAMES)),
             ("cpu", "proxy CPU, µs a statement", 1, ["pgbouncer", "sluice"]),
             ("p99", "p99 latency, ms (log)", 1, list(NAMES))]
    figure, axes = plt.subplots(len(kinds), len(protocols), squeeze=False, sharey="row",
                                figsize=(4.2 * len(protocols), 9.5))
    for column, protocol in enumerate(protocols):
        for line, (key, label, _, names) in enumerate(kinds):
            bars(axes[line][column], rows, protocol, counts, key, names)
            if column == 0:
                axes[line][column].set_ylabel(label)
        axes[0][column].set_title(f"{protocol} protocol")
        axes[-1][column].set_xlabel("clients")
    handles = [plt.Rectangle((0, 0), 1, 1, color=COLOURS[name]) for name in NAMES]
    figure.legend(handles, NAMES.values(), loc="upper center", ncol=3, frameon=False,
                  bbox_to_anchor=(0.5, 0.965))
    figure.suptitle(f"pgbench -S over {results['backends']} backends, "
                    f"{results['machine']['cores']} cores", y=0.985)
    figure.text(0.5, 0.008, "No bar: not available there (this PgBouncer has prepared statements "
                "in session mode only).", ha="center", fontsize=8, color="#555555")
    figure.tight_layout(rect=(0, 0.02, 1, 0.945))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def bars(axis, rows, protocol, counts, key, names):
    width = 0.8 / len(names)
    for at, name in enumerate(names):
        found = {r["clients"]: r[key] for r in rows
                 if r["protocol"] == protocol and r["target"] == name}
        places = [i for i, count in enumerate(counts) if count in found]
        drawn = axis.bar([i + (at - (len(names) - 1) / 2) * width for i in places],
                         [found[counts[i]] for i in places], width * 0.92, color=COLOURS[name])
        if key == "cpu":
            axis.bar_label(drawn, fmt="%.1f", fontsize=7, padding=1)
    axis.set_xticks(range(len(counts)), [str(count) for count in counts])
    axis.grid(axis="y", alpha=0.3)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)
    if key == "p99":
        axis.set_yscale("log")
