"""What every feed format comes down to: entries with an identity, bounded and clean. Pure."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from feedmill.models.base import Model
from feedmill.models.feeds import FeedSnapshot, SnapshotEntry
from feedmill.web.plain import plain_text, shorten, storable

MOST_ENTRIES = 500

_TITLE_CHARACTERS = 500
_AUTHOR_CHARACTERS = 200
# Room for a whole short article: where a page gives nothing, this is what readers get.
_TEASER_CHARACTERS = 5_000
_MARKUP_CHARACTERS = 200_000
_URL_CHARACTERS = 2_000
# Postgres indexes at most 2,700 bytes, and some feeds put whole pages here.
_GUID_BYTES = 1_000

# Feeds are older than this only by mistake; the web is.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Clocks and time zones are wrong by up to a day; more than that is a calendar or a trick.
_AHEAD = timedelta(days=1)


class Text(Model):
    """A piece of a feed, which is markup or means what it says."""

    text: str = ""
    is_markup: bool = True


class ShownEntry(Model):
    """An entry as one feed format gives it, nothing about it checked."""

    guid: str = ""
    link: str = ""
    title: Text = Text()
    author: str = ""
    dates: tuple[datetime, ...] = ()
    texts: tuple[Text, ...] = ()


def snapshot(
    *, title: Text, site_link: str, shown: Sequence[ShownEntry], url: str, now: datetime
) -> FeedSnapshot:
    """Return what a feed shows: its newest 500 entries, in its own order, each with an identity.

    Parameters
    ----------
    url
        Where the feed was found; relative links start there.
    now
        Dates after tomorrow are not believed.
    """
    entries = _newest([_entry(entry, url, now) for entry in shown])
    return FeedSnapshot(
        title=_line(title, _TITLE_CHARACTERS),
        site_url=_link(site_link, url),
        entries=tuple(_with_unique_guids(entries)),
    )


def _entry(shown: ShownEntry, base: str, now: datetime) -> SnapshotEntry:
    url = _link(shown.link, base)
    title = _line(shown.title, _TITLE_CHARACTERS)
    # Feeds give a summary, the whole article, or both: more is better.
    teaser = max((_plain(text) for text in shown.texts), key=len, default="")
    return SnapshotEntry(
        guid=_guid(storable(shown.guid).strip() or url or _hash(f"{title}\n{teaser}")),
        url=url,
        title=title,
        author=_line(Text(text=shown.author), _AUTHOR_CHARACTERS) or None,
        published_at=next((date for date in shown.dates if _EARLIEST < date < now + _AHEAD), None),
        teaser=shorten(teaser, _TEASER_CHARACTERS),
    )


def _newest(entries: list[SnapshotEntry]) -> list[SnapshotEntry]:
    if len(entries) <= MOST_ENTRIES:
        return entries
    # Sorting is stable: entries without a date stay in the feed's order, which is newest first.
    newest = sorted(range(len(entries)), key=lambda at: _age(entries[at]))[:MOST_ENTRIES]
    return [entries[at] for at in sorted(newest)]


def _age(entry: SnapshotEntry) -> float:
    return 0 if entry.published_at is None else -entry.published_at.timestamp()


def _with_unique_guids(entries: Sequence[SnapshotEntry]) -> list[SnapshotEntry]:
    """Keep one entry per guid and link; where a guid has several links, the link joins the identity."""
    links = defaultdict(set)
    for entry in entries:
        links[entry.guid].add(entry.url)
    unique = {
        entry.guid: entry
        for entry in reversed([_told_apart(entry, len(links[entry.guid])) for entry in entries])
    }
    return list(reversed(unique.values()))


def _told_apart(entry: SnapshotEntry, links: int) -> SnapshotEntry:
    if links == 1:
        return entry
    return entry.model_copy(update={"guid": _guid(f"{entry.guid} {entry.url}")})


def _guid(text: str) -> str:
    return text if len(text.encode()) <= _GUID_BYTES else _hash(text)


def _hash(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _link(raw: str, base: str) -> str | None:
    try:
        # Feeds forget to escape spaces; browsers do it for them.
        link = urljoin(base, "%20".join(storable(raw).split()))
        scheme, host = urlsplit(link)[:2]
    except ValueError:
        return None
    usable = raw.strip() and scheme in {"http", "https"} and host
    return link if usable and len(link) <= _URL_CHARACTERS else None


def _line(text: Text, characters: int) -> str:
    return shorten(_plain(text).replace("\n", " "), characters)


def _plain(text: Text) -> str:
    bounded = text.text[:_MARKUP_CHARACTERS]
    if text.is_markup:
        return plain_text(bounded)
    lines = (" ".join(line.split()) for line in storable(bounded).splitlines())
    return "\n".join(line for line in lines if line)
