"""Transcripts, whatever they are written in: captions, the JSON of podcasts, HTML or plain text. Pure."""

import bisect
import html
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, Literal

import webvtt
from webvtt.errors import MalformedCaptionError, MalformedFileError

from feedmill.models.feeds import Transcript
from feedmill.web.charsets import decode_text
from feedmill.web.plain import squeezed, storable
from feedmill_fetch.lines import lines_of
from feedmill_fetch.page import parse
from feedmill_fetch.plain_page import paragraphs
from feedmill_fetch.speeches import Speech, joined, named, told

# Those that know who speaks first. What names no type may be anything.
_TYPES = (
    "text/vtt",
    "application/json",
    "application/srt",
    "application/x-subrip",
    "text/html",
    "text/plain",
    "",
)

# Twelve hours of talk.
_MOST_CHARACTERS = 600_000
_MOST_READ = 3_000_000

_SRT = re.compile(r"(?:\d+\s*\n)?\d{1,2}:\d{2}:\d{2}[,.]\d{1,3}\s*-->")
_VOICE = re.compile(r"<v(?:\.[^\s.<>]{1,50})*\s+([^<>]{1,100})>")
# Tags, and where SRT says on which side of the picture a line stands.
_MARKS = re.compile(r"<[^<>]*>|\{\\[^{}]*\}")
_STAMP = r"[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?[\])]?"
_LEADING_STAMP = re.compile(rf"^{_STAMP}(?:\s*-+>?\s*{_STAMP})?[\s\u2013-]*")
_HEADED = re.compile(rf"([^\W\d_][^\d:\[(]{{0,39}}?)\s*(?::|\s{_STAMP}:?)\s*")


def best_transcript(
    offered: Sequence[Transcript], language: str | None = None
) -> Transcript | None:
    """Return the one to read: in the wanted language, and such as says who speaks; None if there is none.

    Parameters
    ----------
    language
        What the recording's page is in, if that is known; else the feed's first is as good as any.
    """

    def rank(each: Transcript) -> tuple[bool, int, bool]:
        is_other = bool(
            language and each.language and _primary(each.language) != _primary(language)
        )
        # Captions are cut to fit under a picture.
        return is_other, _TYPES.index(each.media_type), each.is_captions

    return min((each for each in offered if each.media_type in _TYPES), key=rank, default=None)


def _primary(language: str) -> str:
    return re.split("[-_]", language, maxsplit=1)[0].lower()


def read_transcript(body: bytes, charset: str | None) -> tuple[str, ...]:
    """Return what is said in a recording as paragraphs, each speaker's behind their name.

    None at all if it is no transcript. The format is told from its beginning: labels are often wrong.
    """
    text = decode_text(body, charset)[:_MOST_READ].lstrip("\ufeff \t\r\n")
    text = storable(text.replace("\r\n", "\n").replace("\r", "\n"))
    lines = _lines(text)
    lengths = accumulate(map(len, lines))
    return tuple(lines[: bisect.bisect_right(list(lengths), _MOST_CHARACTERS)])


def _lines(text: str) -> list[str]:
    if text.startswith("WEBVTT"):
        return joined(_captions(text, "vtt"))
    if _SRT.match(text):
        return joined(_captions(text, "srt"))
    if text.startswith(("{", "[")):
        return joined(_segments(text))
    if text.startswith("<"):
        return told(_written(_html_lines(text)))
    blocks = (block.split("\n") for block in re.split(r"\n\s*\n", text))
    return told(_written(line for block in blocks for line in _unwrapped(block)))


def _captions(text: str, written: Literal["vtt", "srt"]) -> Iterator[Speech]:
    try:
        captions = webvtt.from_buffer(io.StringIO(text), format=written).captions
    except (MalformedFileError, MalformedCaptionError):
        return
    for caption in captions:
        before, *voices = _VOICE.split(caption.raw_text)
        yield named(_unmarked(before))
        for speaker, words in zip(voices[::2], voices[1::2], strict=True):
            yield Speech(squeezed(_unmarked(speaker)), _unmarked(words))


def _unmarked(text: str) -> str:
    return html.unescape(_MARKS.sub("", text)).strip()


def _segments(text: str) -> Iterator[Speech]:
    """Yield what the JSON of the podcast namespace holds."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return
    segments = document.get("segments") if isinstance(document, dict) else document
    for segment in segments if isinstance(segments, list) else []:
        if isinstance(segment, dict):
            speaker, words = _string(segment, "speaker"), _string(segment, "body")
            yield Speech(squeezed(speaker), words) if speaker else named(words.strip())


def _string(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return storable(value) if isinstance(value, str) else ""


def _html_lines(text: str) -> Iterator[str]:
    page = parse(text)
    body = None if page is None else page.find("body")
    if body is not None:
        for time in list(body.iter("time")):
            time.drop_tree()
        yield from (line.text for line in lines_of(body))


def _unwrapped(block: Sequence[str]) -> list[str]:
    """Return the paragraphs of lines without an empty one between them; a heading is one by itself."""
    first, *others = block
    return [first, *paragraphs(others)] if _HEADED.fullmatch(first.strip()) else paragraphs(block)


def _written(lines: Iterator[str]) -> Iterator[Speech]:
    """Yield what lines say, under names that stand before them or above them."""
    speaker = ""
    for line in lines:
        words = _LEADING_STAMP.sub("", line.strip(), count=1)
        heading = _HEADED.fullmatch(words)
        if heading:
            speaker = heading[1]
            continue
        speech = named(words)
        speaker = speech.speaker or speaker
        yield Speech(speaker, speech.words)
