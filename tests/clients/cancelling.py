"""Cancels what a block runs: again and again, where a cancel came before the statement did."""
import contextlib
import threading


@contextlib.contextmanager
def cancelling(cancel, first=0.5, again=3):
    over = threading.Event()

    def work():
        pause = first
        while not over.wait(pause):
            cancel()
            pause = again

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
