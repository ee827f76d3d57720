"""A body as a feed, whatever its format; or why it is none. Pure, and run in a process of its own."""

from datetime import datetime

from feedmill.models.feeds import FeedSnapshot
from feedmill.models.outcomes import Reason
from feedmill.web.charsets import decode_text
from feedmill_ingestion.json_feed import read_json_feed
from feedmill_ingestion.reference import read_with_feedparser
from feedmill_ingestion.shown import FeedUnreadable, ShownFeed
from feedmill_ingestion.snapshots import snapshot
from feedmill_ingestion.xml_documents import (
    FEED_ROOTS,
    DocumentRefusedError,
    is_page,
    parse_with_slips,
    parse_xml,
    repaired,
    root_of,
    whole,
)
from feedmill_ingestion.xml_feed import read_xml_feed

__all__ = ["PAGE", "PARSER", "FeedUnreadable", "parse_feed", "read_feed"]

# Raised whenever more can be read than before: what was refused then is worth another look.
PARSER = "2"
PAGE = "an HTML page"
# Of what a site's document begins with, as people read it.
_NAME_CHARACTERS = 50


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
    shown = read_feed(body, charset)
    return snapshot(shown, url=url, now=now) if isinstance(shown, ShownFeed) else shown


def read_feed(body: bytes, charset: str | None = None) -> ShownFeed | FeedUnreadable:
    """Return what a document says, before anything of it is resolved, bounded or cleaned."""
    if body.startswith(b"%PDF"):
        return _no_feed("a PDF document")
    text = decode_text(body, charset).lstrip("\ufeff \t\r\n\x00")
    if not text:
        return _no_feed("an empty document")
    if text.startswith(("{", "[")):
        return read_json_feed(text)
    try:
        return _read_xml(text)
    except DocumentRefusedError as error:
        return FeedUnreadable(reason=Reason.PARSER_FAILED, detail=str(error))


def _read_xml(text: str) -> ShownFeed | FeedUnreadable:
    start, root = root_of(text)
    if is_page(text[:start], root):
        return _no_feed(PAGE)
    if root not in FEED_ROOTS:
        return _no_feed(
            f"a document that starts with <{root:.{_NAME_CHARACTERS}}>" if root else "no XML"
        )
    document = text[start:]
    tree = parse_xml(document)
    if tree is None:
        complete = whole(document, root)
        if complete is None:
            return FeedUnreadable(reason=Reason.TRUNCATED, detail=f"the <{root}> has no end")
        document = repaired(complete)
        tree = parse_with_slips(document)
    shown = read_xml_feed(tree) if tree is not None else None
    return shown or read_with_feedparser(document) or _no_feed(f"an empty <{root}>")


def _no_feed(what: str) -> FeedUnreadable:
    return FeedUnreadable(reason=Reason.NOT_A_FEED, detail=what)
