"""The reader view, made to show what the arbiter ruled. Pure."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy

from lxml.html import Element, HtmlElement

from feedmill_fetch.arbiter import Ruling
from feedmill_fetch.lines import Line, placed_lines

# With less of the article than this, the reader view is of something else.
_LEAST_SHARED = 0.5

# What can stand alone; an item, a row or a cell cannot.
_MOVABLE = frozenset({"blockquote", "div", "h2", "h3", "h4", "h5", "h6", "p", "pre"})
_WHOLES = frozenset({"dl", "ol", "table", "ul"})


def mended(
    article: HtmlElement,
    blocks: Sequence[HtmlElement],
    ruling: Ruling,
    page: Callable[[], HtmlElement],
) -> HtmlElement:
    """Return the article with all that was ruled to be part of it.

    Parameters
    ----------
    blocks
        For each line of the reader view the block it ends in.
    page
        Where to look for what is missing.
    """
    missing = [
        line for line, place in zip(ruling.lines, ruling.places, strict=True) if place is None
    ]
    if not missing:
        return article
    found = _Blocks(page(), missing)
    if ruling.shared < _LEAST_SHARED:
        return _built(found, ruling.lines)
    after: HtmlElement | None = None
    for line, place in zip(ruling.lines, ruling.places, strict=True):
        if place is not None:
            after = _outermost(blocks[place], article)
        else:
            after = _insert(article, after, found.block(line))
    return article


def _built(found: "_Blocks", lines: Iterable[Line]) -> HtmlElement:
    article: HtmlElement = Element("div")
    article.extend(found.block(line) for line in lines)
    return article


def _insert(article: HtmlElement, after: HtmlElement | None, block: HtmlElement) -> HtmlElement:
    parent = None if after is None or after is article else after.getparent()
    if parent is None or after is None:
        article.insert(0, block)
    else:
        block.tail, after.tail = after.tail, None
        parent.insert(parent.index(after) + 1, block)
    return block


def _outermost(block: HtmlElement, article: HtmlElement) -> HtmlElement:
    """Return the block, or the list or table that it is part of."""
    found = block
    for around in block.iterancestors():
        if around is article:
            break
        if around.tag in _WHOLES:
            found = around
    return found


class _Blocks:
    """Where lines stand on a page."""

    def __init__(self, page: HtmlElement, lines: Iterable[Line]) -> None:
        wanted = {line.words for line in lines}
        self._blocks: dict[tuple[str, ...], HtmlElement] = {}
        for line, block in placed_lines(page):
            if line.words in wanted and block.tag in _MOVABLE:
                self._blocks.setdefault(line.words, block)

    def block(self, line: Line) -> HtmlElement:
        """Return a copy of the line's block, or a paragraph with its text."""
        found = self._blocks.get(line.words)
        if found is not None and " ".join(str(found.text_content()).split()) == line.text:
            copy = deepcopy(found)
            copy.tail = None
            return copy
        paragraph: HtmlElement = Element("h3" if line.heading else "p")
        paragraph.text = line.text
        return paragraph
