"""What we and others make of pages and feeds, in the form in which the corpus's scorer asks for it.

    ../shared/corpus/score.py --kind feed --call tests.corpus_adapters:feed
    ../shared/corpus/score.py --kind article --call tests.corpus_adapters:article

What a feed says is scored before our rules for identity, addresses and dates apply: the corpus
knows no address that relative links could start from, and no time.
"""

import re
import time
from datetime import datetime
from typing import Any

import feedparser
import trafilatura
from lxml.html import fromstring
from readability import Document

from feedmill_fetch.extraction import examine
from feedmill_fetch.lines import lines_of
from feedmill_ingestion.parsing import FeedUnreadable, read_feed
from feedmill_ingestion.snapshots import title_line

_PLAYER = re.compile(r'<a href="([^"]*)" class="embed"[^>]*>[^<]*</a>')


def article(html: str, url: str) -> str:
    """Return `Content.text`."""
    content = examine(html.encode(), charset="utf-8", url=url).content
    return "" if content is None else content.text


def clean_html(html: str, url: str) -> str:
    """Return `Content.html`, with players as the frames that the scorer counts.

    Ours are links, because nothing is to play by itself; their text is ours too, and left out.
    """
    content = examine(html.encode(), charset="utf-8", url=url).content
    return "" if content is None else _PLAYER.sub(r'<iframe src="\1"></iframe>', content.html)


def article_by_trafilatura(html: str, url: str) -> str:
    return trafilatura.extract(html, url=url, include_comments=False) or ""


def article_by_readability(html: str, url: str) -> str:
    lines = lines_of(fromstring(clean_html_by_readability(html, url)))
    return "\n".join(line.text for line in lines)


def clean_html_by_readability(html: str, url: str) -> str:
    return str(Document(html, url=url).summary(html_partial=True))


def feed(data: bytes) -> dict[str, Any]:
    shown = read_feed(data)
    if isinstance(shown, FeedUnreadable):
        return {"title": None, "link": None, "entries": []}
    return {
        "title": title_line(shown.title),
        "link": shown.link,
        "entries": [
            {
                "title": title_line(entry.title),
                "link": entry.link,
                "id": entry.guid,
                "published": _written(*entry.dates[:1]),
            }
            for entry in shown.entries
        ],
    }


def feed_by_feedparser(data: bytes) -> dict[str, Any]:
    parsed = feedparser.parse(data)
    return {
        "title": parsed.feed.get("title"),
        "link": parsed.feed.get("link"),
        "id": parsed.feed.get("id"),
        "entries": [
            {
                "title": entry.get("title"),
                "link": entry.get("link"),
                "id": entry.get("id"),
                "published": _date_by_feedparser(entry),
            }
            for entry in parsed.entries
        ],
    }


def _written(date: datetime | None = None) -> str | None:
    return None if date is None else date.strftime("%Y-%m-%dT%H:%M:%SZ")


def _date_by_feedparser(entry: Any) -> str | None:
    # Past its look-up, which gives one date for another with a warning.
    dates = (dict.get(entry, f"{name}_parsed") for name in ("published", "updated", "created"))
    date = next((date for date in dates if date), None)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", date) if date else None
