"""Which entries of one poll are the same. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from feedmill.models.feeds import SnapshotEntry

# Postgres indexes at most 2,700 bytes, and some feeds put whole pages here.
_GUID_BYTES = 1_000


def guid_of(text: str) -> str:
    """Return what identifies an entry, in a form that is short enough to be a key."""
    return text if len(text.encode()) <= _GUID_BYTES else _hash(text)


def content_guid(title: str, text: str) -> str:
    """Return what identifies an entry that has nothing but its text."""
    return _hash(f"{title}\n{text}")


def told_apart(entries: Sequence[SnapshotEntry]) -> list[SnapshotEntry]:
    """Return each entry of one poll once, in order, each with a guid of its own.

    Where several links share a guid, the link joins the identity; where several titles share both,
    so does the title. What differs in neither is one entry: the first of them that says anything.
    """
    links, titles = defaultdict(set), defaultdict(set)
    for entry in entries:
        links[entry.guid].add(entry.url)
        titles[entry.guid, entry.url].add(_said(entry))
    unique: dict[str, SnapshotEntry] = {}
    for entry in entries:
        several_links = len(links[entry.guid]) > 1
        several_titles = len(titles[entry.guid, entry.url] - {""}) > 1
        guid = _own_guid(entry, with_link=several_links, with_title=several_titles)
        if guid not in unique or not _said(unique[guid]):
            same = guid == entry.guid
            unique[guid] = entry if same else entry.model_copy(update={"guid": guid})
    return list(unique.values())


def _own_guid(entry: SnapshotEntry, *, with_link: bool, with_title: bool) -> str:
    link = [entry.url or ""] if with_link else []
    title = [_said(entry)] if with_title else []
    return guid_of(" ".join([entry.guid, *link, *title]))


def _said(entry: SnapshotEntry) -> str:
    return entry.title or entry.teaser


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
