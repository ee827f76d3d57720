"""feedparser, the reference: slower, and at home in what is no XML any more. Pure."""

import io
import re
from collections.abc import Iterator
from typing import Any

import feedparser

from feedmill_ingestion.dates import moment
from feedmill_ingestion.shown import (
    ShownEntry,
    ShownFeed,
    ShownFile,
    ShownHints,
    ShownTranscript,
    Text,
)
from feedmill_ingestion.texts import WITHOUT_TEXT
from feedmill_ingestion.xml_documents import DocumentRefusedError

_DATES = ("published", "updated", "created")
# feedparser keeps only the last of several.
_HOUR = re.compile(r"<hour\s*>([^<]*)", re.IGNORECASE)
_DAY = re.compile(r"<day\s*>([^<]*)", re.IGNORECASE)

# It takes up to 20 microseconds for a tag and 600 milliseconds for a megabyte, and its time grows
# with the square of one tag's attributes.
_MOST_CHARACTERS = 3_000_000
_MOST_TAGS = 100_000
_MOST_ATTRIBUTES = 1_000
_CDATA = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
_LONG_TAG = re.compile(r"<[^<>]{5000,}>")


def read_with_feedparser(document: str) -> ShownFeed | None:
    """Return what the document shows; None when it is no feed.

    Raises
    ------
    DocumentRefusedError
        It would take more than a few seconds, or feedparser failed.
    """
    if _is_too_heavy(document):
        raise DocumentRefusedError("too large to be mended")
    parsed = _parsed(document)
    if not (parsed.version or parsed.entries or parsed.feed):
        return None
    return ShownFeed(
        title=_marked(parsed.feed, "title"),
        link=_string(parsed.feed, "link"),
        entries=[_entry(entry) for entry in parsed.entries],
        hints=_hints(parsed.feed, document),
        hub=_related(parsed.feed, "hub"),
        self_link=_related(parsed.feed, "self"),
    )


def _parsed(document: str) -> Any:
    try:
        return feedparser.parse(
            io.BytesIO(document.encode("utf-8", "ignore")),
            # No location: identities must not change when a feed moves, so nothing starts there.
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as error:  # what it trips over is not known, and no fault of ours
        raise DocumentRefusedError(f"beyond repair: {error!r:.100}") from error


def _is_too_heavy(document: str) -> bool:
    markup = _CDATA.sub("", document)
    return (
        len(document) > _MOST_CHARACTERS
        or markup.count("<") > _MOST_TAGS
        or any(tag.count("=") > _MOST_ATTRIBUTES for tag in _LONG_TAG.findall(markup))
    )


def _entry(entry: Any) -> ShownEntry:
    dates = (moment(_string(entry, name)) for name in _DATES)
    contents = (_text(content, "value", content) for content in _mappings(entry, "content"))
    return ShownEntry(
        guid=_string(entry, "id"),
        link=_page_of(entry),
        title=_marked(entry, "title"),
        authors=tuple(_names(entry)),
        dates=tuple(date for date in dates if date is not None),
        texts=(_marked(entry, "summary"), *contents),
        files=tuple(_files(entry)),
        pictures=tuple(_pictures(entry)),
        transcripts=tuple(_transcripts(entry)),
        video_id=_string(entry, "yt_videoid"),
    )


def _page_of(entry: Any) -> str:
    link = _string(entry, "link")
    # Probably a guid that feedparser takes for a link, as RSS does; but no address was meant by it.
    return "" if link == _string(entry, "id") and "://" not in link else link


def _names(entry: Any) -> Iterator[str]:
    authors = _mappings(entry, "authors")
    if len(authors) > 1:
        yield from (_string(author, "name") or _string(author, "email") for author in authors)
    else:
        # As written: its parts are feedparser's guess, which cuts new top-level domains short.
        yield _string(entry, "author")


def _files(entry: Any) -> Iterator[ShownFile]:
    duration = _string(entry, "itunes_duration")
    for link in _mappings(entry, "links"):
        if link.get("rel") == "enclosure":
            kind, size = _string(link, "type"), _string(link, "length")
            yield ShownFile(_string(link, "href"), kind, size, duration)
    for content in _mappings(entry, "media_content"):
        if not _is_picture(content):
            own, size = _string(content, "duration"), _string(content, "filesize")
            yield ShownFile(
                _string(content, "url"), _string(content, "type"), size, own or duration
            )


def _pictures(entry: Any) -> Iterator[str]:
    for thumbnail in _mappings(entry, "media_thumbnail"):
        yield _string(thumbnail, "url")
    for content in _mappings(entry, "media_content"):
        if _is_picture(content):
            yield _string(content, "url")
    image = dict.get(entry, "image")
    if isinstance(image, dict):
        yield _string(image, "href")
    for link in _mappings(entry, "links"):
        if link.get("rel") == "enclosure" and _string(link, "type").startswith("image/"):
            yield _string(link, "href")


def _transcripts(entry: Any) -> Iterator[ShownTranscript]:
    # feedparser keeps only the last of several.
    shown = dict.get(entry, "podcast_transcript")
    if isinstance(shown, dict):
        kind, language, rel = (_string(shown, name) for name in ("type", "language", "rel"))
        yield ShownTranscript(_string(shown, "url"), kind, language, rel)


def _is_picture(content: Any) -> bool:
    return content.get("medium") == "image" or _string(content, "type").startswith("image/")


def _hints(feed: Any, document: str) -> ShownHints:
    return ShownHints(
        ttl=_string(feed, "ttl"),
        period=_string(feed, "sy_updateperiod"),
        frequency=_string(feed, "sy_updatefrequency"),
        hours=tuple(_HOUR.findall(document)),
        days=tuple(_DAY.findall(document)),
    )


def _related(feed: Any, rel: str) -> str:
    links = (link for link in _mappings(feed, "links") if rel in _string(link, "rel").split())
    return next((_string(link, "href") for link in links), "")


def _marked(fields: Any, name: str) -> Text:
    return _text(fields, name, dict.get(fields, f"{name}_detail"))


def _text(fields: Any, name: str, detail: Any) -> Text:
    kind = _string(detail, "type") if isinstance(detail, dict) else ""
    text = "" if kind.startswith(WITHOUT_TEXT) else _string(fields, name)
    return Text(text, is_markup=kind != "text/plain")


# Past feedparser's own look-up, which gives one field for another, with a warning each time. An
# element of an unexpected shape becomes a value of an unexpected type.


def _string(fields: Any, name: str) -> str:
    value = dict.get(fields, name)
    return value if isinstance(value, str) else ""


def _mappings(fields: Any, name: str) -> list[Any]:
    values = dict.get(fields, name)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []
