"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read as leniently as the others. Pure."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from feedmill.models.outcomes import Reason
from feedmill_ingestion.dates import moment
from feedmill_ingestion.shown import (
    MOST_READ,
    FeedUnreadable,
    ShownEntry,
    ShownFeed,
    ShownFile,
    Text,
)

_VERSION = "jsonfeed.org/version/1"


def read_json_feed(text: str) -> ShownFeed | FeedUnreadable:
    """Return what the feed shows, or why it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _unreadable(text)
    if not isinstance(document, dict) or _VERSION not in _text(document, "version"):
        return FeedUnreadable(reason=Reason.NOT_A_FEED, detail="JSON, but no JSON Feed")
    return ShownFeed(
        title=Text(_text(document, "title"), is_markup=False),
        link=_text(document, "home_page_url"),
        entries=[_shown(item) for item in _objects(document, "items")[:MOST_READ]],
        hub=next(_hubs(document), ""),
        self_link=_text(document, "feed_url"),
    )


def _unreadable(text: str) -> FeedUnreadable:
    if _VERSION in text and not text.rstrip().endswith("}"):
        return FeedUnreadable(reason=Reason.TRUNCATED, detail="the JSON Feed has no end")
    return FeedUnreadable(reason=Reason.NOT_A_FEED, detail="JSON that cannot be read")


def _shown(item: Mapping[str, Any]) -> ShownEntry:
    dates = (moment(_text(item, "date_published")), moment(_text(item, "date_modified")))
    return ShownEntry(
        guid=_text(item, "id"),
        link=_text(item, "url") or _text(item, "external_url"),
        title=Text(_text(item, "title"), is_markup=False),
        authors=tuple(_authors(item)),
        dates=tuple(date for date in dates if date is not None),
        texts=(
            Text(_text(item, "content_html")),
            Text(_text(item, "content_text"), is_markup=False),
            Text(_text(item, "summary"), is_markup=False),
        ),
        files=tuple(_file(attachment) for attachment in _objects(item, "attachments")),
        pictures=(_text(item, "image"), _text(item, "banner_image")),
    )


def _authors(item: Mapping[str, Any]) -> Iterator[str]:
    # 1.0 had one `author`, 1.1 has a list of them.
    authors = _objects(item, "authors") or _objects({"author": [item.get("author")]}, "author")
    for author in authors:
        yield _text(author, "name")


def _file(attachment: Mapping[str, Any]) -> ShownFile:
    return ShownFile(
        url=_text(attachment, "url"),
        media_type=_text(attachment, "mime_type"),
        size=_text(attachment, "size_in_bytes"),
        duration=_text(attachment, "duration_in_seconds"),
    )


def _hubs(document: Mapping[str, Any]) -> Iterator[str]:
    for hub in _objects(document, "hubs"):
        if _text(hub, "type").lower() == "websub":
            yield _text(hub, "url")


def _objects(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    values = fields.get(name)
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    # Ids are strings by the letter and numbers in practice.
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return ""
