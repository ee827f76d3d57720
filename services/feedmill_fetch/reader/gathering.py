"""The top candidate, and what beside it belongs to it. Pure."""

import re

from lxml.html import Element, HtmlElement

from feedmill_fetch.reader.nodes import inner_text, link_density
from feedmill_fetch.reader.scoring import Scores, base_score, top_candidate
from feedmill_fetch.reader.signs import Strictness

# What keeps its name in an article; a cell or a form becomes a plain division.
_KEPT = frozenset({"article", "div", "ol", "p", "section", "ul"})

_LEAST_SCORE = 10
_SCORE_SHARE = 0.2
_PARAGRAPH_CHARACTERS = 80
_MOST_LINKS = 0.25
_SENTENCE_END = re.compile(r"\.(?: |$)")


def gather(body: HtmlElement, scores: Scores, strictness: Strictness) -> HtmlElement:
    """Return a new element with the article in it. Takes the page apart."""
    article: HtmlElement = Element("div")
    top = top_candidate(scores)
    if top is None:
        _move(_everything(body), article)
        return article
    if top not in scores:
        scores[top] = base_score(top, strictness)
    for sibling in list(top.getparent()):
        if sibling is top or _belongs(sibling, top, scores):
            _move(sibling, article)
    return article


def _everything(body: HtmlElement) -> HtmlElement:
    whole: HtmlElement = Element("div")
    whole.text = body.text
    whole.extend(list(body))
    return whole


def _move(node: HtmlElement, article: HtmlElement) -> None:
    if node.tag not in _KEPT:
        node.tag = "div"
    node.tail = None
    article.append(node)


def _belongs(sibling: HtmlElement, top: HtmlElement, scores: Scores) -> bool:
    share = scores[top] * _SCORE_SHARE
    named_alike = top.get("class", "") and sibling.get("class", "") == top.get("class")
    bonus = share if named_alike else 0
    if sibling in scores and scores[sibling] + bonus >= max(_LEAST_SCORE, share):
        return True
    return sibling.tag == "p" and _is_prose(sibling)


def _is_prose(paragraph: HtmlElement) -> bool:
    text = inner_text(paragraph)
    links = link_density(paragraph, len(text))
    if len(text) > _PARAGRAPH_CHARACTERS:
        return links < _MOST_LINKS
    short = 0 < len(text) < _PARAGRAPH_CHARACTERS
    return short and not links and _SENTENCE_END.search(text) is not None
