"""One entry of RSS, RDF or Atom. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from lxml import etree

from feedmill_ingestion.dates import moment
from feedmill_ingestion.shown import NO_TEXT, ShownEntry, Text
from feedmill_ingestion.texts import marked_text_of, own_text_of, text_of
from feedmill_ingestion.xml_links import link_of, resolved
from feedmill_ingestion.xml_media import Media
from feedmill_ingestion.xml_names import name_of

_RDF_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"

# As it is spelt. Where it is missing, it is true.
_PERMALINK = ("isPermaLink", "ispermalink", "isPermalink", "IsPermaLink")


@dataclass(slots=True)
class _Entry:
    guess: bool
    guid: str = ""
    guid_is_link: bool = False
    link: str = ""
    title: Text = NO_TEXT
    media_title: Text = NO_TEXT
    authors: list[str] = field(default_factory=list)
    speaker: str = ""
    published: str = ""
    changed: str = ""
    written: str = ""
    texts: list[Text] = field(default_factory=list)
    captions: list[Text] = field(default_factory=list)
    media: Media = field(default_factory=Media)


def read_entry(element: etree._Element, *, guess: bool) -> ShownEntry:
    """Return what an `item` or `entry` says.

    Parameters
    ----------
    guess
        Whether what claims to be plain text is looked at: RSS never said what it is.
    """
    entry = _Entry(guess, guid=element.get(_RDF_ABOUT) or element.get("about") or "")
    _take_all(entry, element)
    dates = (moment(text) for text in (entry.published, entry.changed, entry.written))
    return ShownEntry(
        guid=entry.guid,
        link=entry.link or _page_of(entry),
        title=entry.title if entry.title.text else entry.media_title,
        authors=tuple(entry.authors) or (entry.speaker,),
        dates=tuple(date for date in dates if date is not None),
        # What stands under a picture is the entry's text only where there is no other.
        texts=tuple(entry.texts if any(text.text for text in entry.texts) else entry.captions),
        files=entry.media.all_files(),
        pictures=entry.media.all_pictures(),
        transcripts=tuple(entry.media.transcripts),
        video_id=entry.media.video_id,
    )


def _page_of(entry: _Entry) -> str:
    # RSS takes a guid for a link unless told otherwise; one that is no address was never meant as one.
    return entry.guid if entry.guid_is_link and "://" in entry.guid else ""


def _author_of(element: etree._Element) -> str:
    """Return the name in an `author`, or what else stands there."""
    for wanted in ("name", "email"):
        for child in element:
            if name_of(child.tag, child.prefix).rpartition(":")[2] == wanted:
                return text_of(child)
    return own_text_of(element)


def _take_all(entry: _Entry, element: etree._Element) -> None:
    for child in element:
        name = name_of(child.tag, child.prefix)
        take = _TAKERS.get(name)
        if take is None:
            entry.media.add(name, child)
        else:
            take(entry, child)


def _content(entry: _Entry, element: etree._Element) -> None:
    entry.media.add("media:content", element)
    _take_all(entry, element)


def _title(entry: _Entry, element: etree._Element) -> None:
    if not entry.title.text:
        entry.title = marked_text_of(element, usually="text/plain", guess=entry.guess)


def _media_title(entry: _Entry, element: etree._Element) -> None:
    entry.media_title = marked_text_of(element, usually="text/plain", guess=entry.guess)


def _guid(entry: _Entry, element: etree._Element) -> None:
    guid = text_of(element)
    entry.guid_is_link = _is_permalink(element)
    entry.guid = resolved(guid, element) if entry.guid_is_link else guid


def _is_permalink(element: etree._Element) -> bool:
    given = (element.get(name) for name in _PERMALINK)
    return next((value for value in given if value is not None), "true").strip().lower() == "true"


def _link(entry: _Entry, element: etree._Element) -> None:
    rel, url = link_of(element)
    if not rel:
        entry.link = url or entry.link
    elif rel == "enclosure":
        entry.media.add_link(url, element)


def _author(entry: _Entry, element: etree._Element) -> None:
    entry.authors.append(_author_of(element))


def _speaker(entry: _Entry, element: etree._Element) -> None:
    entry.speaker = text_of(element)


def _published(entry: _Entry, element: etree._Element) -> None:
    entry.published = text_of(element)


def _changed(entry: _Entry, element: etree._Element) -> None:
    entry.changed = text_of(element)


def _written(entry: _Entry, element: etree._Element) -> None:
    entry.written = text_of(element)


def _text(entry: _Entry, element: etree._Element, *, usually: str) -> None:
    entry.texts.append(marked_text_of(element, usually=usually, guess=entry.guess))


def _caption(entry: _Entry, element: etree._Element) -> None:
    # Plain, says Media RSS, and so YouTube writes it; others write HTML all the same.
    entry.captions.append(marked_text_of(element, usually="text/plain", guess=True))


_html = partial(_text, usually="text/html")
_plain = partial(_text, usually="text/plain")
_xhtml = partial(_text, usually="application/xhtml+xml")

_TAKERS: dict[str, Callable[[_Entry, etree._Element], None]] = {
    "abstract": _plain,
    "author": _author,
    "body": _xhtml,
    "content": _plain,
    "content:encoded": _html,
    "created": _written,
    "dc:author": _author,
    "dc:creator": _author,
    "dc:date": _changed,
    "dc:description": _html,
    "dc:title": _title,
    "dcterms:created": _written,
    "dcterms:issued": _published,
    "dcterms:modified": _changed,
    "description": _html,
    "fullitem": _html,
    "guid": _guid,
    "id": _guid,
    "issued": _published,
    "itunes:author": _speaker,
    "itunes:summary": _plain,
    "link": _link,
    "media:content": _content,
    "media:description": _caption,
    "media:group": _take_all,
    "media:title": _media_title,
    "modified": _changed,
    "pubdate": _published,
    "published": _published,
    "summary": _plain,
    "title": _title,
    "updated": _changed,
    "xhtml:body": _xhtml,
}
