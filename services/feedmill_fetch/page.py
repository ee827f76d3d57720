"""A page as a tree. Pure."""

import re
from collections.abc import Callable
from typing import cast

from lxml.etree import ParserError, SubElement, XPath
from lxml.html import HtmlElement, HTMLParser, document_fromstring, tostring

from feedmill.web.plain import storable
from feedmill_fetch.urls import absolute_url

# Where scripts look for the picture when they replace the placeholder in `src`.
_LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original", "data-url")
_LAZY_SOURCE_SETS = ("data-srcset", "data-lazy-srcset")
_PLACEHOLDER = re.compile(
    r"^data:|blank|placeholder|spacer|pixel|lazy|loading|loader|transparent|grey|gray|1x1",
    re.IGNORECASE,
)

_OF_HEAD = frozenset({
    "base", "basefont", "bgsound", "link", "meta", "noscript", "object", "script", "style",
    "template", "title",
})  # fmt: skip

# Parsers compare each attribute with all before it.
_HUGE_TAG = re.compile(r"<([a-zA-Z][a-zA-Z0-9]*)\s[^<>]{500000,}")

# By their numbers, the characters that no tree takes and no store keeps.
_UNSTORABLE = re.compile(
    r"&#(?:0{0,9}(?:[0-8]|1[124-9]|2\d|3[01]|127|6553[45])(?!\d)"
    r"|x0{0,9}(?:[0-8bcef]|1[\da-f]|7f|fff[ef])(?![\da-f]));?",
    re.IGNORECASE,
)

# A little less than where the parser stops to go deeper.
_DEEP = 250

# The stubs know only what XPath in general gives.
_IS_DEEP = cast("Callable[[HtmlElement], bool]", XPath(f"boolean({'/*' * _DEEP})"))
_ELEMENTS = cast("Callable[[HtmlElement], float]", XPath("count(//*)"))


def without_huge_tags(text: str) -> str:
    """Return a page without the attributes of elements that have more of them than a parser can bear."""
    return _HUGE_TAG.sub(r"<\1", text)


def parse(text: str) -> HtmlElement | None:
    """Return the root of a page's tree; None when nothing is on the page."""
    # The parser is ours, so that no page decides how it is read.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    try:
        plain = _UNSTORABLE.sub("", storable(text))
        page = document_fromstring(plain.encode(), parser=parser)
    except ParserError:
        return None
    _settle_head(page)
    if page.find("body") is None:
        return None
    for image in page.iter("img", "source"):
        _wake(image)
    return page


def as_source(page: HtmlElement) -> str:
    """Return a tree as text, for whoever needs it so."""
    source: str = tostring(page, encoding="unicode")
    return source


def size_of(page: HtmlElement) -> int:
    """Return how many elements a page has."""
    return int(_ELEMENTS(page))


def is_deep(page: HtmlElement) -> bool:
    """Tell whether elements nest deeper than on any page that people made."""
    return _IS_DEEP(page)


def base_of(page: HtmlElement, url: str) -> str:
    """Return where the page's relative links start."""
    declared = page.find(".//base[@href]")
    return url if declared is None else absolute_url(declared.get("href", ""), url) or url


def _settle_head(page: HtmlElement) -> None:
    """Move to the body what the parser, which knows no `article` or `main`, left in the head.

    It does so where a page leaves out the tags of both, as it may.
    """
    head = page.find("head")
    strays = [] if head is None else [node for node in head if node.tag not in _OF_HEAD]
    if not strays:
        return
    body = page.find("body")
    if body is None:
        body = SubElement(page, "body")
    strays[-1].tail = (strays[-1].tail or "") + (body.text or "")
    body.text = None
    body[:0] = strays


def _wake(image: HtmlElement) -> None:
    shown = image.get("src", "")
    if not shown or _PLACEHOLDER.search(shown):
        _take(image, "src", _LAZY_SOURCES)
    if not image.get("srcset"):
        _take(image, "srcset", _LAZY_SOURCE_SETS)


def _take(image: HtmlElement, target: str, sources: tuple[str, ...]) -> None:
    found = next(filter(None, map(image.get, sources)), None)
    if found:
        image.set(target, found)
