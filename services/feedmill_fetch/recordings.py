"""Entries that are recordings: videos, and episodes of podcasts. Pure.

Their content is what is written about them, with their words after it where somebody wrote those
down.
"""

from collections.abc import Sequence
from html import escape

from feedmill.models.entries import Content, ContentKind, EntryToFetch
from feedmill.models.feeds import Enclosure
from feedmill_fetch.feed_text import LEAST_TEASER_WORDS
from feedmill_fetch.length import count_words, reading_minutes
from feedmill_fetch.sanitising import sanitise
from feedmill_fetch.speeches import named
from feedmill_fetch.transcripts import read_transcript
from feedmill_fetch.videos import thumbnail_url, video_id, watch_url

_HEADING = "Transcript"
_KINDS = {"audio": ContentKind.PODCAST, "video": ContentKind.VIDEO}
_SECONDS_A_MINUTE = 60


def recording_kind(entry: EntryToFetch) -> ContentKind | None:
    """Return what kind of recording an entry is; None where it is none."""
    if _video(entry) is not None:
        return ContentKind.VIDEO
    recording = recording_of(entry.enclosures)
    return None if recording is None else _KINDS[_family(recording)]


def recording_of(enclosures: Sequence[Enclosure]) -> Enclosure | None:
    """Return the file that holds the recording; None if there is none among them."""
    return next((each for each in enclosures if _family(each) in _KINDS), None)


def has_page(entry: EntryToFetch) -> bool:
    """Tell whether an entry's page may say more of it than its feed does.

    That of a video whose feed describes it says nothing else, and the file itself says nothing.
    """
    if _video(entry) is not None:
        return entry.video_id is None and count_words(entry.teaser) < LEAST_TEASER_WORDS
    recording = recording_of(entry.enclosures)
    return recording is None or entry.url not in {None, recording.url}


def as_recording(content: Content, entry: EntryToFetch) -> Content:
    """Return what is written about a recording as such, with its player and its picture."""
    kind = recording_kind(entry)
    if kind is None:
        return content
    video = _video(entry)
    picture = content.image_url or entry.image_url or (thumbnail_url(video) if video else None)
    player = _player(watch_url(video), entry) if video else ""
    found = {"kind": kind, "image_url": picture, "html": player + content.html}
    return content.model_copy(update=found)


def transcribed(content: Content, body: bytes, charset: str | None) -> Content | None:
    """Return a recording's content with its transcript, as it came; None if that says nothing."""
    lines = read_transcript(body, charset)
    return with_transcript(content, lines) if lines else None


def with_transcript(content: Content, lines: Sequence[str]) -> Content:
    """Return a recording's content with what is said in it below what is written about it."""
    written = "".join(f"{line}\n" for line in (content.text, _HEADING) if line)
    text = written + "\n".join(lines)
    found = {
        "html": f"{content.html}<h2>{_HEADING}</h2>{''.join(map(_paragraph, lines))}",
        "text": text,
        "transcript_start": len(written),
        "word_count": count_words(text),
        "reading_minutes": reading_minutes(text),
    }
    return content.model_copy(update=found)


def known(content: Content, *, language: str | None, withheld: str | None) -> Content:
    """Return the content with what is known of its transcript, where its page says nothing of that."""
    return content.model_copy(
        update={
            "language": content.language or language,
            "withheld": content.withheld or withheld,
        }
    )


def _video(entry: EntryToFetch) -> str | None:
    return entry.video_id or video_id(entry.url)


def _family(enclosure: Enclosure) -> str:
    return enclosure.media_type.partition("/")[0]


def _player(url: str, entry: EntryToFetch) -> str:
    """Return the link that stands for a player, made as those within articles are."""
    recording = recording_of(entry.enclosures)
    seconds = recording.duration_seconds if recording else None
    minutes = f" \u00b7 {round(seconds / _SECONDS_A_MINUTE) or 1} min" if seconds else ""
    title = f"\u25b6 {entry.title or 'YouTube'}{minutes}"
    return sanitise(f'<p><iframe src="{escape(url)}" title="{escape(title)}"></iframe></p>', url)


def _paragraph(line: str) -> str:
    speaker, words = named(line)
    name = f"<strong>{escape(speaker, quote=False)}:</strong> " if speaker else ""
    return f"<p>{name}{escape(words, quote=False)}</p>"
