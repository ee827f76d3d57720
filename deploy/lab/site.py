"""A site on an internet of our own, and a language model: run inside a container, on ports 80 and 8080.

`/feed/NAME/COUNT` shows COUNT entries with an article each; every page takes `SITE_SECONDS`.
"""

import asyncio
import json
import os
import time
from email.utils import formatdate
from math import ceil
from xml.sax.saxutils import escape
from zlib import crc32

from aiohttp import web

from support.model_server import ModelServer

PORTS = (80, 443, 8080)
_SECONDS = float(os.environ.get("SITE_SECONDS", "0.1"))
_SENTENCES = (
    "The {name} mill of number {n} was built beside the river in the year {year}.",
    "It grinds {kilos} kilograms of grain a day, and its miller sleeps very little.",
    "Visitors may see the wheel from the bridge, where {n} benches have been put up.",
    "The council of {name} paid {kilos} crowns for a new roof after the flood of {year}.",
    "Its archive holds {n} letters, most of them about the price of flour and the weather.",
    "Those who come by boat land at pier {n}, which has been open again since {year}.",
)
_SHELL = """<noscript>Please enable JavaScript.</noscript><div id="root"></div>
<script>document.getElementById("root").innerHTML = {markup}</script>"""


async def feed(request: web.Request) -> web.Response:
    """Show a feed of as many entries as its address says."""
    name, count = request.match_info["name"], int(request.match_info["count"])
    # Dates are whole seconds: the next one is certainly after somebody began to follow.
    published = formatdate(ceil(time.time()), usegmt=True)
    items = "".join(
        f"<item><title>Mill {n} of {escape(name)}</title><guid>{name}-{n}</guid>"
        f"<link>{request.url.origin()}/article/{name}/{n}</link>"
        f"<pubDate>{published}</pubDate></item>"
        for n in range(count)
    )
    text = f'<rss version="2.0"><channel><title>{escape(name)}</title>{items}</channel></rss>'
    return web.Response(text=text, content_type="application/rss+xml")


async def article(request: web.Request) -> web.Response:
    """Show an article that is like no other; those of `shells` are written by a script."""
    await asyncio.sleep(_SECONDS)
    name, number = request.match_info["name"], int(request.match_info["number"])
    shown = _article(name, number)
    if name == "shells":
        shown = _SHELL.format(markup=json.dumps(shown))
    text = f"<html lang=en><head><title>Mill {number} of {name}</title></head><body>{shown}</body></html>"
    return web.Response(text=text, content_type="text/html")


def _article(name: str, number: int) -> str:
    # No figure of it stands in an article of another feed.
    own = 1_000 * (crc32(name.encode()) % 1_000) + number
    told = {"name": name.title(), "n": own + 3, "year": 1000 + own % 1_000, "kilos": 500 + 7 * own}
    paragraphs = "".join(
        f"<p>{' '.join(sentence.format(**told) for sentence in _SENTENCES[i : i + 3])}</p>"
        for i in (0, 3, 1, 2)
    )
    return f"<article><h1>Mill {number} of {name}</h1>{paragraphs}</article>"


async def robots(_: web.Request) -> web.Response:
    return web.Response(text="User-agent: *\nAllow: /\n")


async def serve() -> None:
    app = web.Application()
    app.add_routes(
        [
            web.get("/robots.txt", robots),
            web.get("/feed/{name}/{count}", feed),
            web.get("/article/{name}/{number}", article),
            web.post("/v1/chat/completions", ModelServer().answer),
        ]
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for port in PORTS:
        await web.TCPSite(runner, "0.0.0.0", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve())
