"""The outlines of a file, whichever reader wrote it. Pure."""

import re
from collections.abc import Iterator

from lxml import etree

from feedmill.models.base import Model
from feedmill.models.lists import MAX_CATEGORY_CHARACTERS, MAX_TITLE_CHARACTERS, one_line
from feedmill_gateway.lists.markup import local_name

_NOT_A_LETTER = re.compile(r"[^a-z]")
_FOLDER_TYPES = frozenset({"", "folder", "category"})
# What hints at a page or a file behind an outline, which then is no folder.
_LINKS = ("url", "htmlurl")
# Some write the address here, and say by the type that it is a feed's.
_FEED_TYPES = frozenset({"rss", "rss1", "rss2", "atom", "rdf", "feed", "json", "jsonfeed"})
# `feed://host/…` and `feed:https://host/…`: what browsers once handed to feed readers.
_FEED_SCHEME = re.compile(r"feed:(?://)?(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_WEB_SCHEMES = ("http://", "https://")


class Outline(Model):
    """One `<outline>` as it stands in the file."""

    line: int
    attributes: dict[str, str]
    path: tuple[str, ...]
    has_children: bool

    @property
    def name(self) -> str:
        """What people are shown: OPML's `text`, or what some readers write instead."""
        return next(filter(None, (self._tidy(name) for name in ("text", "title"))), "")

    @property
    def address(self) -> str:
        """Where its feed is, as the file has it; empty if it names none."""
        named = self.attributes.get("xmlurl", "").strip()
        if not named and self._type in _FEED_TYPES:
            named = self.attributes.get("url", "").strip()
        return named

    @property
    def title(self) -> str:
        """What its reader calls its feed; an address that stands in for a name is none."""
        named = self.name[:MAX_TITLE_CHARACTERS].strip()
        return "" if named == self.address else named

    @property
    def folder(self) -> tuple[str, ...]:
        """The category that its children are in."""
        name = self.name[:MAX_CATEGORY_CHARACTERS].strip()
        return (*self.path, name) if name else self.path

    @property
    def category(self) -> tuple[str, ...]:
        """The category that it is in: by where it stands, else by what its attribute says."""
        return self.path or self._named_category

    @property
    def is_folder(self) -> bool:
        """Whether it names no feed and means to name none."""
        links = any(self.attributes.get(name) for name in _LINKS)
        return self.has_children or (bool(self.name) and self._type in _FOLDER_TYPES and not links)

    @property
    def _type(self) -> str:
        return self.attributes.get("type", "").strip().lower()

    @property
    def _named_category(self) -> tuple[str, ...]:
        # OPML 2.0: `/Tech/AI,/Mills`. One feed is in one category here: the first.
        first = self.attributes.get("category", "").partition(",")[0]
        names = (one_line(name)[:MAX_CATEGORY_CHARACTERS].strip() for name in first.split("/"))
        return tuple(name for name in names if name)

    def _tidy(self, attribute: str) -> str:
        return one_line(self.attributes.get(attribute, ""))


def outlines(root: etree._Element) -> Iterator[Outline]:
    """Yield every outline below an element in the order of the file, however deep it is nested."""
    folders: list[tuple[str, ...]] = [()]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if local_name(str(element.tag)) != "outline":
            continue
        if event == "end":
            folders.pop()
            continue
        outline = _outline(element, folders[-1])
        folders.append(outline.folder)
        yield outline


def web_address(address: str) -> str:
    """Return the address that a `feed:` address means; any other is returned as it is."""
    found = _FEED_SCHEME.fullmatch(address)
    if found is None:
        return address
    rest = found["rest"]
    return rest if rest.lower().startswith(_WEB_SCHEMES) else f"http://{rest}"


def _outline(element: etree._Element, path: tuple[str, ...]) -> Outline:
    attributes: dict[str, str] = {}
    for name, value in element.items():
        # xmlUrl, xmlurl, xml_url, XMLURL: readers do not agree.
        attributes.setdefault(_NOT_A_LETTER.sub("", local_name(str(name))), str(value))
    return Outline(
        line=int(element.sourceline),  # type: ignore[call-overload]  # lxml's stubs do not say
        attributes=attributes,
        path=path,
        has_children=len(element) > 0,
    )
