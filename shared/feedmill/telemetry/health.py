"""Alive and ready, and the difference between them.

Alive (`/healthz`) is about this process alone: its event loop turns and its pollers run. It never
asks Temporal or Postgres, or an outage there would restart the whole fleet here.
Ready (`/readyz`) is about being of use now: both reachable, schema current, not draining.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from feedmill.errors import FeedmillError
from feedmill.telemetry import metrics

Check = Callable[[], Awaitable[None]]
"""Returns when all is well, raises a FeedmillError that says what is not."""

_BEAT_SECONDS = 0.25
# Far above any pause a healthy process makes, far below what a person would wait.
_STALLED_AFTER_SECONDS = 10.0
_CHECK_SECONDS = 3.0


class Health:
    """What one process knows about itself."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = dict(checks)
        self._draining = False
        self._alive: Callable[[], bool] = lambda: True
        self._last_beat = time.monotonic()

    def watch(self, alive: Callable[[], bool]) -> None:
        """Ask `alive` from now on whether the pollers run."""
        self._alive = alive

    def require(self, name: str, check: Check) -> None:
        """Make readiness depend on one more check, or on another one of the same name."""
        self._checks[name] = check

    def drain(self) -> None:
        """Stop being ready, for good."""
        self._draining = True

    def liveness(self) -> dict[str, str]:
        """Return what is wrong with this process, by name; empty when it is alive."""
        wrong = {}
        if time.monotonic() - self._last_beat > _STALLED_AFTER_SECONDS:
            wrong["event_loop"] = "stalled"
        if not self._alive():
            wrong["pollers"] = "stopped"
        return wrong

    async def readiness(self) -> dict[str, str]:
        """Return why this process is of no use now, by name; empty when it is ready."""
        results = await asyncio.gather(*(_outcome(check) for check in self._checks.values()))
        wrong = {name: text for name, text in zip(self._checks, results, strict=True) if text}
        if self._draining:
            wrong["process"] = "draining"
        metrics.READY.set(0 if wrong else 1)
        return wrong

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Measure the event loop's lag while this lasts."""
        task = asyncio.create_task(self._beat(), name="event-loop-beat")
        try:
            yield
        finally:
            task.cancel()

    async def _beat(self) -> None:
        while True:
            due = time.monotonic() + _BEAT_SECONDS
            await asyncio.sleep(_BEAT_SECONDS)
            self._last_beat = time.monotonic()
            metrics.EVENT_LOOP_LAG_SECONDS.observe(max(0.0, self._last_beat - due))


async def _outcome(check: Check) -> str:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            await check()
    except TimeoutError:
        return "no answer"
    except FeedmillError as error:
        return str(error)
    return ""
