"""`link` elements, which RSS writes as text and Atom as attributes, and who else links. Pure."""

from typing import NamedTuple
from urllib.parse import urljoin

from lxml import etree

from feedmill_ingestion.texts import text_of

_PAGES = frozenset({"text/html", "application/xhtml+xml", "html", "xhtml"})


class Link(NamedTuple):
    """`rel` is "" for a link to the page itself, and "alternate" for another form of it."""

    rel: str
    url: str


def link_of(element: etree._Element) -> Link:
    """Return where a `link` leads, and what that is to the page it is a link of."""
    href = element.get("href") or element.get("url") or element.get("uri")
    if href is None:
        return Link("", resolved(text_of(element), element))
    rel = element.get("rel", "alternate").strip().lower()
    is_page = element.get("type", "text/html").strip().lower() in _PAGES
    return Link("" if rel == "alternate" and is_page else rel, resolved(href, element))


def resolved(url: str, element: etree._Element) -> str:
    """Return the URL as `xml:base` means it; where nothing says what it is relative to, as it is."""
    base = element.base
    if not url or not base:
        return url
    try:
        return urljoin(base, url)
    except ValueError:
        return url
