"""Enclosures as we keep them, from what feeds say about files. Pure."""

import re
from collections.abc import Sequence

from feedmill.models.feeds import Enclosure
from feedmill_ingestion.links import web_link
from feedmill_ingestion.shown import ShownFile

_MOST_ENCLOSURES = 20
# Of which some are no files of the web.
_MOST_FILES = 100
# Sizes and durations beyond these are mistakes.
_MOST_BYTES = 1 << 50
_MOST_SECONDS = 30 * 86_400

_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
_CLOCK = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9})(?:[.,]\d*)?")


def enclosures(files: Sequence[ShownFile], base: str) -> tuple[Enclosure, ...]:
    """Return the files of an entry, each once, at most 20 and only such as the web has."""
    kept: dict[str, Enclosure] = {}
    for file in files[:_MOST_FILES]:
        url = web_link(file.url, base)
        if url in kept:
            kept[url] = _completed(kept[url], _enclosure(url, file))
        elif url is not None and len(kept) < _MOST_ENCLOSURES:
            kept[url] = _enclosure(url, file)
    return tuple(kept.values())


def _completed(one: Enclosure, same: Enclosure) -> Enclosure:
    """Return what two elements say about one file; the first of them is believed."""
    return Enclosure(
        url=one.url,
        media_type=one.media_type or same.media_type,
        size_bytes=one.size_bytes or same.size_bytes,
        duration_seconds=one.duration_seconds or same.duration_seconds,
    )


def _enclosure(url: str, file: ShownFile) -> Enclosure:
    kind = _MEDIA_TYPE.match(file.media_type.strip().lower())
    return Enclosure(
        url=url,
        media_type=kind[0] if kind else "",
        size_bytes=_size(file.size),
        duration_seconds=_seconds(file.duration),
    )


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
