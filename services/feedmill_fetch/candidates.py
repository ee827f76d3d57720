"""What one extractor takes for the article, and how far it bears out another. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

from feedmill_fetch.lines import Line

# Words in a row that two texts share by chance only if they are phrases.
_RUN = 4
_Words = tuple[str, ...]

# An extractor may cut a few words off a line, or join it with another one.
_MOST_OF_A_LINE = 0.6
_NEARLY_A_LINE = 0.8


class Candidate:
    """The lines one extractor found, in their order."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.lines = tuple(lines)

    @cached_property
    def words(self) -> _Words:
        return tuple(word for line in self.lines for word in line.words)

    def has(self, words: _Words) -> bool:
        """Tell whether most of a line is in this text, wherever."""
        if len(words) < _RUN:
            return self._has_phrase(words)
        runs = _runs(words)
        return sum(run in self._runs for run in runs) >= _MOST_OF_A_LINE * len(runs)

    def cover(self, words: _Words) -> float:
        """Return which share of another text's runs of words this one has."""
        runs = _runs(words)
        return sum(run in self._runs for run in runs) / len(runs) if runs else 0.0

    def vouches_for(self, lines: Sequence[Line]) -> list[bool]:
        """Tell for each line of another candidate whether it is in this one as well.

        Each run of words vouches once, and for long lines first: what a page repeats as a pull
        quote or a caption is a repetition here too.
        """
        left = self._runs.copy()
        vouched = [False] * len(lines)
        for at in sorted(range(len(lines)), key=lambda at: -len(lines[at].words)):
            words = lines[at].words
            vouched[at] = self._has_phrase(words) if len(words) < _RUN else _spend(left, words)
        return vouched

    def _has_phrase(self, words: _Words) -> bool:
        return bool(words) and f" {' '.join(words)} " in self._flat

    @cached_property
    def _runs(self) -> Counter[_Words]:
        return Counter(_runs(self.words))

    @cached_property
    def _flat(self) -> str:
        return f" {' '.join(self.words)} "


def _spend(left: Counter[_Words], words: _Words) -> bool:
    runs = _runs(words)
    found = [run for run in runs if left[run] > 0]
    if len(found) < _NEARLY_A_LINE * len(runs):
        return False
    left.subtract(found)
    return True


def _runs(words: _Words) -> list[_Words]:
    return list(zip(words, words[1:], words[2:], words[3:], strict=False))
