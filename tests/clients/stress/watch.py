"""Looks, while a crowd works, at how many backends there are: by the gateway's own count, which is
exact, and by the server's, which has also what was closed and is not gone yet."""
import threading

EVERY = 0.1  # seconds between looks; the server is asked every fifth time


class Watch(threading.Thread):
    """`http`: metrics.Http of the gateway. `seen`: a call that returns the server's count. Leaving
    the block ends it, and passes on what went wrong."""

    def __init__(self, http, seen):
        super().__init__(daemon=True)
        self.http, self.seen = http, seen
        self.looks, self.open_most, self.seen_most, self.above = 0, 0, 0, []
        self.over, self.error = threading.Event(), None

    def pools(self):
        return self.http.state()["pools"]

    def open(self):
        return sum(pool["open"] for pool in self.pools())

    def run(self):
        try:
            while not self.over.wait(EVERY):
                for pool in self.pools():
                    self.open_most = max(self.open_most, pool["open"])
                    if max(pool["open"], pool["working"], pool["in_flight"]) > pool["size"]:
                        self.above.append(pool)
                if self.looks % 5 == 0:
                    self.seen_most = max(self.seen_most, self.seen())
                self.looks += 1
        except Exception as error:  # for the test's own thread
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()
        if self.error:
            raise self.error
