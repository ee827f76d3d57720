"""Where an article says what its distillate says, marked in its HTML. Pure."""

import html as markup
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from feedmill.models.distillates import Passage
from feedmill.models.reader import EntryDetail

# Sanitised HTML: its tags are well formed, and outside of them every < is an entity.
_PIECE = re.compile(r"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>|&#?\w+;|[^<&]+|[<&]")
# Marking takes time in proportion, and the page has to come.
_MARKED_CHARACTERS = 1_000_000


class Said(NamedTuple):
    """A part of a distillate, and the number of the passage that it rests on, if that is shown."""

    text: str
    passage: int | None = None
    quote: str = ""
    is_sure: bool = True


class Marked(NamedTuple):
    """An entry's distillate and article, linked to each other."""

    summary: tuple[Said, ...]
    key_points: tuple[Said, ...]
    html: str


def marked(entry: EntryDetail) -> Marked:
    """Link key points and summary with the article: passage `n` has the id `passage-n`."""
    sources = [*entry.key_points, *(s.sources[0] for s in entry.sentences if s.sources)]
    quotes = [_quote(entry, source) for source in sources]
    html, found = mark_passages(entry.html or "", quotes)
    numbers = iter([number if number in found else None for number in range(len(sources))])
    points = [
        Said(point.text, next(numbers), quote)
        for point, quote in zip(entry.key_points, quotes, strict=False)
    ]
    return Marked(tuple(_summary(entry, numbers)), tuple(points), html)


def mark_passages(html: str, passages: Sequence[str]) -> tuple[str, frozenset[int]]:
    """Return sanitised HTML with passages of its text marked, and the numbers of those that it has.

    Parameters
    ----------
    passages
        Plain text, numbered from 0. White space and tags between its words do not matter.
    """
    if not any(passages) or len(html) > _MARKED_CHARACTERS:
        return html, frozenset()
    read = _Read(html)
    places = {number: place for number, text in enumerate(passages) if (place := read.find(text))}
    changes = [change for each in _cut(places) for change in read.around(*each)]
    pieces, end = [], 0
    for at, added in changes:
        pieces += [html[end:at], added]
        end = at
    return "".join([*pieces, html[end:]]), frozenset(places)


class _Read:
    """HTML as text, each character of which knows where it stands."""

    def __init__(self, html: str) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._runs: list[tuple[int, int]] = []
        characters: list[str] = []
        for piece in _PIECE.finditer(html):
            if piece[0][0] == "<" and len(piece[0]) > 1:
                continue
            self._note_run(*piece.span())
            for text, start, end in _characters(piece):
                characters.append(text)
                self._starts.append(start)
                self._ends.append(end)
        self._text = "".join(characters)

    def find(self, passage: str) -> tuple[int, int] | None:
        """Return where a passage begins and ends in the HTML."""
        wanted = "".join(passage.split())
        place = self._text.find(wanted) if wanted else -1
        if place < 0:
            return None
        return self._starts[place], self._ends[place + len(wanted) - 1]

    def around(self, start: int, end: int, numbers: Sequence[int]) -> Iterator[tuple[int, str]]:
        """Yield what to insert where, so that every piece of text between tags is marked."""
        ids = "".join(f'<span class="passage" id="passage-{number}"></span>' for number in numbers)
        for first, last in self._runs:
            left, right = max(start, first), min(end, last)
            if left < right:
                yield left, f"{ids}<mark>"
                yield right, "</mark>"
                ids = ""

    def _note_run(self, start: int, end: int) -> None:
        if self._runs and self._runs[-1][1] == start:
            start = self._runs.pop()[0]
        self._runs.append((start, end))


def _characters(piece: re.Match[str]) -> Iterator[tuple[str, int, int]]:
    if piece[0].startswith("&") and len(piece[0]) > 1:
        text = markup.unescape(piece[0])
        # Some entities are two characters; they begin and end together.
        yield from ((each, *piece.span()) for each in text if not each.isspace())
    else:
        for at, each in enumerate(piece[0], piece.start()):
            if not each.isspace():
                yield each, at, at + 1


def _cut(places: dict[int, tuple[int, int]]) -> Iterator[tuple[int, int, list[int]]]:
    """Yield what is to be marked, cut where a passage begins or ends, and who begins there."""
    edges = sorted({edge for place in places.values() for edge in place})
    for start, end in pairwise(edges):
        if any(first <= start and end <= last for first, last in places.values()):
            yield start, end, sorted(n for n, (first, _) in places.items() if first == start)


def _summary(entry: EntryDetail, numbers: Iterator[int | None]) -> Iterator[Said]:
    summary, end = entry.summary or "", 0
    for sentence in entry.sentences:
        yield Said(summary[end : sentence.start])
        text, end = summary[sentence.start : sentence.end], sentence.end
        yield Said(text, next(numbers)) if sentence.sources else Said(text, is_sure=False)
    yield Said(summary[end:])


def _quote(entry: EntryDetail, passage: Passage) -> str:
    return (entry.text or "")[passage.start : passage.end]
