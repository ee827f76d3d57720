"""Where the sentences of a text are. Pure."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import sentencex

# A paragraph longer than this is no prose, and quotation marks without end would cost the splitter
# quadratic time.
_PARAGRAPH = re.compile(r"[^\n]{1,10000}")
# A stop and the marks that close around it.
_END_CHARACTERS = 4
_SPACE = re.compile(r"\s")
# Thai and Lao put a space where others put a stop, and between smaller parts too.
_STOPLESS = re.compile(r"[\u0e00-\u0eff]")
_PART = re.compile(r"\S.{50,}?(?=\s|\Z)|\S.*")
_WHOLE = re.compile(r"[.!?…。\u061f\u0964\u104b\u17d4\uff01\uff1f][\"'”\u2019»)\]」』\uff09]*\Z")


class Span(NamedTuple):
    """`text[start:end]`, without white space around it."""

    start: int
    end: int


def sentences(text: str, language: str | None, *, most: int) -> tuple[Span, ...]:
    """Return the first `most` sentences of a text; no sentence crosses a line.

    Parameters
    ----------
    language
        BCP 47; the rules for English where it is unknown or None.
    """
    primary = (language or "en").partition("-")[0].lower()
    return tuple(islice(_sentences(text, primary), most))


def is_whole(sentence: str) -> bool:
    """Tell a sentence from a heading: it ends with a stop."""
    return _WHOLE.search(sentence, max(0, len(sentence) - _END_CHARACTERS)) is not None


def _sentences(text: str, language: str) -> Iterator[Span]:
    for paragraph in _PARAGRAPH.finditer(text):
        # The splitter aborts at some wide white space. A space in its place keeps every position.
        plain = _SPACE.sub(" ", paragraph[0])
        for start, end in _borders(plain, language):
            offset = paragraph.start()
            span = _trimmed(text, offset + start, offset + end)
            if span.end > span.start:
                yield span


def _borders(paragraph: str, language: str) -> Iterator[tuple[int, int]]:
    if _STOPLESS.search(paragraph):
        yield from (part.span() for part in _PART.finditer(paragraph))
        return
    for border in sentencex.get_sentence_boundaries(language, paragraph):
        yield border["start_index"], border["end_index"]


def _trimmed(text: str, start: int, end: int) -> Span:
    passage = text[start:end]
    start += len(passage) - len(passage.lstrip())
    return Span(start, start + len(passage.strip()))
