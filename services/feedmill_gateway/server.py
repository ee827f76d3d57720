"""The HTTP server, run inside the process's own frame: the frame heeds signals, this drains."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp
from uvicorn import Config, Server

from feedmill_gateway.listener import Bell


class _Server(Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def build_server(app: ASGIApp, host: str, port: int, drain_seconds: int) -> Server:
    """Build a server that leaves signals and logs to the process it runs in."""
    config = Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=drain_seconds,
    )
    return _Server(config)


async def serve(server: Server, bell: Bell, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set, then finish what is in flight; streams end at once."""
    serving = asyncio.create_task(server.serve(), name="http")
    stop = asyncio.create_task(stopping.wait(), name="stop")
    await asyncio.wait({serving, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    bell.close()
    server.should_exit = True
    await serving
