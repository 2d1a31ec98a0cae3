"""What the kernel says of a process: CPU time, memory, system calls."""
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


def cpu(pid):
    """(user, system) seconds of all threads.

    The sum is exact where the kernel has schedstat; user and system are told apart by ticks.
    """
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    user, system = int(fields[11]) / TICK, int(fields[12]) / TICK
    try:
        exact = sum(int(task.read_text().split()[0])
                    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, IndexError):
        return user, system
    share = user / (user + system) if user + system else 0
    return exact * share, exact * (1 - share)


def memory(pid):
    """Private and shared resident memory in bytes: {'Rss': ..., 'Pss': ...}."""
    found = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss"):
            found[name] = int(value.split()[0]) * 1024
    return found


def resident(pid):
    pages = pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Sampler(threading.Thread):
    """Calls `read()` every `interval` seconds while the block runs; keeps (epoch time, value)."""

    def __init__(self, read, interval):
        super().__init__(daemon=True)
        self.read, self.interval, self.samples = read, interval, []
        self._over = threading.Event()

    def run(self):
        while True:
            try:
                self.samples.append((time.time(), self.read()))
            except (OSError, IndexError):
                return
            if self._over.wait(self.interval):
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()


class SystemCalls:
    """Counts the system calls of a running process with strace while the block runs."""

    def __init__(self, pid):
        self.pid, self.counts, self.total = pid, {}, None

    def __enter__(self):
        self._output = tempfile.NamedTemporaryFile("r", prefix="strace-")
        if not shutil.which("strace"):
            self._process = None
            return self
        self._process = subprocess.Popen(
            ["strace", "-c", "-f", "-p", str(self.pid), "-o", self._output.name],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until_traced()
        return self

    def _wait_until_traced(self):
        status = pathlib.Path(f"/proc/{self.pid}/status")
        for _ in range(200):
            if "TracerPid:\t0\n" not in status.read_text() or self._process.poll() is not None:
                return
            time.sleep(0.01)

    def __exit__(self, *_):
        if not self._process:
            return
        self._process.send_signal(signal.SIGINT)
        self._process.wait()
        for line in self._output.read().splitlines():
            words = line.split()
            if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                self.counts[words[-1]] = int(words[3])
        self.total = sum(self.counts.values()) or None
        self._output.close()
