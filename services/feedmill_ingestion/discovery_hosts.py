"""The feeds of a page on a common host, by its address alone. Pure; nothing is asked."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit

from feedmill.models.feeds import FeedLink
from feedmill_ingestion.discovery_looks import asks_for_feed
from feedmill_ingestion.discovery_rules import GROUPS, KINDS, RESERVED, RULES, Rule

# Other doors to the same house.
_DOORS = ("www.", "m.", "old.", "new.", "np.")
# Where a host's users have sites, these are its own.
_OWN_SITES = frozenset({"about", "api", "blog", "help", "status", "support", "www"})
_URL_CHARACTERS = 2_000

_KIND_OF_PAGE = re.compile(r"(?P<host>[^/]+)(?P<path>/[^?]*)(?:\?(?P<parameter>\w+)=\{\w+\})?")
_NAME = re.compile(r"\{(\w+)\}")
_BELOW = "/**"
# Anything but what is a feed itself.
_ANYTHING_BELOW = r"(?:/(?!(?:atom|feeds?|rss)(?:/|$))[^/]*)*"
_FEED_FILE = re.compile(r"\.(?:atom|gne|rdf|rss|xml)/?$", re.IGNORECASE)


class _Page(NamedTuple):
    """A rule, ready to be compared with addresses on one host."""

    path: re.Pattern[str]
    parameter: str | None
    reserved: frozenset[str]
    rule: Rule


def known_feeds(url: str) -> tuple[FeedLink, ...]:
    """Return the feeds of a page, the main one first, if its host is a common one.

    The address of a feed has none: it is meant itself.

    Parameters
    ----------
    url
        As `check_url` returns it.
    """
    parts = urlsplit(url)
    is_feed = _FEED_FILE.search(parts.path) or asks_for_feed(parts.query)
    if is_feed or len(url) > _URL_CHARACTERS:
        return ()
    host = _house(parts.hostname or "")
    return tuple(_links(host, parts.path, parts.query))


def _links(host: str, path: str, query: str) -> Iterator[FeedLink]:
    for page in _pages_on(host):
        names = _names(page, path, query)
        if names is not None:
            known = {"host": host, "site": host.partition(".")[0], **names}
            yield FeedLink(url=_filled(page.rule.feed, known), title=page.rule.title)


def _house(host: str) -> str:
    inside = (host.removeprefix(door) for door in _DOORS)
    return next((each for each in inside if each in _pages()), host)


def _pages_on(host: str) -> Sequence[_Page]:
    site, _, domain = host.partition(".")
    if host in _pages() or site in _OWN_SITES:
        return _pages().get(host, ())
    return _pages().get(f"*.{domain}", ())


@cache
def _pages() -> Mapping[str, Sequence[_Page]]:
    """Return all rules, by host."""
    pages = defaultdict(list)
    for rule in RULES:
        parts = _KIND_OF_PAGE.fullmatch(rule.page)
        if parts is None:
            raise ValueError(f"no kind of page: {rule.page}")
        owner, path = parts["host"].strip("<>"), parts["path"]
        # Where users' names come first in a path, some of what stands there is nobody's name.
        reserved = RESERVED.get(owner, frozenset()) if path.startswith("/{") else frozenset()
        page = _Page(_pattern(path), parts["parameter"], reserved, rule)
        for host in GROUPS.get(owner, (owner,)):
            pages[host].append(page)
    return dict(pages)


def _pattern(path: str) -> re.Pattern[str]:
    pieces = _NAME.split(path.removesuffix(_BELOW).rstrip("/"))
    # Every second piece is a name.
    named = "".join(
        f"(?P<{piece}>{KINDS.get(piece, '[^/]+')})" if index % 2 else re.escape(piece)
        for index, piece in enumerate(pieces)
    )
    return re.compile(f"{named}{_ANYTHING_BELOW if path.endswith(_BELOW) else ''}/?")


def _names(page: _Page, path: str, query: str) -> dict[str, str] | None:
    """Return what the parts of an address are called, None if it is not of this kind."""
    match = page.path.fullmatch(path)
    if match is None or path.strip("/").partition("/")[0].lower() in page.reserved:
        return None
    if page.parameter is None:
        return match.groupdict()
    values = parse_qs(query).get(page.parameter)
    return {page.parameter: quote(values[0], safe="")} if values else None


def _filled(template: str, names: Mapping[str, str]) -> str:
    path, mark, query = template.partition("?")
    # What was one part of a path must not become several parameters.
    quoted = {name: quote(unquote(value), safe="") for name, value in names.items()}
    return path.format_map(names) + mark + query.format_map(quoted)
