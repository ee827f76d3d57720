"""An article as numbered lines, each of which knows where it stands in the stored text. Pure."""

import re
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

# Short enough that a cited line is a passage a reader finds at a glance; most paragraphs are
# shorter and stay whole.
LINE_CHARACTERS = 500

_PARAGRAPH = re.compile(r"[^\n]+")
# A stop and closing marks before a space; or a full-width stop, which no space follows.
_SENTENCE_END = re.compile(r"[.!?…\u061f\u0964][\"'”\u2019»)\]]*\s+|[。\uff01\uff1f]+[」』\uff09]*")
_SPACE = re.compile(r"\s+")


class Line(NamedTuple):
    """A passage: `text[start:end]` of the stored text, which holds no line break.

    Lines are numbered from 1.
    """

    number: int
    start: int
    end: int


def numbered_lines(text: str, *, characters: int) -> tuple[Line, ...]:
    """Return the first lines of a text, `characters` in all at most.

    A paragraph is a line; a long one is cut after a sentence, or where that is not possible
    between words. Blank lines are left out.
    """
    lines = []
    for line in _lines(text):
        characters -= line.end - line.start
        if characters < 0:
            break
        lines.append(line)
    return tuple(lines)


def has_words(text: str) -> bool:
    """Tell whether there is anything to read."""
    return re.search(r"\w", text) is not None


def one_line(text: str) -> str:
    """Return the text with every run of white space and control characters as one space."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())


def _lines(text: str) -> Iterator[Line]:
    numbers = count(1)
    for paragraph in _PARAGRAPH.finditer(text):
        for start, end in _pieces(text, *paragraph.span()):
            passage = text[start:end]
            begin = start + len(passage) - len(passage.lstrip())
            finish = begin + len(passage.strip())
            if finish > begin:
                yield Line(next(numbers), begin, finish)


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while end - start > LINE_CHARACTERS:
        border = _border(text, start, start + LINE_CHARACTERS)
        yield start, border
        start = border
    yield start, end


def _border(text: str, start: int, limit: int) -> int:
    for pattern in (_SENTENCE_END, _SPACE):
        # The second half only: pieces of very different length would make citations uneven.
        borders = [found.end() for found in pattern.finditer(text, (start + limit) // 2, limit)]
        if borders:
            return borders[-1]
    return limit
