"""How much of a text each of its sentences stands for (LexRank). Pure.

Imported only by the processes that rank: the libraries behind it take seconds to load.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence
from sumy.summarizers.lex_rank import LexRankSummarizer

from feedmill_distillation.lexicon import Lexicon, lexicon
from feedmill_distillation.words import words

# A longer sentence is a list or machine output, and all words are compared with one another.
_WORDS_PER_SENTENCE = 80


def ratings(sentences: Sequence[str], language: str = "") -> list[float]:
    """Return one rating for each sentence, 0 or more; all are 0 when none says more than another.

    Parameters
    ----------
    language
        Whose small words do not count, and whose endings make no other word.
    """
    known = _Words(lexicon(language))
    document = ObjectDocumentModel([Paragraph([Sentence(each, known) for each in sentences])])
    rated = [0.0] * len(sentences)

    def keep(ranked: Sequence[_Ranked]) -> Sequence[_Ranked]:
        for each in ranked:
            rated[each.order] = float(each.rating)
        return ranked

    # Sentences that have no word in common leave it nothing to divide by.
    with np.errstate(all="ignore"):
        LexRankSummarizer()(document, keep)
    return [rating if math.isfinite(rating) else 0.0 for rating in rated]


class _Ranked(Protocol):
    """What sumy says of a sentence: its place in the text, from 0, and its rating."""

    order: int
    rating: float


class _Words:
    """The tokenizer sumy asks for. Its own wants data files for each language."""

    def __init__(self, known: Lexicon) -> None:
        self._known = known

    def to_words(self, sentence: str) -> tuple[str, ...]:
        known = self._known
        found = words(sentence)[:_WORDS_PER_SENTENCE]
        return tuple(known.stem(word) for word in found if word not in known.stop)
