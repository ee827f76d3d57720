"""`/metrics`, `/healthz` and `/readyz` of one process, on one port."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from feedmill.telemetry.health import Health

_CORE_SECONDS = aiohttp.ClientTimeout(total=5)


@asynccontextmanager
async def serve_telemetry(
    host: str, port: int, health: Health, core_metrics_url: str
) -> AsyncIterator[None]:
    """Answer scrapes and probes while this lasts.

    Raises
    ------
    OSError
        The port is taken.
    """
    async with aiohttp.ClientSession(timeout=_CORE_SECONDS) as session, health.beating():
        handlers = _Handlers(health, session, core_metrics_url)
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", handlers.metrics),
                web.get("/healthz", handlers.healthz),
                web.get("/readyz", handlers.readyz),
            ]
        )
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
            yield
        finally:
            await runner.cleanup()


class _Handlers:
    def __init__(self, health: Health, session: aiohttp.ClientSession, core_url: str) -> None:
        self._health = health
        self._session = session
        self._core_url = core_url

    async def metrics(self, _: web.Request) -> web.Response:
        async with self._session.get(self._core_url) as answer:
            core = await answer.read()
        return web.Response(
            body=generate_latest() + core, headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def healthz(self, _: web.Request) -> web.Response:
        return _verdict(self._health.liveness())

    async def readyz(self, _: web.Request) -> web.Response:
        return _verdict(await self._health.readiness())


def _verdict(wrong: dict[str, str]) -> web.Response:
    return web.json_response({"ok": not wrong, "wrong": wrong}, status=503 if wrong else 200)
