"""What people say in a recording, as paragraphs. Pure."""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from feedmill.web.plain import squeezed
from feedmill_fetch.length import CHARACTER

# A name and a colon before what is said: at most so many words of so many letters.
_NAMED = re.compile(
    r"(?:>>+\s*)?(?P<name>[^\W\d_](?:[\w.'\u2019-]|\s(?=\S)){0,39}):\s+(?P<words>\S.*)", re.DOTALL
)
_MOST_NAME_WORDS = 4

# A paragraph goes on to the end of the sentence in which it became so long, or to here at most.
_PARAGRAPH_CHARACTERS = 500
_LONGEST_CHARACTERS = 1_500
# Captions are hardly ever taller.
_MOST_ROLLING_LINES = 4
# Chinese and Japanese go on in the next line without a space.
_UNSPACED = re.compile(rf"[{CHARACTER}\u3000-\u303f\uff00-\uffef]")
_SENTENCE_END = re.compile("[.!?\u2026\u3002\uff01\uff1f][\"'\u201d\u2019)\\]]*$")


class Speech(NamedTuple):
    """A piece of what is said. Whoever is not named goes on, or nobody knows who it is."""

    speaker: str
    words: str


def named(words: str) -> Speech:
    """Return what is said by whom, where a line begins with a name and a colon."""
    found = _NAMED.fullmatch(words)
    if found is None or len(found["name"].split()) > _MOST_NAME_WORDS:
        return Speech("", words)
    return Speech(found["name"], found["words"])


def told(speeches: Iterable[Speech]) -> list[str]:
    """Return paragraphs as they were written down, each behind its speaker's name if it is another."""
    before, lines = "", []
    for speech in speeches:
        words = squeezed(speech.words).replace("\n", " ")
        if words:
            lines.append(_line(speech.speaker if speech.speaker != before else "", words))
            before = speech.speaker or before
    return lines


def joined(speeches: Iterable[Speech]) -> list[str]:
    """Return paragraphs made of pieces, as captions are: a speaker each, and not too long."""
    paragraphs = []
    turn = Speech("", "")
    before: list[str] = []
    for speech in speeches:
        lines = list(filter(None, map(squeezed, speech.words.splitlines())))
        is_another = bool(speech.speaker) and speech.speaker != turn.speaker
        # Captions that roll say every line twice.
        fresh = lines if is_another else lines[_overlap(before, lines) :]
        before = lines or before
        if not fresh:
            continue
        if _begins_anew(turn, speech.speaker):
            paragraphs.append(turn)
            turn = Speech(speech.speaker or turn.speaker, "")
        words = _run_on([turn.words, *fresh] if turn.words else fresh)
        turn = Speech(turn.speaker or speech.speaker, words)
    return told([*paragraphs, turn])


def _overlap(before: Sequence[str], lines: Sequence[str]) -> int:
    """Return how many lines are the last ones of those before them."""
    most = min(len(before), len(lines), _MOST_ROLLING_LINES)
    return next((n for n in range(most, 0, -1) if before[-n:] == lines[:n]), 0)


def _run_on(lines: Sequence[str]) -> str:
    gaps = ("" if _is_unspaced(*pair) else " " for pair in pairwise(lines))
    return "".join(part for pair in zip(("", *gaps), lines, strict=True) for part in pair)


def _is_unspaced(line: str, following: str) -> bool:
    return bool(_UNSPACED.match(line[-1]) and _UNSPACED.match(following))


def _begins_anew(turn: Speech, speaker: str) -> bool:
    if not turn.words:
        return False
    if speaker and speaker != turn.speaker:
        return True
    is_long = len(turn.words) >= _PARAGRAPH_CHARACTERS and _SENTENCE_END.search(turn.words)
    return bool(is_long) or len(turn.words) >= _LONGEST_CHARACTERS


def _line(speaker: str, words: str) -> str:
    return f"{speaker}: {words}" if speaker else words
