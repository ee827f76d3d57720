"""Which entries are the same: within one poll, and from poll to poll. Pure."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

from feedmill.models.feeds import KnownEntry, SnapshotEntry

# Postgres indexes at most 2,700 bytes, and some feeds put whole pages here.
_GUID_BYTES = 1_000

# Where an entry leads and what it says first.
_Face = tuple[str | None, str]


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


def really_new(
    shown: Sequence[SnapshotEntry], known: Collection[KnownEntry]
) -> list[SnapshotEntry]:
    """Return the entries of a poll that the feed has not shown before.

    Some feeds give their entries another guid at every poll, or all at once when their software
    changes. So an entry whose guid is unknown is still known when one with the same link and title
    is no longer shown under its own guid, and nothing speaks for two: their dates or their texts are
    equal, the page is the same and nobody gives a date, or no guid of this poll was ever seen.

    Parameters
    ----------
    known
        This feed's stored entries that share a guid, a link or a title with one that is shown.
    """
    guids = {entry.guid for entry in known}
    unseen = [entry for entry in shown if entry.guid not in guids]
    shown_guids = {entry.guid for entry in shown}
    gone = [entry for entry in known if entry.guid not in shown_guids]
    if not unseen or not gone:
        return unseen
    twins = _Twins(shown, gone, all_at_once=len(unseen) == len(shown) > 1)
    return [entry for entry in unseen if not twins.has(entry)]


class _Twins:
    """Entries that are no longer shown under their guid, by what else tells them."""

    def __init__(
        self, shown: Sequence[SnapshotEntry], gone: Sequence[KnownEntry], *, all_at_once: bool
    ) -> None:
        self._all_at_once = all_at_once
        # A face that several entries of one poll have tells none of them.
        self._shown = Counter(_face(entry) for entry in shown)
        self._gone = {_face(entry): entry for entry in gone}
        self._evidence = {evidence for entry in gone for evidence in _evidence(entry)}

    def has(self, entry: SnapshotEntry) -> bool:
        face = _face(entry)
        if not self._evidence.isdisjoint(_evidence(entry)):
            return True
        twin = self._gone.get(face)
        if twin is None or not any(face) or self._shown[face] > 1:
            return False
        undated = entry.published_at is None or twin.published_at is None
        return self._all_at_once or (entry.url is not None and undated)


def _face(entry: SnapshotEntry | KnownEntry) -> _Face:
    return entry.url, _said(entry)


def _said(entry: SnapshotEntry | KnownEntry) -> str:
    return entry.title or entry.teaser


def _evidence(entry: SnapshotEntry | KnownEntry) -> Iterator[tuple[_Face, object]]:
    face = _face(entry)
    if any(face) and entry.published_at is not None:
        yield face, entry.published_at
    if any(face) and entry.teaser:
        yield face, entry.teaser


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
