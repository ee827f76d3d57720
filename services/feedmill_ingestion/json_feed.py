"""JSON Feed 1.0 and 1.1 (jsonfeed.org), read as leniently as the others. Pure."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from feedmill.models.feeds import FeedSnapshot
from feedmill_ingestion.snapshots import ShownEntry, Text, snapshot

_VERSION = "jsonfeed.org/version/1"


def read_json_feed(text: str, url: str, now: datetime) -> FeedSnapshot | str:
    """Return what the feed shows, or in a few words why it is none."""
    try:
        document = json.loads(text)
    except ValueError:
        return "JSON that cannot be read"
    if not isinstance(document, dict) or _VERSION not in _text(document, "version"):
        return "JSON, but no JSON Feed"
    items = document.get("items")
    return snapshot(
        title=Text(text=_text(document, "title"), is_markup=False),
        site_link=_text(document, "home_page_url"),
        shown=[_shown(item) for item in items if isinstance(item, dict)]
        if isinstance(items, list)
        else [],
        url=url,
        now=now,
    )


def _shown(item: Mapping[str, Any]) -> ShownEntry:
    dates = (_date(_text(item, "date_published")), _date(_text(item, "date_modified")))
    return ShownEntry(
        guid=_text(item, "id"),
        link=_text(item, "url") or _text(item, "external_url"),
        title=Text(text=_text(item, "title"), is_markup=False),
        author=_author(item),
        dates=tuple(date for date in dates if date is not None),
        texts=(
            Text(text=_text(item, "content_html")),
            Text(text=_text(item, "content_text"), is_markup=False),
            Text(text=_text(item, "summary"), is_markup=False),
        ),
    )


def _author(item: Mapping[str, Any]) -> str:
    authors = item.get("authors")
    # 1.0 had one `author`, 1.1 has a list of them.
    each = authors if isinstance(authors, list) else [item.get("author")]
    return ", ".join(_text(author, "name") for author in each if isinstance(author, dict))


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    # Ids are strings by the letter and numbers in practice.
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    return ""


def _date(text: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
