"""What reading a page asks of its tree, in lxml's terms: text hangs on the element before it. Pure."""

from collections.abc import Callable
from itertools import islice
from typing import cast

from lxml.etree import XPath
from lxml.html import HtmlElement

# The stubs know only what XPath in general gives.
_STRING = cast("Callable[[HtmlElement], str]", XPath("string()", smart_strings=False))

BLOCKS = frozenset({"blockquote", "div", "dl", "img", "ol", "p", "pre", "table", "ul"})
"""What no paragraph holds. (An image is as large as one.)"""

EMBEDS = ("embed", "iframe", "object")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")

_PHRASING = frozenset({
    "abbr", "audio", "b", "bdo", "br", "button", "cite", "code", "data", "datalist", "dfn", "em",
    "embed", "i", "img", "input", "kbd", "label", "mark", "math", "meter", "noscript", "object",
    "output", "progress", "q", "ruby", "samp", "script", "select", "small", "span", "strong", "sub",
    "sup", "textarea", "time", "var", "wbr",
})  # fmt: skip
_PHRASING_IF_ALL_IN_IT_IS = frozenset({"a", "del", "ins"})

# A link within the page is a footnote or a table of contents: less of a sign than others.
_ANCHOR_SHARE = 0.3


def text_of(node: HtmlElement) -> str:
    """Return all text within a node, as it stands there."""
    return _STRING(node)


def inner_text(node: HtmlElement) -> str:
    """Return all text within a node, with single spaces."""
    return " ".join(text_of(node).split())


def is_blank(text: str | None) -> bool:
    return not text or text.isspace()


def has_text(node: HtmlElement) -> bool:
    return any(not text.isspace() for text in node.itertext())


def remove(node: HtmlElement) -> None:
    """Take a node out of its tree, and leave there what follows it."""
    parent = node.getparent()
    if parent is None:
        return
    if node.tail:
        before = node.getprevious()
        if before is None:
            parent.text = (parent.text or "") + node.tail
        else:
            before.tail = (before.tail or "") + node.tail
        node.tail = None
    parent.remove(node)


def replace(node: HtmlElement, other: HtmlElement) -> None:
    """Put another node where this one is, and leave there what follows it."""
    parent = node.getparent()
    if parent is not None:
        other.tail, node.tail = node.tail, None
        parent.replace(node, other)


def only_child(node: HtmlElement, tag: str) -> HtmlElement | None:
    """Return the one child of a node that has no text of its own, if it is such a one."""
    if len(node) != 1 or node[0].tag != tag:
        return None
    child: HtmlElement = node[0]
    return child if is_blank(node.text) and is_blank(child.tail) else None


def is_phrasing(node: HtmlElement) -> bool:
    """Tell whether a node may stand in a paragraph."""
    if node.tag in _PHRASING:
        return True
    return node.tag in _PHRASING_IF_ALL_IN_IT_IS and all(map(is_phrasing, node))


def has_block(node: HtmlElement) -> bool:
    return next(node.iterdescendants(*BLOCKS), None) is not None


def count(node: HtmlElement, *tags: str) -> int:
    """Return how many such elements there are within a node."""
    return sum(1 for _ in node.iterdescendants(*tags))


def has_ancestor(node: HtmlElement, tag: str) -> bool:
    """Tell whether a node is within another, not more than four levels up."""
    return any(ancestor.tag == tag for ancestor in islice(node.iterancestors(), 4))


def link_density(node: HtmlElement, characters: int | None = None) -> float:
    """Return which share of a node's text is links; `characters` are what it has, if known."""
    if characters is None:
        characters = len(inner_text(node))
    if not characters:
        return 0.0
    return sum(map(_linked_characters, node.iterdescendants("a"))) / characters


def _linked_characters(link: HtmlElement) -> float:
    href = link.get("href", "")
    within = len(href) > 1 and href[0] == "#"
    return len(inner_text(link)) * (_ANCHOR_SHARE if within else 1)


def trim_end(paragraph: HtmlElement) -> None:
    """Drop line breaks and spaces at the end of a paragraph."""
    while len(paragraph) and is_blank(paragraph[-1].tail):
        if paragraph[-1].tag != "br":
            return
        paragraph.remove(paragraph[-1])
