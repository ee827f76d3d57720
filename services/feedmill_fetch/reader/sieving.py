"""What is left of a page without what no article holds, and the parts of it that may be prose. Pure."""

import re

from lxml.html import Element, HtmlElement

from feedmill_fetch.reader.nodes import (
    HEADINGS,
    count,
    has_ancestor,
    has_block,
    has_text,
    inner_text,
    is_blank,
    is_phrasing,
    link_density,
    only_child,
    remove,
    replace,
    text_of,
    trim_end,
)
from feedmill_fetch.reader.signs import (
    Strictness,
    has_unlikely_role,
    is_byline,
    is_hidden,
    is_modal,
    is_unlikely,
    may_be_byline,
    names,
)

_SCORED = frozenset({"h2", "h3", "h4", "h5", "h6", "p", "pre", "section", "td"})
_EMPTIED = frozenset({"div", "header", "section", *HEADINGS})
# MathJax gives its formulas a context menu, and names them after it.
_NEVER_UNLIKELY = frozenset({"a", "body", "mjx-container"})

_MOST_LINKS_IN_PARAGRAPH = 0.25
_TITLE_LIKENESS = 0.75
_NO_WORD = re.compile(r"[^0-9A-Za-z_]+")


class Sieve:
    """One pass over a page. Takes it apart."""

    def __init__(self, title: str, *, wants_byline: bool, strictness: Strictness) -> None:
        self._title = set(_ascii_words(title))
        self._wants_byline = wants_byline
        self._strictness = strictness
        self.byline = ""
        self.paragraphs: list[HtmlElement] = []

    def run(self, body: HtmlElement) -> None:
        pending = [body]
        while pending:
            node = pending.pop()
            if node is not body and self._is_unwanted(node):
                remove(node)
                continue
            if node.tag in _SCORED:
                self.paragraphs.append(node)
            elif node.tag == "div":
                node = self._as_paragraph(node)
            pending.extend(node.iterchildren(reversed=True))

    def _is_unwanted(self, node: HtmlElement) -> bool:
        if is_hidden(node) or is_modal(node):
            return True
        name = names(node)
        return (
            self._is_byline(node, name)
            or self._repeats_title(node)
            or (self._strictness.unlikely and _is_unlikely(node, name))
            or (node.tag in _EMPTIED and _is_empty(node))
        )

    def _is_byline(self, node: HtmlElement, name: str) -> bool:
        if not self._wants_byline or not may_be_byline(node, name):
            return False
        text = text_of(node).strip()
        if not is_byline(text):
            return False
        self._wants_byline = False
        own = next(
            (each for each in node.iterdescendants() if "name" in each.get("itemprop", "")), node
        )
        self.byline = text_of(own).strip()
        return True

    def _repeats_title(self, node: HtmlElement) -> bool:
        if node.tag not in {"h1", "h2"} or not self._title:
            return False
        words = _ascii_words(inner_text(node))
        if not words:
            return False
        new = " ".join(word for word in words if word not in self._title)
        if 1 - len(new) / len(" ".join(words)) <= _TITLE_LIKENESS:
            return False
        # The first one is the headline; others would be part of the text.
        self._title = set()
        return True

    def _as_paragraph(self, division: HtmlElement) -> HtmlElement:
        """Many pages say `div` where they mean a paragraph."""
        _wrap_phrases(division)
        paragraph = only_child(division, "p")
        if paragraph is not None and link_density(division) < _MOST_LINKS_IN_PARAGRAPH:
            replace(division, paragraph)
        elif not has_block(division):
            paragraph = division
            paragraph.tag = "p"
        else:
            return division
        self.paragraphs.append(paragraph)
        return paragraph


def _is_unlikely(node: HtmlElement, name: str) -> bool:
    if has_unlikely_role(node):
        return True
    return (
        is_unlikely(name)
        and node.tag not in _NEVER_UNLIKELY
        and not has_ancestor(node, "table")
        and not has_ancestor(node, "code")
    )


def _is_empty(node: HtmlElement) -> bool:
    return (not len(node) or len(node) == count(node, "br", "hr")) and not has_text(node)


def _wrap_phrases(division: HtmlElement) -> None:
    """Put what stands loose in a division into paragraphs."""
    paragraph: HtmlElement | None = None
    if not is_blank(division.text):
        paragraph = _open_paragraph(division, 0, division.text)
        division.text = None
    for node in list(division)[0 if paragraph is None else 1 :]:
        if is_phrasing(node):
            if paragraph is not None:
                paragraph.append(node)
            elif node.tag != "br":
                paragraph = _open_paragraph(division, division.index(node), None)
                paragraph.append(node)
            elif not is_blank(node.tail):
                paragraph = _open_paragraph(division, division.index(node) + 1, node.tail)
                node.tail = None
            continue
        if paragraph is not None:
            trim_end(paragraph)
            paragraph = None
        if not is_blank(node.tail):
            paragraph = _open_paragraph(division, division.index(node) + 1, node.tail)
            node.tail = None


def _open_paragraph(division: HtmlElement, at: int, text: str | None) -> HtmlElement:
    paragraph: HtmlElement = Element("p")
    paragraph.text = text
    division.insert(at, paragraph)
    return paragraph


def _ascii_words(text: str) -> list[str]:
    # Letters of other scripts part words here, as they do in the original.
    return [word for word in _NO_WORD.split(text.lower()) if word]
