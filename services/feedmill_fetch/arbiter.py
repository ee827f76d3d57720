"""Which lines are the article's, of those that several extractors took for it. Pure.

The *reader view* finds nearly all of an article and something around it; its *rival* errs in other
places. Where they agree they are right, so a line needs both. One of them alone is believed where the
other has obviously missed a part, and then only if a *witness*, who keeps whatever looks like text,
bears it out. When they found different things altogether, the feed's own words decide whom to follow,
or else a *referee*, who is asked for nothing but that.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from feedmill_fetch.candidates import Candidate
from feedmill_fetch.lines import Line, words_of
from feedmill_fetch.prose import Prose, is_long_prose, is_prose

# The share of its words that the other one must lack before that has missed a part of the article.
_PART_OF_RIVAL = 0.25
_PART_OF_READER = 0.5
# What they have in common then is chance.
_NEARLY_ALL = 0.8

_LEAST_ANCHOR_WORDS = 12
_ANCHORED = 0.6
# How far down the reader view to look for a line that the rival has in other words.
_LOOK_AHEAD = 15
_MOSTLY_THE_SAME = 0.7


@dataclass(frozen=True)
class Ruling:
    """The article, line by line.

    Attributes
    ----------
    lines
        In the order of the page.
    places
        For each line its place among those of the reader view; None if it is not there.
    """

    lines: tuple[Line, ...] = ()
    places: tuple[int | None, ...] = ()

    @property
    def shared(self) -> float:
        """Which share of the words is in the reader view."""
        words = sum(len(line.words) for line in self.lines)
        own = sum(
            len(line.words)
            for line, place in zip(self.lines, self.places, strict=True)
            if place is not None
        )
        return own / words if words else 0.0


@dataclass(frozen=True)
class Panel:
    """Who is heard. The referee is asked only when the others are at odds, for it takes its time."""

    reader: Candidate
    rival: Candidate
    witness: Candidate
    referee: Callable[[], Candidate]


def arbitrate(panel: Panel, *, titles: Sequence[str] = (), teaser: str = "") -> Ruling:
    """Return the article's lines.

    Parameters
    ----------
    titles
        Headlines, by the page and by the feed: shown above the text, and no part of it.
    teaser
        What the feed says of the article, if anything.
    """
    prose = Prose(titles)
    ruling = _Case(panel, Candidate([Line(teaser, words_of(teaser))]), prose).ruling()
    return _kept(ruling, prose.judge(ruling.lines))


class _Case:
    """What the extractors say, compared."""

    def __init__(self, panel: Panel, anchor: Candidate, prose: Prose) -> None:
        self._panel, self._anchor = panel, anchor
        self._reader, self._rival, self._witness = panel.reader, panel.rival, panel.witness
        self._by_rival = self._rival.vouches_for(self._reader.lines)
        self._by_reader = [self._reader.has(line.words) for line in self._rival.lines]
        # What stands below a picture is missed on purpose, and so is the headline.
        self._extra = _share(
            self._reader,
            [
                known or line.caption
                for line, known in zip(self._reader.lines, self._by_rival, strict=True)
            ],
        )
        self._missing = _share(
            self._rival,
            [
                known or prose.is_title(line)
                for line, known in zip(self._rival.lines, self._by_reader, strict=True)
            ],
        )

    def ruling(self) -> Ruling:
        at_odds = min(self._extra, self._missing) >= _PART_OF_READER
        ruling = self._side() if at_odds else self._common_ground()
        return self._anchored(ruling)

    def _common_ground(self) -> Ruling:
        found: list[tuple[Line, int | None]] = []
        alone = self._rivals_own()
        for place, line in enumerate(self._reader.lines):
            found += ((own, None) for own in alone.get(place, ()))
            if self._takes_from_reader(place, line):
                found.append((line, place))
        found += ((own, None) for own in alone.get(len(self._reader.lines), ()))
        return _ruling(found)

    def _takes_from_reader(self, place: int, line: Line) -> bool:
        if not line.words or line.caption:
            return False
        if self._by_rival[place] or self._is_anchored_line(line):
            return True
        if self._extra < _PART_OF_READER or not self._witness.has(line.words):
            return False
        return self._extra > _NEARLY_ALL or is_prose(line)

    def _takes_from_rival(self, line: Line) -> bool:
        missed = self._missing >= _PART_OF_RIVAL or is_long_prose(line)
        return missed and self._witness.has(line.words)

    def _rivals_own(self) -> dict[int, list[Line]]:
        """Return what only the rival has and is to be believed, by the place it stands before."""
        own: dict[int, list[Line]] = {}
        finder = _Finder(self._reader)
        for line, known in zip(self._rival.lines, self._by_reader, strict=True):
            if known:
                finder.pass_by(line)
            elif self._takes_from_rival(line):
                own.setdefault(finder.next_place, []).append(line)
        return own

    def _side(self) -> Ruling:
        """At least one of them found something else than the article."""
        referee = self._panel.referee()
        return _ruling(
            (line, None)
            for line in referee.lines
            if self._witness.has(line.words) or self._reader.has(line.words)
        )

    @property
    def _has_anchor(self) -> bool:
        return len(self._anchor.words) >= _LEAST_ANCHOR_WORDS

    def _is_anchored_line(self, line: Line) -> bool:
        return (
            self._has_anchor
            and len(line.words) >= _LEAST_ANCHOR_WORDS
            and self._anchor.has(line.words)
        )

    def _anchored(self, ruling: Ruling) -> Ruling:
        """Follow the feed: what it says of an article is in it, if it is anywhere on the page."""
        if not self._has_anchor:
            return ruling
        cover = Candidate(ruling.lines).cover(self._anchor.words)
        everybody = (self._reader, self._rival, self._witness)
        best = max(everybody, key=lambda each: each.cover(self._anchor.words))
        if cover >= _ANCHORED or best.cover(self._anchor.words) < _ANCHORED:
            return ruling
        places = range(len(best.lines)) if best is self._reader else [None] * len(best.lines)
        return _ruling(zip(best.lines, places, strict=True))


class _Finder:
    """Follows the rival down the reader view, line by line."""

    def __init__(self, reader: Candidate) -> None:
        self._lines = reader.lines
        self._places: dict[tuple[str, ...], list[int]] = {}
        for place, line in enumerate(reader.lines):
            self._places.setdefault(line.words, []).append(place)
        self.next_place = 0

    def pass_by(self, line: Line) -> None:
        found = self._same(line)
        if found is None:
            found = next(self._like(line), None)
        if found is not None:
            self.next_place = found + 1

    def _same(self, line: Line) -> int | None:
        places = self._places.get(line.words, [])
        at = bisect_left(places, self.next_place)
        return places[at] if at < len(places) else None

    def _like(self, line: Line) -> Iterator[int]:
        words = set(line.words)
        ahead = self._lines[self.next_place : self.next_place + _LOOK_AHEAD]
        for place, other in enumerate(ahead, self.next_place):
            if len(words.intersection(other.words)) > _MOSTLY_THE_SAME * len(words):
                yield place


def _share(candidate: Candidate, left_out: Sequence[bool]) -> float:
    counted = sum(
        len(line.words) for line, out in zip(candidate.lines, left_out, strict=True) if not out
    )
    return counted / len(candidate.words) if candidate.words else 0.0


def _ruling(found: Iterable[tuple[Line, int | None]]) -> Ruling:
    pairs = tuple(found)
    return Ruling(tuple(line for line, _ in pairs), tuple(place for _, place in pairs))


def _kept(ruling: Ruling, verdicts: Sequence[bool]) -> Ruling:
    pairs = zip(ruling.lines, ruling.places, verdicts, strict=True)
    return _ruling((line, place) for line, place, stays in pairs if stays)
