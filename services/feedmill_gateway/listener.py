"""Learns from Postgres that events were appended, and wakes everybody who waits for some."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import psycopg
from psycopg.conninfo import make_conninfo

from feedmill.store.events import CHANNEL
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import EVENT_LISTENERS

log = get_logger(__name__)

# Bursts (a slice commits entry by entry) become one look for each listener.
_LEAST_SECONDS = 0.3
# A dead network must not look like a quiet one for hours.
_CONNECTION: dict[str, str | int] = {
    "application_name": "feedmill gateway events",
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
_FIRST_WAIT_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 5.0


class Bell:
    """Rings for everybody in this process who waits for events; closes when the process drains."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Event] = set()
        self.closed = False

    def ring(self) -> None:
        """Let everybody look whether there is something for them."""
        for rung in self._waiting:
            rung.set()

    def close(self) -> None:
        """Let everybody go home."""
        self.closed = True
        self.ring()

    @contextmanager
    def listening(self) -> Iterator[asyncio.Event]:
        """Yield what is set whenever the bell rings; whoever listens clears it."""
        rung = asyncio.Event()
        self._waiting.add(rung)
        EVENT_LISTENERS.inc()
        try:
            yield rung
        finally:
            EVENT_LISTENERS.dec()
            self._waiting.discard(rung)

    async def turns(self, rung: asyncio.Event, *, at_most: float) -> AsyncGenerator[None]:
        """Yield whenever it is worth looking: now, when the bell rang, and every `at_most` seconds.

        Ends when the bell is closed.
        """
        while not self.closed:
            # Before the look: what is appended during it rings for the next one.
            rung.clear()
            yield
            await asyncio.sleep(_LEAST_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(at_most):
                    await rung.wait()


@asynccontextmanager
async def open_bell(database_url: str) -> AsyncIterator[Bell]:
    """Ring for every commit that appended events, with one connection of its own.

    Connects again for as long as it takes; meanwhile the bell is silent.
    """
    bell = Bell()
    task = asyncio.create_task(_listen_for_ever(database_url, bell), name="event-listener")
    try:
        yield bell
    finally:
        bell.close()
        task.cancel()
        await asyncio.wait({task})


async def _listen_for_ever(database_url: str, bell: Bell) -> None:
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            async for _ in _notifications(database_url):
                wait = _FIRST_WAIT_SECONDS
                bell.ring()
        except psycopg.Error as error:
            log.warning("event listener lost postgres", error=str(error).strip())
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


async def _notifications(database_url: str) -> AsyncIterator[None]:
    address = make_conninfo(database_url, **_CONNECTION)
    connection = await psycopg.AsyncConnection.connect(address, autocommit=True)
    async with connection:
        await connection.execute(f"listen {CHANNEL}")
        # Whatever was appended while nobody listened.
        yield
        async for _ in connection.notifies():
            yield
