"""The article that a page describes in JSON-LD. Pure."""

import json
import re
from collections.abc import Iterator
from typing import Any

from lxml.html import HtmlElement

_TYPE = "application/ld+json"
_ARTICLE = re.compile(
    r"Article$|Posting$|^Report$|^Review$|^Recipe$|^TechArticle$|^PodcastEpisode$"
)
_PAGE = re.compile(r"Page$|^VideoObject$|^CreativeWork$")

# From the times when scripts were hidden from browsers; comments around it go with the rest.
_CDATA = ("<![CDATA[", "]]>")
_BEGINNING = re.compile(r"[\[{]")

_MOST_CHARACTERS = 500_000
_DEEPEST = 6

Node = dict[str, Any]


def described_article(page: HtmlElement) -> Node:
    """Return the node that is the article, or else the page; empty if there is neither."""
    nodes = [
        node
        for script in page.iter("script")
        if script.get("type", "").lower().strip() == _TYPE
        for node in _flat(_parsed(script.text or ""), _DEEPEST)
    ]
    for wanted in (_ARTICLE, _PAGE):
        for node in nodes:
            if any(wanted.search(kind) for kind in strings(node.get("@type"))):
                return node
    return {}


def strings(value: object) -> list[str]:
    """Return the text in a value that may be one text or several."""
    several = value if isinstance(value, list) else [value]
    return [" ".join(each.split()) for each in several if isinstance(each, str) and each.strip()]


def names(value: object) -> list[str]:
    """Return the names of one or several things or people."""
    several = value if isinstance(value, list) else [value]
    named = (each.get("name") if isinstance(each, dict) else each for each in several)
    return [name for each in named for name in strings(each)]


def first_url(value: object) -> str:
    """Return the address of one or the first of several images or pages."""
    several = value if isinstance(value, list) else [value]
    for each in several:
        found = each.get("url") or each.get("@id") if isinstance(each, dict) else each
        for url in strings(found):
            return url
    return ""


def _parsed(text: str) -> object:
    if len(text) > _MOST_CHARACTERS:
        return None
    for mark in _CDATA:
        text = text.replace(mark, "")
    begins, ends = _BEGINNING.search(text), max(text.rfind("]"), text.rfind("}"))
    if begins is None:
        return None
    try:
        # Line breaks within strings are wrong, and common.
        return json.loads(text[begins.start() : ends + 1], strict=False)
    except (ValueError, RecursionError):
        return None


def _flat(value: object, deep: int) -> Iterator[Node]:
    if not deep:
        return
    if isinstance(value, list):
        for each in value:
            yield from _flat(each, deep - 1)
    elif isinstance(value, dict):
        yield value
        for key in ("@graph", "mainEntity", "mainEntityOfPage"):
            yield from _flat(value.get(key), deep - 1)
