"""Where a drill takes place: sites on many hosts, a model, and a record of what both were asked."""

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

from aiohttp import web

from support.model_server import ModelRequest, good, open_model_server
from support.sites import article

HOSTS = 25
ENTRIES_PER_FEED = 20
ENTRIES = HOSTS * ENTRIES_PER_FEED

_PAGE_SECONDS = 0.2
_CALL_SECONDS = 0.2


@dataclass
class Ground:
    """Sites and a model, as they saw the fleet.

    Attributes
    ----------
    pages
        Paths of pages, in the order in which they were asked for.
    calls
        Titles of articles, likewise.
    moments
        When each host was asked for anything, in seconds.
    """

    port: int = 0
    model_url: str = ""
    pages: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    moments: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def feeds(self, journey: int) -> list[str]:
        """Return the addresses of a journey's feeds."""
        return [f"{self._base(host)}/{journey}/feed" for host in range(HOSTS)]

    def opml(self, journey: int) -> bytes:
        """Return them as a list to import."""
        outlines = "".join(
            f"<outline text={quoteattr(url)} type='rss' xmlUrl={quoteattr(url)}/>"
            for url in self.feeds(journey)
        )
        return f"<opml version='2.0'><head/><body>{outlines}</body></opml>".encode()

    async def feed(self, request: web.Request) -> web.Response:
        """Show the entries of one host in one journey."""
        self._note(request)
        base = f"http://{request.host}/{request.match_info['journey']}"
        items = "".join(
            f"<item><title>Mill {number}</title><guid>{base}/{number}</guid>"
            f"<link>{base}/{number}</link></item>"
            for number in range(ENTRIES_PER_FEED)
        )
        return web.Response(
            text=f"<rss version='2.0'><channel><title>{base}</title>{items}</channel></rss>",
            content_type="application/rss+xml",
            headers={"ETag": '"1"'},
        )

    async def page(self, request: web.Request) -> web.Response:
        """Show an article that there is only once."""
        self._note(request)
        self.pages.append(request.url.human_repr())
        await asyncio.sleep(_PAGE_SECONDS)
        host = int(request.host.split(":")[0].rpartition(".")[2]) - 1
        entry = host * ENTRIES_PER_FEED + int(request.match_info["number"])
        journey = int(request.match_info["journey"])
        return web.Response(text=article(journey * ENTRIES + entry), content_type="text/html")

    async def robots(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.Response(status=404)

    async def call(self, asked: ModelRequest) -> web.StreamResponse:
        """Distil, after a while."""
        self.calls.append(asked.article)
        await asyncio.sleep(_CALL_SECONDS)
        return await good(asked)

    def _base(self, host: int) -> str:
        return f"http://127.0.1.{host + 1}:{self.port}"

    def _note(self, request: web.Request) -> None:
        self.moments[request.host].append(time.monotonic())


@asynccontextmanager
async def open_ground() -> AsyncIterator[Ground]:
    """Serve on loopback while the block lasts."""
    ground = Ground()
    app = web.Application()
    app.add_routes(
        [
            web.get("/{journey}/feed", ground.feed),
            web.get(r"/{journey}/{number:\d+}", ground.page),
            web.get("/robots.txt", ground.robots),
        ]
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        for host in range(HOSTS):
            await web.TCPSite(runner, f"127.0.1.{host + 1}", ground.port).start()
            ground.port = runner.addresses[0][1]
        async with open_model_server() as model:
            model.usual = ground.call
            ground.model_url = model.url
            yield ground
    finally:
        await runner.cleanup()
