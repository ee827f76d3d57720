"""The frame of every process: settings, logs, health, signals, and an end that always comes."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvloop
from temporalio.client import Client

from feedmill.config import ServiceSettings
from feedmill.errors import FeedmillError, TemporalUnavailableError
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.telemetry.health import Health
from feedmill.telemetry.logs import configure_logs, get_logger
from feedmill.telemetry.runtime import start_runtime
from feedmill.telemetry.server import serve_telemetry
from feedmill.worker.connection import check_temporal, connect
from feedmill.worker.namespaces import with_namespace
from feedmill.worker.versions import BUILD_VARIABLE

log = get_logger(__name__)

# Past the grace period, what still hangs is the SDK core retrying a poll against a Temporal that is
# gone: nothing of ours is lost by leaving.
_HARD_EXIT_AFTER_SECONDS = 5
EXIT_SETTINGS = 2
_EXIT_STUCK = 3
# For the last spans; a collector that is away holds up no process for longer.
_LAST_SPANS_SECONDS = 2.0


class Process:
    """A running process, as the code inside it sees it.

    Attributes
    ----------
    stopping
        Set once SIGTERM or SIGINT came: finish what is in flight and return.
    """

    def __init__(self, client: Client, health: Health, stopping: asyncio.Event) -> None:
        self.client = client
        self.health = health
        self.stopping = stopping


def main_of(main: Callable[[], Awaitable[None]]) -> None:
    """Run a service's `main`; a wrong setting ends it with its name and exit code 2."""
    try:
        uvloop.run(_awaited(main))
    except FeedmillError as error:
        print(f"feedmill: {error}", file=sys.stderr)  # noqa: T201 - logs may not be configured yet
        sys.exit(EXIT_SETTINGS)


async def _awaited(main: Callable[[], Awaitable[None]]) -> None:
    await main()


@asynccontextmanager
async def process(
    settings: ServiceSettings, service: str, store: Store
) -> AsyncIterator[Process | None]:
    """Be a process of the fleet: log, answer probes and scrapes, connect to Temporal, heed signals.

    Yields None when a signal came before Temporal did.
    """
    configure_logs(settings, service)
    spans.start(settings, service, build=os.environ.get(BUILD_VARIABLE))
    stopping = asyncio.Event()
    health = Health({"postgres": store.check, "temporal": _not_connected_yet})
    _heed_signals(stopping, health, settings.drain_seconds)
    runtime, core_metrics_url = start_runtime(service)
    async with serve_telemetry(
        settings.telemetry_host, settings.telemetry_port, health, core_metrics_url
    ):
        log.info("process started", pid=os.getpid())
        connecting = with_namespace(connect(runtime, settings.keys()))
        client = await _unless_stopped(connecting, stopping)
        spare_collector()
        if client is None:
            yield None
        else:
            health.require("temporal", lambda: check_temporal(client))
            yield Process(client, health, stopping)
        await asyncio.to_thread(spans.stop, _LAST_SPANS_SECONDS)
        log.info("process stopped")


def spare_collector() -> None:
    """Let the garbage collector pass over what was loaded at the start: it stays for good.

    To look through all of it again and again stops the event loop for a tenth of a second and more.
    """
    gc.collect()
    gc.freeze()


async def _not_connected_yet() -> None:
    raise TemporalUnavailableError("not connected yet")


async def _unless_stopped(connecting: Awaitable[Client], stopping: asyncio.Event) -> Client | None:
    attempt = asyncio.ensure_future(connecting)
    stop = asyncio.ensure_future(stopping.wait())
    await asyncio.wait({attempt, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if attempt.done():
        return attempt.result()
    attempt.cancel()
    return None


def _heed_signals(stopping: asyncio.Event, health: Health, drain_seconds: int) -> None:
    def stop() -> None:
        if stopping.is_set():
            return
        log.info("draining", seconds=drain_seconds)
        health.drain()
        stopping.set()
        _exit_at_last(drain_seconds + _HARD_EXIT_AFTER_SECONDS)

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def _exit_at_last(seconds: float) -> None:
    # A thread of its own: the event loop may be what hangs.
    timer = threading.Timer(seconds, os._exit, [_EXIT_STUCK])
    timer.daemon = True
    timer.start()
