"""Tenants' fairness as a page, a picture and figures to reach."""
import warnings

import goals
import machine
from goals import goal
from report import COLOURS, NAMES, table, written


def _quiet(rows):
    by = {row["target"]: row for row in rows}
    ours, peer = by["sluice"], by["pgbouncer"]
    yield goal("quiet tenant's p99 beside the noisy one, above its p99 alone",
                ours["beside"]["p99"] - ours["alone"]["p99"], 10, "ms")
    yield goal("the same p99, beside PgBouncer's",
                ours["beside"]["p99"] / peer["beside"]["p99"], 0.01, "×")
    yield goal("statements of the noisy one, PgBouncer's beside ours",
                peer["noisy"]["tps"] / ours["noisy"]["tps"], 1.05, "×")


def _weights(rows):
    yield goal("shares beside the weights, worst",
                100 * max(abs(row["share"] / row["wanted"] - 1) for row in rows), 3, "%")


def _scheduling(rows):
    yield goal("CPU of scheduling a statement, worst",
                max(max(row["free"], row["waiting"]) for row in rows) / 1000, 0.5, "µs")


def _auto(rows):
    by = {row["size"]: row for row in rows}
    best = max(row["tps"] for row in rows if row["size"] != "auto")
    yield goal('best fixed size\'s statements/s beside size = "auto"',
                best / by["auto"]["tps"], 1 / 0.95, "×")
    yield goal('p99 of size = "auto" beside size = 64', by["auto"]["p99"] / by["64"]["p99"], 1,
                "×")


JUDGES = {"quiet": _quiet, "weights": _weights, "scheduling": _scheduling, "auto": _auto}


def judge(results):
    return goals.judge(results, JUDGES)


def _quiet_table(rows):
    lines = []
    for row in rows:
        name = NAMES[row["target"]]
        for state, words in (("alone", "alone"), ("beside", "beside 256 noisy clients")):
            of = row[state]
            noisy = f"{row['noisy']['tps']:,.0f}" if state == "beside" else "–"
            lines.append([name, words, f"{of['p50']:.2f}", f"{of['p99']:.2f}", f"{of['most']:.1f}",
                          noisy])
    return table(["through", "quiet tenant", "p50 ms", "p99 ms", "longest ms",
                  "noisy statements/s"], lines) + "\n![latency over time](fairness.png)\n"


def _weights_table(rows):
    return table(["weight", "statements/s", "share", "share by weight", "p50 ms", "p99 ms"],
                 [[row["weight"], f"{row['tps']:.1f}", f"{100 * row['share']:.2f} %",
                   f"{100 * row['wanted']:.2f} %", f"{row['p50']:.0f}", f"{row['p99']:.0f}"]
                  for row in rows])


def _scheduling_table(rows):
    return table(["tenants", "clients that wait", "ns of CPU, finds room", "ns of CPU, waits"],
                 [[f"{row['tenants']:,}", f"{row['clients']:,}", f"{row['free']:.0f}",
                   f"{row['waiting']:.0f}"] for row in rows])


def _auto_table(rows):
    return table(["pool.size", "statements/s", "p50 ms", "p99 ms", "connections at the end"],
                 [[row["size"], f"{row['tps']:.1f}", f"{row['p50']:.1f}", f"{row['p99']:.1f}",
                   f"{row['backends']:.0f}"] for row in rows])


SECTIONS = [
    ("quiet", "A quiet tenant (4 clients, a short statement each 20 ms) beside a noisy one "
              "(256 clients, statements of 20 ms), one pool of {pool}", _quiet_table),
    ("weights", "Three noisy tenants with weights 1, 2 and 4, one pool of {pool}", _weights_table),
    ("scheduling", "What scheduling costs", _scheduling_table),
    ("auto", 'size = "auto" (2 to 64) beside fixed sizes, 64 clients, CPU-bound statements',
     _auto_table),
]


def markdown(results):
    facts = results["machine"]
    text = "# Tenants: fair shares through PgBouncer and Sluice (1 worker)\n\n"
    text += machine.described(facts, "the clients, the proxy and the server",
                              [facts["postgres"], facts["pgbouncer"], facts["sluice"]])
    text += (f"{results['seconds']} s each; sizes: the median of {results['auto rounds']} rounds.\n")
    return text + written(results, SECTIONS)


def plot(results, path):
    rows = results.get("quiet")
    if not rows or isinstance(rows, str):
        return
    warnings.filterwarnings("ignore")
    import matplotlib
    matplotlib.use("Agg")
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(9, 4.5))
    for row in rows:
        alone, beside = row["series"]["alone"], row["series"]["beside"]
        # First alone, then, from zero on, beside the others.
        shift = alone[-1][0]
        points = [(at - shift, ms) for at, ms in alone] + list(beside)
        axes.plot([at for at, _ in points], [ms for _, ms in points], ".", markersize=2,
                  color=COLOURS[row["target"]], label=NAMES[row["target"]])
    axes.axvline(0, color="#8a8a8a", linewidth=0.8)
    axes.set_yscale("log")
    axes.set_xlabel("seconds since 256 noisy clients came")
    axes.set_ylabel("latency of the quiet tenant, ms")
    axes.legend(markerscale=5)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
