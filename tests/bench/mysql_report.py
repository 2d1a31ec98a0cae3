"""The results of mysql.py as a page and as a picture."""
import warnings

import machine
import report
from report import table

NAMES = {"direct": "direct", "haproxy": "HAProxy (TCP)", "sluice": "Sluice"}


def _statements(rows):
    order = sorted(rows, key=lambda r: (("text", "prepared").index(r["protocol"]), r["clients"],
                                        list(NAMES).index(r["target"])))
    return table(["protocol", "threads", "through", "queries/s", "p99 ms",
                  "CPU µs a query (user + system)"],
                 [[r["protocol"], r["clients"], NAMES[r["target"]], f"{r['qps']:,.0f}",
                   f"{r['p99']:.3f}", "–" if r["target"] == "direct" else
                   f"{r['cpu']:.1f} ({r['user']:.1f} + {r['system']:.1f})"] for r in order])


def _memory(found):
    return table(["through", "state", "PSS kB a client", "RSS kB a client"],
                 [[NAMES[name], state, f"{f['Pss'] / 1000:.2f}", f"{f['Rss'] / 1000:.2f}"]
                  for name, states in found.items() for state, f in states.items()])


def _streams(rows):
    return table(["what", "through", "seconds", "CPU s of the proxy", "memory growth MiB"],
                 [[r["what"], NAMES[r["target"]], f"{r['seconds']:.2f}",
                   "–" if r["cpu"] is None else f"{r['cpu']:.2f}",
                   "–" if r["growth"] is None else f"{r['growth'] / 2**20:.1f}"] for r in rows])


SECTIONS = [
    ("statements", "sysbench `oltp_point_select`, {backends} backends behind Sluice", _statements),
    ("memory", "Idle clients", _memory),
    ("streams", "Streams (the reader sleeps 1 s at the start)", _streams),
]


def markdown(results):
    facts = results["machine"]
    text = "# MySQL relay: direct, HAProxy in TCP mode, Sluice (1 worker)\n\n"
    text += machine.described(facts, "sysbench, the proxy and the server",
                              [facts["mariadb"], facts["haproxy"], facts["sluice"]])
    text += (f"The targets take turns; each figure is the median of "
             f"{results['rounds']} rounds of {results['seconds']} s.\n"
             "HAProxy opens a backend for every client and reads no protocol. CPU is that of the "
             "proxy process. Absolute times depend on the machine: compare the rows.\n")
    return text + report.written(results, SECTIONS)


def plot(results, path):
    rows = results.get("statements")
    if not rows or isinstance(rows, str):
        return
    warnings.filterwarnings("ignore")
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    protocols = [p for p in ("text", "prepared") if any(r["protocol"] == p for r in rows)]
    counts = sorted({r["clients"] for r in rows})
    kinds = [("qps", "queries/s", list(NAMES)),
             ("cpu", "proxy CPU, µs a query", ["haproxy", "sluice"]),
             ("p99", "p99 latency, ms (log)", list(NAMES))]
    figure, axes = plt.subplots(len(kinds), len(protocols), squeeze=False, sharey="row",
                                figsize=(4.6 * len(protocols), 9.5))
    for column, protocol in enumerate(protocols):
        for line, (key, label, names) in enumerate(kinds):
            report.bars(axes[line][column], rows, protocol, counts, key, names)
            if column == 0:
                axes[line][column].set_ylabel(label)
        axes[0][column].set_title(f"{protocol} protocol")
        axes[-1][column].set_xlabel("sysbench threads")
    handles = [plt.Rectangle((0, 0), 1, 1, color=report.COLOURS[name]) for name in NAMES]
    figure.legend(handles, NAMES.values(), loc="upper center", ncol=3, frameon=False,
                  bbox_to_anchor=(0.5, 0.965))
    figure.suptitle(f"sysbench point selects, {results['backends']} backends behind Sluice, "
                    f"{results['machine']['cores']} cores", y=0.985)
    figure.tight_layout(rect=(0, 0, 1, 0.945))
    figure.savefig(path, dpi=110)
    plt.close(figure)
