"""Enclosures and transcripts as we keep them, from what feeds say about files. Pure."""

import re
from collections.abc import Sequence

from feedmill.models.feeds import Enclosure, Transcript
from feedmill_ingestion.links import web_link
from feedmill_ingestion.shown import ShownFile, ShownTranscript

_MOST_ENCLOSURES = 20
# Of which some are no files of the web.
_MOST_FILES = 100
_MOST_TRANSCRIPTS = 10
# Sizes and durations beyond these are mistakes.
_MOST_BYTES = 1 << 50
_MOST_SECONDS = 30 * 86_400

# What is named beside videos to this day, and opens nowhere any more.
_DEAD_TYPE = "application/x-shockwave-flash"

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}")
_VIDEO_ID = re.compile(r"[\w-]{11}", re.ASCII)
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9})(?:[.,]\d*)?")


def enclosures(files: Sequence[ShownFile], base: str) -> tuple[Enclosure, ...]:
    """Return the files of an entry, each once, at most 20 and only such as the web has."""
    kept: dict[str, Enclosure] = {}
    for file in files[:_MOST_FILES]:
        url = web_link(file.url, base)
        if url in kept:
            kept[url] = _completed(kept[url], _enclosure(url, file))
        elif url is not None and len(kept) < _MOST_ENCLOSURES and file.media_type != _DEAD_TYPE:
            kept[url] = _enclosure(url, file)
    return tuple(kept.values())


def transcripts(shown: Sequence[ShownTranscript], base: str) -> tuple[Transcript, ...]:
    """Return the transcripts of an entry, each once, at most 10 and only such as the web has."""
    kept: dict[str, Transcript] = {}
    for each in shown[:_MOST_TRANSCRIPTS]:
        url = web_link(each.url, base)
        if url is not None:
            kept.setdefault(url, _transcript(url, each))
    return tuple(kept.values())


def video_id(shown: str) -> str | None:
    """Return the id of a video on YouTube; None if what is shown is none."""
    return shown if _VIDEO_ID.fullmatch(shown) else None


def _transcript(url: str, shown: ShownTranscript) -> Transcript:
    language = _LANGUAGE.fullmatch(shown.language.strip())
    return Transcript(
        url=url,
        media_type=_media_type(shown.media_type),
        language=language[0] if language else None,
        is_captions=shown.rel.strip().lower() == "captions",
    )


def _completed(one: Enclosure, same: Enclosure) -> Enclosure:
    """Return what two elements say about one file; the first of them is believed."""
    return Enclosure(
        url=one.url,
        media_type=one.media_type or same.media_type,
        size_bytes=one.size_bytes or same.size_bytes,
        duration_seconds=one.duration_seconds or same.duration_seconds,
    )


def _enclosure(url: str, file: ShownFile) -> Enclosure:
    return Enclosure(
        url=url,
        media_type=_media_type(file.media_type),
        size_bytes=_size(file.size),
        duration_seconds=_seconds(file.duration),
    )


def _media_type(text: str) -> str:
    kind = _MEDIA_TYPE.match(text.strip().lower())
    return kind[0] if kind else ""


def _size(text: str) -> int | None:
    """Return a number of bytes; None for the 0 and the nonsense of those who do not know it."""
    digits = text.strip()
    size = int(digits) if digits.isdecimal() and len(digits) <= len(str(_MOST_BYTES)) else 0
    return size if 0 < size <= _MOST_BYTES else None


def _seconds(text: str) -> int | None:
    """Read "3600", "60:00" and "1:00:00"."""
    clock = _CLOCK.fullmatch(text.strip())
    if clock is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in clock.groups())
    duration = hours * 3_600 + minutes * 60 + seconds
    return duration if 0 < duration <= _MOST_SECONDS else None
