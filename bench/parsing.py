"""What it costs to read a feed: in our process, in the parser's, and on the way between. See README.md."""

import argparse
import asyncio
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import feedparser
import uvloop

from feedmill.isolation import open_pool
from feedmill_ingestion.parsing import parse_feed, read_feed

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
URL = "https://site.example/feed"
ROUNDS = 5

TEXT = (
    "<p>The harbour lamps were lit at <b>dusk</b>, and the <a href='/ledger?a=1&amp;b=2'>ledger</a> "
    "names &ldquo;twelve&rdquo; boats, each by its own mark. The keeper wrote that the fog came "
    "early; nobody was surprised.</p><p>A second paragraph has an <img src='/lamp.png' alt=''/> in "
    "it and enough words to fill the space that feeds usually fill &mdash; a few hundred characters "
    "of a summary that somebody else cut off.</p><ul><li>One</li><li>Two</li></ul>"
    "<p>It ends with a link to <a href='/more'>the rest of the story</a>.</p>"
)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--entries", type=int, default=20)
    arguments.add_argument("--feeds", type=int, default=300)
    options = arguments.parse_args()
    body = feed(options.entries)
    print(f"{options.entries} entries, {len(body)} bytes; CPU milliseconds per feed")
    for name, read in readers(body).items():
        print(f"{name:36} {best(read, options.feeds // ROUNDS):8.2f}")
    parent, child = uvloop.run(through_the_pool(body, options.feeds))
    print(f"{'through the pool: this process':36} {parent:8.2f}")
    print(f"{'through the pool: the parser':36} {child:8.2f}")


def feed(entries: int) -> bytes:
    shown = "".join(entry(number) for number in range(entries))
    return (
        "<?xml version='1.0' encoding='utf-8'?><rss version='2.0' "
        "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>The Harbour</title>"
        f"<link>https://site.example/</link><ttl>60</ttl>{shown}</channel></rss>"
    ).encode()


def entry(number: int) -> str:
    date = (NOW - timedelta(hours=7 * number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"<item><title>Entry {number} &amp; what became of it</title><pubDate>{date}</pubDate>"
        f"<link>https://site.example/{number}</link><guid isPermaLink='false'>{number}</guid>"
        f"<dc:creator>A. Keeper</dc:creator><description><![CDATA[{TEXT}]]></description></item>"
    )


def readers(body: bytes) -> dict[str, Callable[[], object]]:
    return {
        "feedparser": lambda: feedparser.parse(io.BytesIO(body)),
        "feedparser, text as it is": lambda: feedparser.parse(
            io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False
        ),
        "our reader": lambda: read_feed(body),
        "our reader, and the snapshot": lambda: parse_feed(body, charset=None, url=URL, now=NOW),
    }


def best(work: Callable[[], object], times: int) -> float:
    """Return the milliseconds of the quickest round: the others were disturbed."""
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(times):
            work()
        rounds.append((time.process_time() - started) / times * 1_000)
    return min(rounds)


async def through_the_pool(body: bytes, feeds: int) -> tuple[float, float]:
    async with open_pool(1) as pool:
        # The first call starts the process.
        await pool.run(60, parse_feed, body, charset=None, url=URL, now=NOW)
        child_started, started = await pool.run(60, time.process_time), time.process_time()
        for _ in range(feeds // 10):
            calls = (
                pool.run(60, parse_feed, body, charset=None, url=URL, now=NOW) for _ in range(10)
            )
            await asyncio.gather(*calls)
        parent = time.process_time() - started
        child = await pool.run(60, time.process_time) - child_started
        return parent / feeds * 1_000, child / feeds * 1_000


if __name__ == "__main__":
    main()
