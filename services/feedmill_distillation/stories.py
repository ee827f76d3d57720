"""Whether two texts tell the same story, word for word but for what each publisher adds. Pure.

Precision counts more than recall. Weather reports, price lists and release notes share most of their
words and none of their facts, so it is not enough that two texts are alike: where they differ, it
must not be in a fact.
"""

import difflib
import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from feedmill_distillation.figures import NUMBER, grouped
from feedmill_distillation.fingerprints import rows
from feedmill_distillation.lexicon import Lexicon, fold, language_of, lexicon
from feedmill_distillation.polarity import is_turned
from feedmill_distillation.reading import Reading, is_unspaced
from feedmill_distillation.sentences import sentences
from feedmill_distillation.words import words

_MOST_SENTENCES = 150
# Of the shorter text this must be in the longer one, and of both together this in both.
_CONTAINED, _SHARED = 0.7, 0.5
# Two sentences with this many of their words in common are one, edited.
_EDITED = 0.6
# A sentence is longer than a line of a page that says when it was updated.
_SENTENCE_WORDS = 5
_LINES_THAT_MAY_DIFFER = 0.1
_NUMBERS = re.compile(NUMBER)
_HAN = re.compile(r"[\u30a1-\u30fa\u30fc\u3400-\u9fff]+")


class _Sentence(NamedTuple):
    text: str
    words: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]
    reading: Reading


class Told(NamedTuple):
    """A text and its language, as it is stored."""

    text: str
    language: str | None = None


def same_story(one: Told, other: Told) -> bool:
    """Tell whether two texts are one story: one distillate serves both."""
    if one.text == other.text:
        return True
    first, second = _Telling(one), _Telling(other)
    if not first.rows or not second.rows:
        return False
    common = len(first.rows & second.rows)
    contained = common / min(len(first.rows), len(second.rows))
    shared = common / len(first.rows | second.rows)
    return contained >= _CONTAINED and shared >= _SHARED and not _facts_differ(first, second)


class _Telling:
    def __init__(self, told: Told) -> None:
        self._told = told

    @cached_property
    def rows(self) -> frozenset[str]:
        found = words(self._told.text)
        return rows(found) if found else frozenset()

    @cached_property
    def sentences(self) -> tuple[_Sentence, ...]:
        text = self._told.text
        known = lexicon(language_of(text[:4_000], self._told.language))
        spans = sentences(text, known.language, most=_MOST_SENTENCES)
        return tuple(_sentence(text[span.start : span.end], known) for span in spans)


def _sentence(text: str, known: Lexicon) -> _Sentence:
    reading = Reading(text, known)
    tokens = () if known.spaceless else reading.tokens
    names = frozenset(t.word for t in tokens if t.is_capitalised and t.word not in known.stop)
    plain = fold(grouped(text))
    numbers = frozenset(_NUMBERS.findall(plain))
    return _Sentence(plain, frozenset(words(plain)) - names - numbers, numbers, names, reading)


def _facts_differ(first: _Telling, second: _Telling) -> bool:
    """Tell whether a sentence of one text is one of the other with another fact in it."""
    theirs = {sentence.text: sentence for sentence in second.sentences}
    ours = [sentence for sentence in first.sentences if sentence.text not in theirs]
    known = {sentence.text for sentence in first.sentences}
    left = [sentence for sentence in second.sentences if sentence.text not in known]
    differing = 0
    for sentence in ours:
        match = _counterpart(sentence, left)
        if match is None or not _differ(sentence, match):
            continue
        if len(sentence.words) + len(sentence.names) >= _SENTENCE_WORDS:
            return True
        differing += 1
    return differing > _LINES_THAT_MAY_DIFFER * len(first.sentences)


def _counterpart(sentence: _Sentence, others: Sequence[_Sentence]) -> _Sentence | None:
    """Return the sentence that this one was before somebody edited it, or after."""
    likest = max(others, key=lambda other: _likeness(sentence, other), default=None)
    return likest if likest is not None and _likeness(sentence, likest) >= _EDITED else None


def _likeness(one: _Sentence, other: _Sentence) -> float:
    if not one.words and not other.words:
        # Nothing but figures and names.
        return float(bool(one.names & other.names) or not (one.names or other.names))
    return len(one.words & other.words) / max(1, len(one.words | other.words))


def _differ(one: _Sentence, other: _Sentence) -> bool:
    """Tell whether each of two sentences has a fact in the place of one of the other's."""
    if _replaced(one.numbers, other.numbers) or _replaced(one.names, other.names):
        return True
    if is_turned(one.reading, other.reading):
        return True
    return is_unspaced(one.text) and _has_other_han(one.text, other.text)


def _replaced(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return bool(ours - theirs) and bool(theirs - ours)


def _has_other_han(one: str, other: str) -> bool:
    """Tell whether characters were exchanged for as many others, as names are."""
    changes = difflib.SequenceMatcher(None, one[:500], other[:500], autojunk=False).get_opcodes()
    return any(
        tag == "replace"
        and i2 - i1 == j2 - j1
        and _HAN.fullmatch(one[i1:i2])
        and _HAN.fullmatch(other[j1:j2])
        for tag, i1, i2, j1, j2 in changes
    )
