"""Tenants that share one pool of 8: a quiet one beside a noisy one, through PgBouncer and Sluice in
one run; shares by weight; what scheduling costs; size = "auto" beside fixed sizes.

The quiet tenant is measured from here: 4 clients, a short statement each 20 ms. The noisy ones are
pgbench's, unpaced, with statements that sleep 20 ms on the server.
"""
import asyncio
import contextlib
import json
import pathlib
import subprocess
import tempfile
import time

import fairness_report
import pgbench
import pgwire
import postgres
import servers

PARTS = ("quiet", "weights", "scheduling", "auto")
PROTOCOLS = ("simple",)
CLIENTS = (256,)
HERE = pathlib.Path(__file__).resolve().parent
POOL = 8
PACE = 0.02
WEIGHTS = {"one": 1, "two": 2, "four": 4}
NOISE = "select pg_sleep(0.02);\n"
# Some milliseconds of one processor.
WORK = "select sum(n) from generate_series(1, 20000) as made(n);\n"
SIZES = ("4", "16", "64", "auto")
TENANTS = """[tenants]
key = "user_suffix"
""" + "".join(f"[tenants.{name}]\nweight = {weight}\n" for name, weight in WEIGHTS.items())


class Noise:
    """pgbench with one statement of its own, while the block runs; what it did, afterwards."""

    def __init__(self, target, user, clients, statement, seconds):
        self.folder = tempfile.TemporaryDirectory(prefix="noise-")
        self.log = pathlib.Path(self.folder.name) / "log"
        script = pathlib.Path(self.folder.name) / "script"
        script.write_text(statement)
        database = servers.CROWD if target.name == "pgbouncer" else servers.DATABASE
        self.command = [servers.pg_binary("pgbench"), "-n", "-f", str(script), "-h", "127.0.0.1",
                        "-p", str(target.port), "-U", user, "-c", str(clients), "-j", "1",
                        "-T", str(round(seconds)), "-l", f"--log-prefix={self.log}", database]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True,
                                        env=pgbench.environment())
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        _, errors = self.process.communicate(timeout=300)
        self.ends = sorted((int(words[4]) + int(words[5]) / 1e6, int(words[2]) / 1e3)
                           for path in pathlib.Path(self.folder.name).glob("log.*")
                           for words in map(str.split, path.open()))
        self.folder.cleanup()
        if not kind and self.process.returncode:
            raise RuntimeError(f"pgbench: {errors.strip()[-600:]}")

    def between(self, begin, until):
        """Latencies in ms, in order, of what ended then."""
        return sorted(latency for at, latency in self.ends if begin <= at < until)


async def _quiet(target, user, seconds, clients=4):
    """[(epoch time of the start, ms)] of paced short statements."""
    database = servers.CROWD if target.name == "pgbouncer" else servers.DATABASE
    found = []

    async def client(number):
        connection = await pgwire.Connection.open("127.0.0.1", target.port, user, database,
                                                  servers.PASSWORD, timeout=120)
        await connection.query("select 1", 120)
        end = time.monotonic() + seconds
        await asyncio.sleep(PACE * number / clients)
        while time.monotonic() < end:
            at, begun = time.time(), time.monotonic()
            result = await connection.query(f"select {number}, {len(found)}", 120)
            assert not result.errors, result.errors
            found.append((at, 1000 * (time.monotonic() - begun)))
            await asyncio.sleep(PACE)
        await connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return sorted(found)


def figures(latencies):
    ordered = sorted(latencies)
    return {"count": len(ordered), "p50": pgbench.percentile(ordered, 0.5),
            "p99": pgbench.percentile(ordered, 0.99), "most": ordered[-1]}


def ramp(clients):
    return 1 + clients * pgbench.LOGIN


def quiet(cluster, options):
    """[{target, alone, beside, noisy (statements/s, p99), series}]"""
    found = []
    with contextlib.ExitStack() as stack:
        targets = [stack.enter_context(servers.PgBouncer(cluster, POOL)),
                   stack.enter_context(servers.Sluice(cluster, POOL, extra=TENANTS))]
        for target in targets:
            suffixed = target.name == "sluice"
            user = servers.CROWD + ("@quiet" if suffixed else "")
            noisy = servers.CROWD + ("@noisy" if suffixed else "")
            postgres.progress(f"quiet alone: {target.name}")
            alone = asyncio.run(_quiet(target, user, options.seconds))
            # The bench's own python warms up in its first statements.
            alone = alone[20:]
            postgres.progress(f"quiet beside 256 noisy clients: {target.name}")
            seconds = options.seconds + 2 * ramp(256)
            with Noise(target, noisy, 256, NOISE, seconds) as noise:
                time.sleep(ramp(256) + 1)
                begin = time.time()
                beside = asyncio.run(_quiet(target, user, options.seconds))
                until = begin + options.seconds
            loud = noise.between(begin, until)
            start = alone[0][0]
            found.append({
                "target": target.name, "alone": figures([ms for _, ms in alone]),
                "beside": figures([ms for _, ms in beside]),
                "noisy": {"tps": len(loud) / options.seconds, **figures(loud)},
                "series": {"alone": [(at - start, ms) for at, ms in alone],
                           "beside": [(at - begin, ms) for at, ms in beside]}})
    return found


def weights(cluster, options):
    """[{tenant, weight, tps, share, wanted}] of 20 ms statements in a pool of 8."""
    with servers.Sluice(cluster, POOL, extra=TENANTS) as target, contextlib.ExitStack() as stack:
        clients, seconds = 48, 2 * options.seconds + ramp(3 * 48) + 2
        noises = {name: stack.enter_context(
            Noise(target, f"{servers.CROWD}@{name}", clients, NOISE, seconds)) for name in WEIGHTS}
        time.sleep(ramp(3 * clients) + 1)
        begin = time.time()
        time.sleep(2 * options.seconds)
        until = time.time()
        stack.close()
    counts = {name: noise.between(begin, until) for name, noise in noises.items()}
    everything, weight = sum(map(len, counts.values())), sum(WEIGHTS.values())
    return [{"tenant": name, "weight": WEIGHTS[name], "tps": len(each) / (until - begin),
             "share": len(each) / everything, "wanted": WEIGHTS[name] / weight, **figures(each)}
            for name, each in counts.items()]


def scheduling(options):
    """[{tenants, waiting clients, ns of CPU of a request that finds room, and of one that waits}]"""
    root = servers.ROOT
    sources = ["pool/dispatcher.cpp", "pool/dispatcher_turns.cpp", "pool/dispatcher_ends.cpp",
               "pool/fair_line.cpp", "pool/overload.cpp", "pool/rate.cpp", "pool/tenant.cpp",
               "proto/core/errc.cpp"]
    with tempfile.TemporaryDirectory(prefix="scheduling-") as folder:
        program = f"{folder}/scheduling"
        subprocess.run(["g++", "-O2", "-std=c++20", "-DASIO_STANDALONE", f"-I{root}", "-o", program,
                        HERE / "scheduling.cpp", *(root / each for each in sources)], check=True)
        found = []
        for tenants, waiting in ((4, 256), (64, 1000), (5000, 10000)):
            done = [json.loads(subprocess.run([program, str(tenants), str(waiting)], check=True,
                                              capture_output=True).stdout)
                    for _ in range(3)]
            found.append({"tenants": tenants, "clients": waiting,
                          "free": min(each["free"] for each in done),
                          "waiting": min(each["waiting"] for each in done)})
    return found


def rounds_of_sizes(options):
    """Sizes differ by less than two rounds of one size do."""
    return max(5, options.rounds)


def auto(cluster, options):
    """[{size, tps, p50, p99, open}] of 64 clients with CPU-bound statements, sizes taking turns."""
    measured = {size: [] for size in SIZES}
    seconds = options.seconds + ramp(64) + 1
    rounds = rounds_of_sizes(options)
    for number in range(rounds):
        order = SIZES[number % len(SIZES):] + SIZES[:number % len(SIZES)]
        for size in order:
            postgres.progress(f"round {number + 1}/{rounds}: size = {size}")
            written, pool = ('"auto"', "max = 64") if size == "auto" else (size, "")
            with servers.Sluice(cluster, written, pool=pool) as target:
                with Noise(target, servers.CROWD, 64, WORK, seconds) as noise:
                    # It finds its size from the first statements on.
                    time.sleep(ramp(64) + 1)
                    begin = time.time()
                    time.sleep(options.seconds)
                    until = time.time()
                    used = backends(cluster)
                done = noise.between(begin, until)
            measured[size].append({"tps": len(done) / (until - begin), **figures(done),
                                   "backends": used})
    return [{"size": size, **postgres.median_of(rounds)} for size, rounds in measured.items()]


def backends(cluster):
    return int(cluster.sql("select count(*) from pg_stat_activity where usename = 'bench'"))


def main(options):
    results = {"machine": postgres.facts(True), "seconds": options.seconds, "rounds": options.rounds,
               "auto rounds": rounds_of_sizes(options),
               "pool": POOL}
    with contextlib.ExitStack() as stack:
        cluster = stack.enter_context(servers.Cluster())
        parts = {"quiet": lambda: quiet(cluster, options),
                 "weights": lambda: weights(cluster, options),
                 "scheduling": lambda: scheduling(options),
                 "auto": lambda: auto(cluster, options)}
        for part in options.only or PARTS:
            postgres.progress(part)
            results[part] = postgres.guarded(part, parts[part])
    results["goals"] = fairness_report.judge(results)
    text = fairness_report.markdown(results)
    print(text)
    if not options.only or options.write:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "fairness.md").write_text(text)
        fairness_report.plot(results, options.out / "fairness.png")
        for each in results.get("quiet", ()):
            each.pop("series", None)
        (options.out / "fairness.json").write_text(json.dumps(results, indent=1) + "\n")
    return 0 if all(goal["pass"] for goal in results["goals"]) else 1
