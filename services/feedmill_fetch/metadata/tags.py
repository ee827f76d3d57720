"""`<meta>`, `<link>` and microdata as one look-up. Pure."""

from collections.abc import Callable, Iterator
from typing import Self, cast

from lxml.etree import XPath
from lxml.html import HtmlElement

# The stubs know only what XPath in general gives.
_PROPERTIES = cast("Callable[[HtmlElement], list[HtmlElement]]", XPath("//*[@itemprop]"))
_NAMES = ("property", "name", "itemprop", "http-equiv")

# Where the elements of microdata that are not text keep their value.
_VALUES = {
    "a": "href", "audio": "src", "data": "value", "img": "src", "link": "href", "meta": "content",
    "time": "datetime", "video": "src",
}  # fmt: skip
# What is within one of these is about something else than the page.
_OTHERS = frozenset({"aside", "footer", "nav"})

_MOST_CHARACTERS = 2_000


class Tags:
    """All that a page says in tags, by lower-case name."""

    def __init__(self, meta: dict[str, list[str]], links: dict[str, list[str]]) -> None:
        self._meta, self._links = meta, links

    @classmethod
    def of(cls, page: HtmlElement) -> Self:
        meta: dict[str, list[str]] = {}
        for name, value in (*_from_meta(page), *_from_microdata(page)):
            meta.setdefault(name, []).append(value)
        links: dict[str, list[str]] = {}
        for link in page.iter("link"):
            for relation in link.get("rel", "").lower().split():
                links.setdefault(relation, []).append(link.get("href", "").strip())
        return cls(meta, links)

    def first(self, *names: str) -> str:
        """Return the first thing said under the first of these names that is there."""
        return next((value for name in names for value in self.all(name)), "")

    def all(self, name: str) -> list[str]:
        return self._meta.get(name, [])

    def link(self, relation: str) -> str:
        return next(filter(None, self._links.get(relation, ())), "")


def _from_meta(page: HtmlElement) -> Iterator[tuple[str, str]]:
    said = [(tag, " ".join(tag.get("content", "").split())) for tag in page.iter("meta")]
    # What is said to programs in `property` is better kept than what has been in `name` for ever.
    for attribute in _NAMES:
        for tag, value in said:
            if value:
                # Several names in one attribute are several names: `og:title twitter:title`.
                for name in tag.get(attribute, "").lower().replace(".", ":").split():
                    yield name, value[:_MOST_CHARACTERS]


def _from_microdata(page: HtmlElement) -> Iterator[tuple[str, str]]:
    for tag in _PROPERTIES(page):
        if tag.tag == "meta" or any(around.tag in _OTHERS for around in tag.iterancestors()):
            continue
        value = tag.get("content") or tag.get(_VALUES.get(tag.tag, "content")) or _text_of(tag)
        if value:
            for name in tag.get("itemprop", "").split():
                yield f"item:{name.lower()}", " ".join(value.split())[:_MOST_CHARACTERS]


def _text_of(tag: HtmlElement) -> str:
    named = next((each for each in tag.iterdescendants() if each.get("itemprop") == "name"), tag)
    return named.get("content") or str(named.text_content())
