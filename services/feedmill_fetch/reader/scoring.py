"""Which part of a page holds most of its prose. Pure."""

import re
from collections.abc import Iterable
from itertools import islice

from lxml.html import HtmlElement

from feedmill_fetch.reader.nodes import inner_text, link_density
from feedmill_fetch.reader.signs import Strictness, weight

Scores = dict[HtmlElement, float]

_BASE = {
    "div": 5, "pre": 3, "td": 3, "blockquote": 3, "address": -3, "ol": -3, "ul": -3, "dl": -3,
    "dd": -3, "dt": -3, "li": -3, "form": -3, "h1": -5, "h2": -5, "h3": -5, "h4": -5, "h5": -5,
    "h6": -5, "th": -5,
}  # fmt: skip

# As Latin, Arabic, Chinese and other scripts write them.
_COMMAS = re.compile("[,\u060c\ufe50\ufe10\ufe11\u2e41\u2e34\u2e32\uff0c]")

_LEAST_CHARACTERS = 25
_MOST_LENGTH_POINTS = 3
_CHARACTERS_A_POINT = 100
_GENERATIONS = 5

_TOP = 5
_CLOSE = 0.75
_CLOSE_ONES = 3
_LOWEST_SHARE = 1 / 3


def score(paragraphs: Iterable[HtmlElement], strictness: Strictness) -> Scores:
    """Return what the elements around paragraphs are worth; links count against them."""
    scores: Scores = {}
    for paragraph in paragraphs:
        points = _points(paragraph)
        if not points:
            continue
        ancestors = (node for node in paragraph.iterancestors() if node.getparent() is not None)
        for level, ancestor in enumerate(islice(ancestors, _GENERATIONS)):
            if ancestor not in scores:
                scores[ancestor] = base_score(ancestor, strictness)
            scores[ancestor] += points / (level * 3 if level > 1 else level + 1)
    for node in scores:
        scores[node] *= 1 - link_density(node)
    return scores


def base_score(node: HtmlElement, strictness: Strictness) -> float:
    return _BASE.get(node.tag, 0) + weight(node, strictness)


def top_candidate(scores: Scores) -> HtmlElement | None:
    """Return the element that holds the article; None when that is the whole page or nothing."""
    # Of equals the first one wins, as sorting leaves them in their order.
    best = sorted(scores, key=lambda node: -scores[node])[:_TOP]
    if not best or best[0].tag == "body":
        return None
    top = _shared_ancestor(best, scores)
    return _without_lonely_walls(_better_parent(top, scores))


def _points(paragraph: HtmlElement) -> int:
    text = inner_text(paragraph)
    if len(text) < _LEAST_CHARACTERS:
        return 0
    commas = len(_COMMAS.findall(text))
    return 2 + commas + min(len(text) // _CHARACTERS_A_POINT, _MOST_LENGTH_POINTS)


def _shared_ancestor(best: list[HtmlElement], scores: Scores) -> HtmlElement:
    """Where several are about as good, the article is what holds them all."""
    top = best[0]
    if not scores[top]:
        return top
    others = [set(n.iterancestors()) for n in best[1:] if scores[n] / scores[top] >= _CLOSE]
    if len(others) < _CLOSE_ONES:
        return top
    for ancestor in _below_body(top):
        if sum(ancestor in around for around in others) >= _CLOSE_ONES:
            return ancestor
    return top


def _better_parent(top: HtmlElement, scores: Scores) -> HtmlElement:
    """If scores go up again further out, there is more of the article around."""
    last = scores.get(top, 0.0)
    lowest = last * _LOWEST_SHARE
    for ancestor in _below_body(top):
        if ancestor not in scores:
            continue
        if scores[ancestor] < lowest:
            break
        if scores[ancestor] > last:
            return ancestor
        last = scores[ancestor]
    return top


def _without_lonely_walls(top: HtmlElement) -> HtmlElement:
    """Go up from an only child, which has no siblings to look at, to one that has some."""
    for ancestor in _below_body(top):
        if len(ancestor) != 1:
            break
        top = ancestor
    return top


def _below_body(node: HtmlElement) -> Iterable[HtmlElement]:
    for ancestor in node.iterancestors():
        if ancestor.tag == "body":
            return
        yield ancestor
