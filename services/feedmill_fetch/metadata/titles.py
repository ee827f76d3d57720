"""The headline in a page's title, which names the site as well. Pure."""

import re

from lxml.html import HtmlElement

from feedmill_fetch.reader.nodes import inner_text

_SEPARATOR = re.compile(r" [|\-\u2013\u2014\\/>»] ")
_HIERARCHY = re.compile(r" [\\/>»] ")
_FIRST_PART = re.compile(r"^[^|\-\u2013\u2014\\/>»]*[|\-\u2013\u2014\\/>»]")
_SEPARATORS = re.compile(r"[|\-\u2013\u2014\\/>»]+")

_LONGEST, _SHORTEST = 150, 15
_FEW_WORDS = 4
_LEAST_WORDS = 3
_MANY_WORDS_BEFORE_COLON = 5


def headline(page: HtmlElement) -> str:
    """Return the headline by the page's `<title>`, without the site's name where that can be told."""
    whole = " ".join((page.findtext(".//title") or "").split())
    shorter = _shortened(page, whole)
    few = _count(shorter) <= _FEW_WORDS
    dropped_one = _count(shorter) == _count(_SEPARATORS.sub("", whole)) - 1
    if few and not (_HIERARCHY.search(whole) and dropped_one):
        return whole
    return shorter


def _shortened(page: HtmlElement, title: str) -> str:
    separators = list(_SEPARATOR.finditer(title))
    if separators:
        before = title[: separators[-1].start()]
        # What is left is too short to be anything but the site's name.
        return (before if _count(before) >= _LEAST_WORDS else _FIRST_PART.sub("", title)).strip()
    if ": " in title:
        return _after_colon(page, title)
    if not _SHORTEST <= len(title) <= _LONGEST:
        headings = page.findall(".//h1")
        if len(headings) == 1:
            return inner_text(headings[0])
    return title


def _after_colon(page: HtmlElement, title: str) -> str:
    if any(inner_text(heading) == title for heading in page.iter("h1", "h2")):
        return title
    after = title.rsplit(":", 1)[1]
    if _count(after) < _LEAST_WORDS:
        return title.split(":", 1)[1].strip()
    if _count(title.split(":", 1)[0]) > _MANY_WORDS_BEFORE_COLON:
        return title
    return after.strip()


def _count(text: str) -> int:
    return len(text.split())
