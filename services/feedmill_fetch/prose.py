"""What is prose, of the lines that were taken for it. Pure."""

import re
from collections.abc import Iterable, Sequence

from feedmill_fetch.furniture import is_furniture
from feedmill_fetch.lines import Line, words_of

_PROSE_WORDS = 12
# So much that ends like a sentence is prose, wherever it stands.
_LONG_PROSE_WORDS = 25
_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f:\"\u201d\u00bb)\]]\W*$")

# A line that is but a link leads to another article, unless most of the text is such lines.
_ALL_LINK = 0.9
_MOST_LINK_WORDS = 40
_MOSTLY_LINKS = 0.5
_ADDRESS = re.compile(r"https?:|www\.|\w\.\w\w+/")


def is_prose(line: Line, words: int = _PROSE_WORDS) -> bool:
    return len(line.words) >= words and _SENTENCE_END.search(line.text) is not None


def is_long_prose(line: Line) -> bool:
    return is_prose(line, _LONG_PROSE_WORDS)


class Prose:
    """What an article is made of, given its headlines."""

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = {_folded(words_of(title)) for title in titles} - {()}

    def is_title(self, line: Line) -> bool:
        return _folded(line.words) in self._titles

    def judge(self, lines: Sequence[Line]) -> list[bool]:
        """Tell of each line whether it stays."""
        words = sum(len(line.words) for line in lines)
        linked = sum(line.linked * len(line.words) for line in lines)
        is_list_of_links = linked >= _MOSTLY_LINKS * words
        return [self._stays(line, is_list_of_links=is_list_of_links) for line in lines]

    def _stays(self, line: Line, *, is_list_of_links: bool) -> bool:
        if self.is_title(line) or is_furniture(line.text, len(line.words)):
            return False
        return is_list_of_links or not _is_cross_reference(line)


def _is_cross_reference(line: Line) -> bool:
    if line.linked < _ALL_LINK or line.heading or len(line.words) > _MOST_LINK_WORDS:
        return False
    return _ADDRESS.search(line.text) is None


def _folded(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(word.casefold() for word in words)
