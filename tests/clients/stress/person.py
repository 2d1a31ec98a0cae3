"""Whoever takes part: random deeds until the time is over, each carrying the client's id."""
import asyncio
import collections
import random
import time


class Mixed(AssertionError):
    """A reply that is not this client's, or not what was promised."""


def expect(condition, *what):
    if not condition:
        raise Mixed(" ".join(str(word) for word in what))


class Person:
    """`number` is the id in every statement. deeds() says what to do and how often, open() logs in,
    at_rest() checks the state between two deeds; `failures` are the errors of the connection."""

    failures = ()

    def __init__(self, number, connect, seed, cancels=True, tally=None):
        self.number, self.connect = number, connect
        self.random = random.Random(seed * 100_003 + number)
        self.cancels = cancels
        self.tally = tally if tally is not None else {}
        self.acknowledged = []
        self.transfer_number = self.counter = 0
        self.connection = None
        self.deed, self.last = "login", collections.deque(maxlen=10)

    async def run(self, until):
        deeds = self.deeds()
        choices, weights = list(deeds), list(deeds.values())
        try:
            await self.open()
            while time.monotonic() < until:
                self.counter += 1
                chosen = self.random.choices(choices, weights)[0]
                self.deed = chosen.__name__
                self.last.append(self.deed)
                try:
                    await asyncio.wait_for(chosen(), 60)
                except asyncio.TimeoutError:
                    raise Mixed("no reply within 60 s") from None
                self.at_rest()
                self.tally[self.deed] = self.tally.get(self.deed, 0) + 1
            await self.connection.close()
        except (Mixed, *self.failures) as wrong:
            raise Mixed(f"client {self.number}, {self.deed} {self.counter}: {wrong}; last deeds: "
                        f"{' '.join(self.last)}") from wrong

    async def reconnect(self):
        """Without a goodbye."""
        self.connection.abort()
        await self.open()

    def abandon(self):
        if self.connection:
            self.connection.abort()
