"""RSS, RDF and Atom, read from a well-formed document in one pass. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from feedmill_ingestion.shown import MOST_READ, NO_HINTS, NO_TEXT, ShownFeed, ShownHints, Text
from feedmill_ingestion.texts import marked_text_of, text_of
from feedmill_ingestion.xml_entry import read_entry
from feedmill_ingestion.xml_links import link_of
from feedmill_ingestion.xml_names import name_of

_ROOTS = frozenset({"rss", "feed", "rdf", "rdf:rdf"})
_ENTRIES = frozenset({"item", "entry"})


@dataclass(slots=True)
class _Channel:
    guess: bool
    title: Text = NO_TEXT
    link: str = ""
    hub: str = ""
    self_link: str = ""
    hints: ShownHints = NO_HINTS


def read_xml_feed(root: etree._Element) -> ShownFeed | None:
    """Return what the document shows; None when in doubt."""
    kind = name_of(root.tag, root.prefix)
    if kind not in _ROOTS:
        return None
    # RSS never said what its texts are.
    channel = _Channel(guess=kind != "feed")
    items = []
    for name, element in _parts(root, is_feed=kind == "feed"):
        if name in _ENTRIES:
            items.append(element)
        elif name in _TAKERS:
            _TAKERS[name](channel, element)
    # An entry anywhere else is nothing that a format knows, and nothing to lose.
    if len(items) != sum(1 for _ in root.iter("{*}item", "{*}entry")):
        return None
    return ShownFeed(
        title=channel.title,
        link=channel.link,
        entries=[read_entry(item, guess=channel.guess) for item in items[:MOST_READ]],
        hints=channel.hints,
        hub=channel.hub,
        self_link=channel.self_link,
    )


def _parts(root: etree._Element, *, is_feed: bool) -> Iterator[tuple[str, etree._Element]]:
    """Yield what belongs to the feed, and its entries, which RDF and old RSS have beside the channel."""
    for child in root:
        name = name_of(child.tag, child.prefix)
        if name == "channel":
            yield from _parts(child, is_feed=True)
        elif is_feed or name in _ENTRIES:
            yield name, child


def _title(channel: _Channel, element: etree._Element) -> None:
    if not channel.title.text:
        channel.title = marked_text_of(element, usually="text/plain", guess=channel.guess)


def _link(channel: _Channel, element: etree._Element) -> None:
    rel, url = link_of(element)
    rels = rel.split()
    if not rels:
        channel.link = url or channel.link
    if "hub" in rels:
        channel.hub = channel.hub or url
    if "self" in rels:
        channel.self_link = channel.self_link or url


def _ttl(channel: _Channel, element: etree._Element) -> None:
    channel.hints = channel.hints._replace(ttl=text_of(element))


def _period(channel: _Channel, element: etree._Element) -> None:
    channel.hints = channel.hints._replace(period=text_of(element))


def _frequency(channel: _Channel, element: etree._Element) -> None:
    channel.hints = channel.hints._replace(frequency=text_of(element))


def _hours(channel: _Channel, element: etree._Element) -> None:
    channel.hints = channel.hints._replace(hours=tuple(map(text_of, element)))


def _days(channel: _Channel, element: etree._Element) -> None:
    channel.hints = channel.hints._replace(days=tuple(map(text_of, element)))


_TAKERS: dict[str, Callable[[_Channel, etree._Element], None]] = {
    "dc:title": _title,
    "link": _link,
    "skipdays": _days,
    "skiphours": _hours,
    "sy:updatefrequency": _frequency,
    "sy:updateperiod": _period,
    "title": _title,
    "ttl": _ttl,
}
