"""What every feed format comes down to: entries with an identity, bounded and clean. Pure."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from heapq import nlargest

from feedmill.models.feeds import FeedSnapshot, SnapshotEntry
from feedmill.web.plain import plain_text, shorten, squeezed, storable
from feedmill_ingestion.hints import polling_hints
from feedmill_ingestion.identity import content_guid, guid_of, told_apart
from feedmill_ingestion.links import web_link
from feedmill_ingestion.media import enclosures, transcripts, video_id
from feedmill_ingestion.shown import NO_TEXT, ShownEntry, ShownFeed, Text

MOST_ENTRIES = 500

_TITLE_CHARACTERS = 500
_AUTHOR_CHARACTERS = 200
_MOST_AUTHORS = 10
_MOST_TEXTS = 10
_MOST_PICTURES = 10
# Room for a whole short article: where a page gives nothing, this is what readers get.
_TEASER_CHARACTERS = 5_000
# As much markup as a teaser's words are spread over; the first amount is nearly always enough.
_MARKUP_CHARACTERS = (20_000, 100_000)

# What is shorter is a summary, and what is longer more than an article, or somebody's trick.
_LEAST_ARTICLE_CHARACTERS = 500
_MOST_ARTICLE_CHARACTERS = 200_000
# Of one feed together. Its newest entries are those whose pages would be asked for.
_MOST_ARTICLES_CHARACTERS = 4_000_000

# Feeds are older than this only by mistake; the web is.
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
# Clocks and time zones are wrong by up to a day; more than that is a calendar or a trick.
_AHEAD = timedelta(days=1)

_ADDRESS = re.compile(r"[<(]?(?:mailto:)?[^\s<>()@]{1,64}@[^\s<>()@]{1,200}[>)]?")


def snapshot(shown: ShownFeed, *, url: str, now: datetime) -> FeedSnapshot:
    """Return what a feed shows: its newest 500 entries, in its own order, each with an identity.

    Parameters
    ----------
    url
        Where the feed was found; relative links start there.
    now
        Dates after tomorrow are not believed.
    """
    entries = [_entry(entry, url, now) for entry in _newest(shown.entries, now)]
    return FeedSnapshot(
        title=title_line(shown.title),
        site_url=web_link(shown.link, url),
        entries=tuple(told_apart(_within_bounds(entries))),
        hints=polling_hints(shown.hints),
        hub_url=web_link(shown.hub, url),
        self_url=web_link(shown.self_link, url),
    )


def title_line(title: Text) -> str:
    """Return a title as the one plain line that people read."""
    return _line(title, _TITLE_CHARACTERS)


def _entry(shown: ShownEntry, base: str, now: datetime) -> SnapshotEntry:
    url = web_link(shown.link, base)
    title = title_line(shown.title)
    text, teaser = _longest(shown.texts)
    pictures = (web_link(picture, base) for picture in shown.pictures[:_MOST_PICTURES])
    return SnapshotEntry(
        guid=guid_of(storable(shown.guid).strip() or url or content_guid(title, teaser)),
        url=url,
        title=title,
        author=_authors(shown.authors) or None,
        published_at=_published(shown, now),
        teaser=shorten(teaser, _TEASER_CHARACTERS),
        markup=_article(text, teaser),
        image_url=next((picture for picture in pictures if picture is not None), None),
        enclosures=enclosures(shown.files, base),
        transcripts=transcripts(shown.transcripts, base),
        video_id=video_id(shown.video_id),
    )


def _newest(entries: Sequence[ShownEntry], now: datetime) -> Sequence[ShownEntry]:
    if len(entries) <= MOST_ENTRIES:
        return entries
    # Sorting is stable: entries without a date stay in the feed's order, which is newest first.
    newest = sorted(range(len(entries)), key=lambda at: _age(entries[at], now))[:MOST_ENTRIES]
    return [entries[at] for at in sorted(newest)]


def _age(entry: ShownEntry, now: datetime) -> float:
    published_at = _published(entry, now)
    return 0 if published_at is None else -published_at.timestamp()


def _published(entry: ShownEntry, now: datetime) -> datetime | None:
    return next((date for date in entry.dates if _EARLIEST < date < now + _AHEAD), None)


def _authors(authors: Sequence[str]) -> str:
    # Feeds repeat an author under every name a format has for one.
    names = dict.fromkeys(_name(author[:_TITLE_CHARACTERS]) for author in authors[:_MOST_AUTHORS])
    return shorten(", ".join(name for name in names if name), _AUTHOR_CHARACTERS)


def _name(author: str) -> str:
    """Return the name without the address beside it, which is nobody's business."""
    line = _line(Text(author), _AUTHOR_CHARACTERS)
    if "@" not in author:
        return line
    name = _line(Text(_ADDRESS.sub(" ", author)), _AUTHOR_CHARACTERS)
    name = name.removeprefix("(").removesuffix(")") if name.startswith("(") else name
    return name or line


def _line(text: Text, characters: int) -> str:
    return shorten(_plain(text, characters).replace("\n", " "), characters)


def _longest(texts: Sequence[Text]) -> tuple[Text, str]:
    """Return the longest of a summary, the whole article, or whatever else a feed gives as text.

    As it came, and as far as it is needed without markup.
    """
    longest, longest_plain = NO_TEXT, ""
    for text in nlargest(_MOST_TEXTS, texts, key=lambda text: len(text.text)):
        # Plain text is never longer than its markup.
        if len(text.text) > len(longest_plain):
            plain = _plain(text, _TEASER_CHARACTERS)
            if len(plain) > len(longest_plain):
                longest, longest_plain = text, plain
    return longest, longest_plain


def _article(text: Text, plain: str) -> str | None:
    """Return a text with its markup, if it may be the whole article."""
    may_be = text.is_markup and len(plain) >= _LEAST_ARTICLE_CHARACTERS
    return storable(text.text) if may_be and len(text.text) <= _MOST_ARTICLE_CHARACTERS else None


def _within_bounds(entries: Sequence[SnapshotEntry]) -> list[SnapshotEntry]:
    """Return the entries without the markup of those for which, all in all, there is no room."""
    left = _MOST_ARTICLES_CHARACTERS
    bounded = []
    for entry in entries:
        left -= len(entry.markup or "")
        bounded.append(entry if left >= 0 else entry.model_copy(update={"markup": None}))
    return bounded


def _plain(text: Text, enough: int) -> str:
    """Return the text without markup, as far as it is needed: all of it if it is short."""
    plain = ""
    for characters in _MARKUP_CHARACTERS:
        plain = _read(text.text[:characters], is_markup=text.is_markup)
        if len(plain) > enough or len(text.text) <= characters:
            break
    return plain


def _read(text: str, *, is_markup: bool) -> str:
    return plain_text(text) if is_markup else squeezed(text)
