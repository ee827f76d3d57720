"""Forms, lists, tables and divisions that do not look like part of an article. Pure."""

import re
from dataclasses import dataclass

from lxml.html import HtmlElement

from feedmill_fetch.reader.nodes import (
    BLOCKS,
    EMBEDS,
    HEADINGS,
    count,
    has_ancestor,
    has_text,
    inner_text,
    link_density,
    remove,
)
from feedmill_fetch.reader.signs import Strictness, is_player, weight

# With so many it is prose, whatever else it looks like.
_MANY_COMMAS = 10
_LIST_SHARE = 0.9
# How many list items a division may have more than paragraphs.
_SPARE_ITEMS = 100
_GOOD_WEIGHT = 25
_MOST_LINKS = 0.2
_MOST_LINKS_IN_CONTENT = 0.5
_SHORT = 25
_SHORT_BESIDE_EMBED = 75

_NOTHING = re.compile(
    r"(?:ad(?:vertising|vertisement)?|pub(?:licité)?|werb(?:ung)?|广告|реклама|anuncio"
    r"|(?:loading|正在加载|загрузка|chargement|cargando)(?:…|\.\.\.)?)",
    re.IGNORECASE,
)
_TEXTISH = ("span", "li", "td", *BLOCKS)


@dataclass(frozen=True)
class _Facts:
    """What is counted in an element before it is judged."""

    node: HtmlElement
    text: str
    is_list: bool
    paragraphs: int
    images: int
    items: int
    inputs: int
    embeds: int
    links: float
    weight: int


class Conditions:
    """What parts of an article have to look like to stay in it."""

    def __init__(self, data_tables: set[HtmlElement], strictness: Strictness) -> None:
        self._data_tables = data_tables
        self._strictness = strictness

    def enforce(self, article: HtmlElement, tag: str) -> None:
        """Remove what looks fishy; the innermost first, so that others are judged without it."""
        if self._strictness.conditions:
            for node in reversed(list(article.iterdescendants(tag))):
                if self._is_fishy(node):
                    remove(node)

    def _is_fishy(self, node: HtmlElement) -> bool:
        if self._belongs_to_data(node) or has_ancestor(node, "code"):
            return False
        own_weight = weight(node, self._strictness)
        if own_weight < 0:
            return True
        text = inner_text(node)
        if text.count(",") >= _MANY_COMMAS or any(map(is_player, node.iterdescendants(*EMBEDS))):
            return False
        if _NOTHING.fullmatch(text):
            return True
        facts = _facts(node, text, own_weight)
        return _looks_fishy(facts) and not _is_gallery(facts)

    def _belongs_to_data(self, node: HtmlElement) -> bool:
        if not self._data_tables:
            return False
        around = (node, *node.iterancestors("table"), *node.iterdescendants("table"))
        return any(each in self._data_tables for each in around)


def _facts(node: HtmlElement, text: str, own_weight: int) -> _Facts:
    return _Facts(
        node=node,
        text=text,
        is_list=node.tag == "ul" or _is_mostly_lists(node, text),
        paragraphs=count(node, "p"),
        images=count(node, "img"),
        items=count(node, "li"),
        inputs=count(node, "input"),
        embeds=count(node, *EMBEDS),
        links=link_density(node, len(text)),
        weight=own_weight,
    )


def _is_mostly_lists(node: HtmlElement, text: str) -> bool:
    listed = sum(len(inner_text(each)) for each in node.iterdescendants("ul", "ol"))
    return listed > _LIST_SHARE * len(text)


def _looks_fishy(facts: _Facts) -> bool:
    in_figure = has_ancestor(facts.node, "figure")
    return (
        (not in_figure and facts.images > 1 and facts.images > 2 * facts.paragraphs)
        or (not facts.is_list and facts.items - _SPARE_ITEMS > facts.paragraphs)
        or facts.inputs > facts.paragraphs // 3
        or (not facts.is_list and not in_figure and _is_short_and_linked(facts))
        or _is_mostly_links(facts)
        or facts.embeds > 1
        or (facts.embeds == 1 and len(facts.text) < _SHORT_BESIDE_EMBED)
        or (not facts.images and not any(map(has_text, facts.node.iterdescendants(*_TEXTISH))))
    )


def _is_short_and_linked(facts: _Facts) -> bool:
    if len(facts.text) >= _SHORT or facts.images in {1, 2} or not facts.links:
        return False
    headings = sum(len(inner_text(each)) for each in facts.node.iterdescendants(*HEADINGS))
    return headings < 0.9 * len(facts.text)


def _is_mostly_links(facts: _Facts) -> bool:
    if facts.weight >= _GOOD_WEIGHT:
        return facts.links > _MOST_LINKS_IN_CONTENT
    return not facts.is_list and facts.links > _MOST_LINKS


def _is_gallery(facts: _Facts) -> bool:
    """Tell whether it is a list with an image in each item, and nothing else."""
    return (
        facts.is_list
        and not any(len(child) > 1 for child in facts.node)
        and facts.images == facts.items
    )
