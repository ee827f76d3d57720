"""The feeds that a web page names. Pure, and run in a process of its own: pages are hostile."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from urllib.parse import urldefrag, urljoin, urlsplit

from lxml import etree

from feedmill.models.feeds import FeedLink
from feedmill.web.charsets import decode_text
from feedmill.web.plain import shorten, storable
from feedmill_ingestion.discovery_looks import (
    calls_itself_feed,
    is_about_comments,
    is_elsewhere,
    is_feed_type,
    looks_like_feed,
)

_PAGE_CHARACTERS = 4_000_000
_MOST_LINKS = 500
_MOST_ANCHORS = 5_000
_MOST_FEEDS = 30

_URL_CHARACTERS = 2_000
_TITLE_CHARACTERS = 200
_TYPE_CHARACTERS = 100
_TEXT_PIECES = 20

# Types that feeds are given by mistake, and other things by right.
_VAGUE_TYPES = frozenset({"", "text/xml", "application/xml", "application/json", "text/html"})

# Schemes by which pages once called a reader: in front of `//host/…`, or of a whole address.
_READER_SCHEME = re.compile(r"(?:feed|itpc|pcast|podcast):(?=//|https?:)", re.IGNORECASE)


class _Found(NamedTuple):
    """A candidate; the smallest is the best."""

    is_about_comments: bool
    # Declared as a feed, or a link that looks like one, or one that only says it leads to one.
    rank: int
    is_elsewhere: bool
    is_json: bool
    order: int
    link: FeedLink


def find_feeds(body: bytes | str, *, url: str, charset: str | None = None) -> tuple[FeedLink, ...]:
    """Return the feeds that a page names, the most likely one first, at most 30.

    What the page declares comes before links that look like feeds, the site's own before others',
    and its articles before their comments. Otherwise the page's order stands.

    Parameters
    ----------
    url
        Where the page was found: relative links start there, unless it says otherwise.
    charset
        From the HTTP header, if it names one.
    """
    text = body if isinstance(body, str) else decode_text(body, charset)
    page = _parsed(storable(text[:_PAGE_CHARACTERS]))
    if page is None:
        return ()
    base = _base(page, url)
    found = sorted([*_declared(page, base, url), *_linked(page, base, url)])
    first = {each.link.url: each.link for each in reversed(found)}
    return tuple(reversed(first.values()))[:_MOST_FEEDS]


def _parsed(text: str) -> etree._Element | None:
    # Without `huge_tree` the library itself bounds depth and the size of texts.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        page: etree._Element | None = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        return None
    return page


def _base(page: etree._Element, url: str) -> str:
    for element in islice(page.iter("base"), _MOST_LINKS):
        if element.get("href"):
            return _address(element.get("href", ""), url) or url
    return url


def _declared(page: etree._Element, base: str, url: str) -> Iterator[_Found]:
    for order, element in enumerate(islice(page.iter("link"), _MOST_LINKS)):
        address = _address(element.get("href", ""), base)
        media_type = _media_type(element)
        if address is not None and _is_declared(element.get("rel", ""), media_type, address):
            link = FeedLink(url=address, title=_title(element), media_type=media_type)
            yield _candidate(link, url, rank=0, order=order)


def _is_declared(rel: str, media_type: str, address: str) -> bool:
    relations = rel.lower().split()
    if "feed" in relations:
        return is_feed_type(media_type) or media_type in _VAGUE_TYPES
    if "alternate" not in relations:
        return False
    return is_feed_type(media_type) or (media_type in _VAGUE_TYPES and looks_like_feed(address))


def _linked(page: etree._Element, base: str, url: str) -> Iterator[_Found]:
    for order, element in enumerate(islice(page.iter("a"), _MOST_ANCHORS)):
        address = _address(element.get("href", ""), base)
        if address is None or address == url:
            continue
        title = _title(element) or _text(element)
        link = FeedLink(url=address, title=title, media_type=_media_type(element))
        if looks_like_feed(address):
            yield _candidate(link, url, rank=1, order=order)
        elif calls_itself_feed(title) and not is_elsewhere(address, url):
            yield _candidate(link, url, rank=2, order=order)


def _candidate(link: FeedLink, url: str, *, rank: int, order: int) -> _Found:
    return _Found(
        is_about_comments=is_about_comments(link),
        rank=rank,
        is_elsewhere=is_elsewhere(link.url, url),
        is_json="json" in link.media_type,
        order=order,
        link=link,
    )


def _address(href: str, base: str) -> str | None:
    # Browsers escape the spaces that pages forget to.
    raw = href.strip().replace(" ", "%20")
    if not raw or len(raw) > _URL_CHARACTERS:
        return None
    try:
        address = urldefrag(urljoin(base, _READER_SCHEME.sub("", raw, count=1))).url
        scheme, host = urlsplit(address)[:2]
    except ValueError:
        return None
    usable = scheme in {"http", "https"} and host and len(address) <= _URL_CHARACTERS
    return address if usable else None


def _media_type(element: etree._Element) -> str:
    named = element.get("type", "").partition(";")[0].strip().lower()
    return named if named.isascii() and len(named) <= _TYPE_CHARACTERS else ""


def _title(element: etree._Element) -> str:
    return _line(element.get("title", ""))


def _text(element: etree._Element) -> str:
    pieces = islice(element.itertext(), _TEXT_PIECES)
    return _line(" ".join(str(piece[:_TITLE_CHARACTERS]) for piece in pieces))


def _line(text: str) -> str:
    return shorten(" ".join(text[: 2 * _TITLE_CHARACTERS].split()), _TITLE_CHARACTERS)
