"""What a rule makes of a page. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from lxml.etree import XPathError
from lxml.html import Element, HtmlElement

from feedmill_fetch.reader.nodes import remove
from feedmill_fetch.rules.reading import Find, Rule


@dataclass(frozen=True)
class Ruled:
    """A page after its rule was followed.

    Attributes
    ----------
    article
        The parts that the rule names, in the order of the page; None if it names none that are there.
    removed
        How many parts were left out.
    next_url
        Where it goes on, as the page writes it.
    """

    article: HtmlElement | None
    removed: int = 0
    next_url: str | None = None


def follow(rule: Rule, page: HtmlElement) -> Ruled:
    """Take out of a page what its rule leaves out, and return what it names. Never raises."""
    # Often among what is left out.
    next_url = _link(rule, page)
    unwanted = [node for find in rule.exclude for node in _found(find, page)]
    for node in unwanted:
        remove(node)
    for find in rule.include:
        parts = _outermost(_found(find, page))
        if parts:
            return Ruled(_joined(parts), len(unwanted), next_url)
    return Ruled(None, len(unwanted), next_url)


def _link(rule: Rule, page: HtmlElement) -> str | None:
    links = (node.get("href") for find in rule.next for node in _found(find, page))
    return next(filter(None, links), None)


def _found(find: Find, page: HtmlElement) -> list[HtmlElement]:
    try:
        found = find(page)
    except XPathError:
        # It calls a function that does not exist, or counts what cannot be counted.
        return []
    nodes = found if isinstance(found, list) else []
    return [node for node in nodes if isinstance(node, HtmlElement) and _is_part(node)]


def _is_part(node: HtmlElement) -> bool:
    return node.tag not in {"html", "head", "body"} and node.getparent() is not None


def _outermost(nodes: Iterable[HtmlElement]) -> list[HtmlElement]:
    every = dict.fromkeys(nodes)
    return [node for node in every if every.keys().isdisjoint(node.iterancestors())]


def _joined(parts: Iterable[HtmlElement]) -> HtmlElement:
    article: HtmlElement = Element("div")
    for part in parts:
        part.tail = None
        article.append(part)
    return article
