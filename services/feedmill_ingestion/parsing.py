"""A body as a feed, whatever its format; or why it is none. Pure, and run in a process of its own."""

import calendar
import io
import re
import time
from datetime import UTC, datetime
from html.entities import html5
from typing import Any
from xml.sax.saxutils import escape

import feedparser

from feedmill.models.base import Model
from feedmill.models.feeds import FeedSnapshot
from feedmill.models.outcomes import Reason
from feedmill.web.charsets import decode_text
from feedmill.web.plain import storable
from feedmill_ingestion.json_feed import read_json_feed
from feedmill_ingestion.snapshots import ShownEntry, Text, snapshot

# Raised whenever more can be read than before: what was refused then is worth another look.
PARSER = "2"
PAGE = "an HTML page"

_ROOTS = frozenset({"rss", "feed", "rdf", "channel"})

_BEFORE_ROOT = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_DOCTYPE = re.compile(r"<!doctype[^>\[]*(?:\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_TAG = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")

_CDATA = re.compile(r"(<!\[CDATA\[.*?\]\]>)", re.DOTALL)
_ENTITY = re.compile(
    r"&(?!#[0-9]+;|#x[0-9a-f]+;|(?:amp|lt|gt|quot|apos);)([a-z][a-z0-9]*;)?", re.IGNORECASE
)

# Halves of a UTF-16 pair, each escaped by itself: an emoji, by a generator that knows no better.
_HALVES = re.compile(
    r"(?:&#(?:x0*d[89a-f][0-9a-f]{2}|0*5(?:529[6-9]|5[3-9]\d\d|[67]\d{3}));)+", re.IGNORECASE
)
_NUMBER = re.compile(r"#(x?[0-9a-f]+)")

# In the order of what they mean: published, else changed, else written.
_DATES = ("published_parsed", "updated_parsed", "created_parsed")


class FeedUnreadable(Model):
    """The body gave no feed."""

    reason: Reason
    detail: str


def parse_feed(
    body: bytes, *, charset: str | None, url: str, now: datetime
) -> FeedSnapshot | FeedUnreadable:
    """Read RSS, Atom, RDF or JSON Feed.

    Parameters
    ----------
    charset
        From the HTTP header, if it names one.
    url
        Where the body was found: relative links start there.
    now
        Dates later than tomorrow are dropped.
    """
    if body.startswith(b"%PDF"):
        return _no_feed("a PDF document")
    text = storable(decode_text(body, charset)).lstrip("\ufeff \t\r\n")
    if not text:
        return _no_feed("an empty document")
    if text.startswith(("{", "[")):
        read = read_json_feed(text, url, now)
        return _no_feed(read) if isinstance(read, str) else read
    return _parse_xml(text, url, now)


def _parse_xml(text: str, url: str, now: datetime) -> FeedSnapshot | FeedUnreadable:
    text = _without_doctype(text)
    root = _root(text)
    if root == "html":
        return _no_feed(PAGE)
    if root in _ROOTS and not re.search(rf"</(?:[\w.-]+:)?{root}\s*>|/>\s*$", text, re.IGNORECASE):
        return FeedUnreadable(reason=Reason.TRUNCATED, detail=f"the <{root}> has no end")
    parsed = feedparser.parse(
        io.BytesIO(_repaired(text).encode()),
        # No location: identities must not change when a feed moves, so nothing is resolved there.
        response_headers={"content-type": "application/xml; charset=utf-8"},
        resolve_relative_uris=False,
        sanitize_html=False,
    )
    if not parsed.version and not parsed.entries:
        return _no_feed(f"a document that starts with <{root}>" if root else "no XML")
    return snapshot(
        title=_marked(parsed.feed, "title"),
        site_link=parsed.feed.get("link", ""),
        shown=[_shown(entry) for entry in parsed.entries],
        url=url,
        now=now,
    )


def _without_doctype(text: str) -> str:
    """Leave out the one place where entities could be defined: none expands, none is fetched."""
    start = _BEFORE_ROOT.match(text)
    at = start.end() if start else 0
    doctype = _DOCTYPE.match(text, at)
    if doctype is None:
        return text
    is_html = doctype[0].lower().startswith("<!doctype html")
    return "<html>" if is_html else text[:at] + text[doctype.end() :]


def _repaired(text: str) -> str:
    """Replace the entities that XML does not know, and the `&` that begin none: "AT&T &eacute;"."""
    parts = _CDATA.split(text)
    # Every second part is a CDATA section, in which nothing is an entity.
    return "".join(
        part if index % 2 else _ENTITY.sub(_known_to_xml, _HALVES.sub(_joined, part))
        for index, part in enumerate(parts)
    )


def _known_to_xml(entity: re.Match[str]) -> str:
    character = html5.get(entity[1] or "")
    return f"&amp;{entity[1] or ''}" if character is None else escape(character)


def _joined(halves: re.Match[str]) -> str:
    digits = _NUMBER.findall(halves[0].lower())
    units = "".join(chr(int(each[1:], 16) if each[0] == "x" else int(each)) for each in digits)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")


def _root(text: str) -> str | None:
    start = _BEFORE_ROOT.match(text)
    found = _TAG.match(text, start.end() if start else 0)
    return found[1].lower() if found else None


def _shown(entry: Any) -> ShownEntry:
    # Past feedparser's own look-up, which gives one date for another, with a warning each time.
    dates = (_date(dict.get(entry, name)) for name in _DATES)
    contents = [
        Text(text=part.get("value", ""), is_markup=_is_markup(part))
        for part in entry.get("content", [])
    ]
    return ShownEntry(
        guid=entry.get("id", ""),
        link=_entry_link(entry),
        title=_marked(entry, "title"),
        author=entry.get("author", ""),
        dates=tuple(date for date in dates if date is not None),
        texts=(_marked(entry, "summary"), *contents),
    )


def _entry_link(entry: Any) -> str:
    link: str = entry.get("link", "")
    # RSS takes a guid for a link unless told otherwise; one that is no URL was never meant as one.
    return "" if link == entry.get("id") and "://" not in link else link


def _marked(fields: Any, name: str) -> Text:
    return Text(text=fields.get(name, ""), is_markup=_is_markup(fields.get(f"{name}_detail", {})))


def _is_markup(detail: Any) -> bool:
    return bool(detail.get("type", "text/html") != "text/plain")


def _date(parsed: time.struct_time | None) -> datetime | None:
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _no_feed(what: str) -> FeedUnreadable:
    return FeedUnreadable(reason=Reason.NOT_A_FEED, detail=what)
