"""A tree's text as lines, each with what its markup says about it. Pure."""

import re
from dataclasses import dataclass, field

from lxml.etree import iterwalk
from lxml.html import HtmlElement

WORDS = re.compile(r"\w+")

# What ends a line; everything else is part of one.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "br", "caption", "dd", "details", "div",
    "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5",
    "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table",
    "tr", "ul",
    # As trafilatura calls them, after the Text Encoding Initiative.
    "head", "item", "lb", "list", "quote", "row",
})  # fmt: skip
_CELLS = frozenset({"cell", "td", "th"})
_CAPTIONS = frozenset({"figcaption", "figure"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6", "head"})
_UNREAD = frozenset({"iframe", "noscript", "script", "style", "svg", "template"})


@dataclass(frozen=True)
class Line:
    """A paragraph, a heading, an item or a row.

    Attributes
    ----------
    linked
        Which share of its characters is links, from 0 to 1.
    caption
        Whether it stands below a picture.
    """

    text: str
    words: tuple[str, ...] = field(repr=False)
    linked: float = 0.0
    caption: bool = False
    heading: bool = False


def lines_of(root: HtmlElement) -> list[Line]:
    """Return what a reader sees, in order, without empty lines."""
    return [line for line, _ in placed_lines(root)]


def placed_lines(root: HtmlElement) -> list[tuple[Line, HtmlElement]]:
    """Return what a reader sees, and for each line the block that it ends in."""
    writer = _Writer(root)
    for event, node in iterwalk(root, events=("start", "end")):
        if event == "start":
            writer.enter(node)
        else:
            writer.leave(node)
    writer.end_line()
    return writer.lines


def as_lines(text: str) -> list[Line]:
    """Return plain text as lines that say nothing about their markup."""
    squeezed = (" ".join(line.split()) for line in text.split("\n"))
    return [Line(line, words_of(line)) for line in squeezed if line]


def words_of(text: str) -> tuple[str, ...]:
    return tuple(WORDS.findall(text))


class _Writer:
    def __init__(self, root: HtmlElement) -> None:
        self.lines: list[tuple[Line, HtmlElement]] = []
        self._root = root
        self._blocks = [root]
        self._parts: list[str] = []
        self._linked = 0
        self._links = self._captions = self._headings = self._unread = self._preserved = 0

    def enter(self, node: HtmlElement) -> None:
        self._count(node.tag, 1)
        if node.tag in _BLOCKS:
            self.end_line()
            self._blocks.append(node)
        elif node.tag in _CELLS:
            self._parts.append(" ")
        self._write(node.text)

    def leave(self, node: HtmlElement) -> None:
        if node.tag in _BLOCKS:
            self.end_line()
            self._blocks.pop()
        self._count(node.tag, -1)
        if node is not self._root:
            self._write(node.tail)

    def _count(self, tag: str, by: int) -> None:
        if tag == "a":
            self._links += by
        elif tag in _CAPTIONS:
            self._captions += by
        elif tag in _HEADINGS:
            self._headings += by
        elif tag in _UNREAD:
            self._unread += by
        elif tag == "pre":
            self._preserved += by

    def _write(self, text: str | None) -> None:
        if not text or self._unread:
            return
        first, *others = text.split("\n") if self._preserved else (text,)
        self._append(first)
        for line in others:
            self.end_line()
            self._append(line)

    def _append(self, text: str) -> None:
        self._parts.append(text)
        if self._links:
            self._linked += sum(map(len, text.split()))

    def end_line(self) -> None:
        text = " ".join("".join(self._parts).split())
        if text:
            self.lines.append((self._line(text), self._blocks[-1]))
        self._parts, self._linked = [], 0

    def _line(self, text: str) -> Line:
        characters = len(text) - text.count(" ")
        return Line(
            text=text,
            words=words_of(text),
            linked=min(self._linked / characters, 1.0),
            caption=self._captions > 0,
            heading=self._headings > 0,
        )
