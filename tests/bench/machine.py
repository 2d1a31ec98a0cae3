"""The machine that the figures come from: what it is, what else runs on it, how steady it is."""
import contextlib
import multiprocessing
import os
import pathlib
import platform
import subprocess
import time

import servers

GROUP = "sluice-bench"
CGROUPS = pathlib.Path("/sys/fs/cgroup")
# Of cgroup v1 and v2, the most that the kernel takes.
SHARES, WEIGHT = 262144, 10000


def facts(programs, with_sluice=True):
    """`programs`: {name: the command that tells its version}"""
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), platform.machine())

    def first_line(arguments):
        done = subprocess.run(arguments, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[0]

    found = {name: first_line(command) for name, command in programs.items()}
    sluice = first_line([str(servers.sluice_binary()), "--version"]) if with_sluice else "-"
    return {"cores": len(os.sched_getaffinity(0)), "cpu": cpu,
            "kernel": platform.release().split("-")[0], **found, "sluice": sluice,
            "load before": f"{os.getloadavg()[0]:.1f}", "own group": GROUP in own_group()}


def described(found, shared_by, programs):
    """The first sentences of a report."""
    text = (f"{found['cores']} cores ({found['cpu']}) shared by {shared_by}, "
            f"loopback TCP without TLS, kernel {found['kernel']}; {'; '.join(programs)}. "
            f"Load average before the run: {found['load before']}. ")
    if found["own group"]:
        text += ("Everything measured runs in one control group that goes before what else this "
                 "machine does. ")
    return text


def own_group():
    return pathlib.Path("/proc/self/cgroup").read_text()


def group_places():
    """(folder of the group, file with its weight, the weight, file that takes processes)"""
    yield CGROUPS / "cpu" / GROUP, "cpu.shares", SHARES, "cgroup.procs"
    yield CGROUPS / GROUP, "cpu.weight", WEIGHT, "cgroup.procs"


@contextlib.contextmanager
def before_others():
    """This process and its children in a control group with the greatest weight, if we may.

    A monitoring process that runs for some milliseconds a few times a second decides over the p99
    of what takes ten, for every target. (A nice value would not do it: each PostgreSQL process has
    a session, so, by the kernel's autogroups, a share of its own.)
    """
    for folder, file, weight, members in group_places():
        try:
            folder.mkdir(exist_ok=True)
            if not (folder / file).exists():
                raise OSError("no such controller here")
            (folder / file).write_text(str(weight))
            (folder / members).write_text(str(os.getpid()))
        except OSError:
            with contextlib.suppress(OSError):
                folder.rmdir()
            continue
        try:
            yield
        finally:
            (folder.parent / members).write_text(str(os.getpid()))
            with contextlib.suppress(OSError):
                folder.rmdir()  # what still ends there keeps it
        return
    yield


def _compute(arguments):
    """p99/p50 of how long the same work takes, `work` seconds of it, on one processor."""
    processor, work, seconds = arguments
    os.sched_setaffinity(0, {processor})
    stamps, until = [], time.perf_counter() + seconds
    while not stamps or stamps[-1] < until:
        for _ in range(1000):
            pass
        stamps.append(time.perf_counter())
    pieces = sorted(b - a for a, b in zip(stamps, stamps[1:]))
    many = max(1, round(work / pieces[len(pieces) // 2]))
    times = sorted(b - a for a, b in zip(stamps, stamps[many:]))
    return times[len(times) * 99 // 100] / times[len(times) // 2]


def spread_of_computing(work=0.015, seconds=2):
    """What p99/p50 this machine itself has: pure computing on every processor at once, in pieces of
    `work` seconds; the greatest. No server's latencies can be more alike than that."""
    each = [(processor, work, seconds) for processor in sorted(os.sched_getaffinity(0))]
    with multiprocessing.Pool(len(each)) as pool:
        return max(pool.map(_compute, each, chunksize=1))
