"""A distillate made of an article's own sentences. Pure; runs in a process of its own."""

import math
import os
from collections.abc import Sequence

from feedmill.models.distillates import Distillate, KeyPoint, Passage, SummarySentence
from feedmill_distillation.keywords import repeated_names
from feedmill_distillation.lexicon import Lexicon, fold, language_of, lexicon
from feedmill_distillation.lines import has_words, one_line
from feedmill_distillation.sentences import Span, is_whole, sentences
from feedmill_distillation.words import words

# Changes whenever the same text could come out differently.
VERSION = "extract-2"

# Ranking compares all sentences with one another: 200 take about a second, twice as many take four.
_MOST_SENTENCES = 200
_SHORT_CHARACTERS = 200
_SHORT_SENTENCES = 2

_SUMMARY_CHARACTERS = 500
_SUMMARY_SENTENCES = 3
# A sentence further down is not taken only because it still fits.
_SUMMARY_CANDIDATES = 6

_FEWEST_KEY_POINTS = 3
_MOST_KEY_POINTS = 5
_KEY_POINT_CHARACTERS = 1_000

# Two sentences with this many of their words in common say the same.
_ALMOST_THE_SAME = 0.7

# Less is a byline or a button.
_WORDS_OF_A_SENTENCE = 5

_LONG_READ_WORDS = 1_500

# Full-width stops and closing brackets, which no space follows.
_UNSPACED_ENDS = ("\u3002", "\uff01", "\uff1f", "\u300d", "\u300f")


def extract(text: str, language: str | None) -> Distillate | None:
    """Pick the sentences that stand for a text; None when it has no words.

    Parameters
    ----------
    text
        The stored text. The summary is its best two or three sentences, or all of it when it is
        very short; every key point is `text[start:end]`, a sentence of it.
    language
        BCP 47, as the page says; handed on as it is.

    Returns
    -------
    Distillate
        Its topics are the names that the text repeats; its most frequent words are seldom what it
        is about. `relevance` is not an opinion, there is no reader model here. It is between 0.3 and 0.7, and
        grows with the length of a text and the variety of its words, so that notes and boilerplate
        come after articles.
    """
    if not has_words(text):
        return None
    found = sentences(text, language, most=_MOST_SENTENCES)
    order = [] if _is_short(text, found) else _by_merit(text, found, language)
    if not order:
        summary, points, chosen = one_line(text), [], []
    else:
        chosen = _fitting(order)
        summary = _joined([one_line(text[span.start : span.end]) for span in chosen])
        points = _supporting(order, chosen)
    shortened = _shortened(summary)
    return Distillate(
        summary=shortened,
        sentences=_sources(text, chosen) if shortened == summary else (),
        topics=repeated_names(text[: found[-1].end], language_of(text[:4_000], language))
        if found
        else (),
        key_points=tuple(_key_point(text, span) for span in points),
        relevance=_substance(words(text[: found[-1].end] if found else text)),
        language=language,
    )


def _is_short(text: str, found: Sequence[Span]) -> bool:
    return len(text.strip()) <= _SHORT_CHARACTERS or len(found) <= _SHORT_SENTENCES


def _by_merit(text: str, found: Sequence[Span], language: str | None) -> list[Span]:
    """Return the sentences worth showing, the best first, none twice."""
    spoken = language_of(text[:4_000], language)
    spans = _worth_showing(text, found, lexicon(spoken))
    rated = _ratings([text[span.start : span.end] for span in spans], spoken)
    if not any(rated):
        rated = [1.0] * len(spans)
    # Articles open with what matters: the first sentence counts double, later ones less and less.
    merits = [rating * (1 + 1 / (1 + place)) for place, rating in enumerate(rated)]
    best = sorted(range(len(spans)), key=lambda place: (-merits[place], place))
    return [spans[place] for place in best]


def _worth_showing(text: str, found: Sequence[Span], known: Lexicon) -> list[Span]:
    spans = _distinct(text, found)
    long = [s for s in spans if len(words(text[s.start : s.end])) >= _WORDS_OF_A_SENTENCE]
    whole = [span for span in long if is_whole(text[span.start : span.end])]
    own = [span for span in whole if not _is_frame(text[span.start : span.end], known)]
    # Some scripts have no full stop, some pages no sentences, and some articles are about cookies.
    choices = (own if len(own) > len(whole) // 2 else whole, whole, long)
    return next((kept for kept in choices if len(kept) > _SHORT_SENTENCES), spans)


def _distinct(text: str, found: Sequence[Span]) -> list[Span]:
    """Return the sentences that do not say again what one before said in almost the same words."""
    kept: list[tuple[Span, frozenset[str]]] = []
    for span in found:
        said = frozenset(words(text[span.start : span.end]))
        if not any(_is_same(said, before) for _, before in kept):
            kept.append((span, said))
    return [span for span, _ in kept]


def _is_same(some: frozenset[str], others: frozenset[str]) -> bool:
    return len(some & others) >= _ALMOST_THE_SAME * len(some | others)


def _is_frame(sentence: str, known: Lexicon) -> bool:
    """Tell whether a sentence is the page's and not the article's: a call, a caption, a notice."""
    folded = fold(sentence)
    return "\u00a9" in sentence or any(phrase in folded for phrase in known.frame)


def _ratings(passages: Sequence[str], language: str) -> list[float]:
    # A thread for each core of a large machine would reserve more memory than this process may.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from feedmill_distillation.ranking import ratings  # noqa: PLC0415 - takes seconds; the service itself never ranks

    return ratings(passages, language)


def _fitting(order: Sequence[Span]) -> list[Span]:
    """Return the best sentences that make a summary together, in the order of the text."""
    chosen: list[Span] = []
    room = _SUMMARY_CHARACTERS
    for span in order[:_SUMMARY_CANDIDATES]:
        length = span.end - span.start
        if length <= room and len(chosen) < _SUMMARY_SENTENCES:
            chosen.append(span)
            room -= length + 1
    return sorted(chosen or order[:1])


def _supporting(order: Sequence[Span], chosen: Sequence[Span]) -> list[Span]:
    """Return what the summary left out; in a text with little more, its best sentences."""
    rest = [span for span in order if span not in chosen]
    best = rest if len(rest) >= _FEWEST_KEY_POINTS else order
    return sorted(best[:_MOST_KEY_POINTS])


def _sources(text: str, chosen: Sequence[Span]) -> tuple[SummarySentence, ...]:
    """Return where in the text each sentence of the summary is."""
    summary = ""
    found = []
    for span in chosen:
        sentence = one_line(text[span.start : span.end])
        summary = _joined([summary, sentence]) if summary else sentence
        sources = (Passage(start=span.start, end=span.end),)
        start = len(summary) - len(sentence)
        found.append(SummarySentence(start=start, end=len(summary), sources=sources))
    return tuple(found)


def _key_point(text: str, span: Span) -> KeyPoint:
    end = min(span.end, span.start + _KEY_POINT_CHARACTERS)
    return KeyPoint(text=text[span.start : end], start=span.start, end=end)


def _joined(parts: Sequence[str]) -> str:
    joined = parts[0]
    for part in parts[1:]:
        joined += part if joined.endswith(_UNSPACED_ENDS) else f" {part}"
    return joined


def _shortened(text: str) -> str:
    if len(text) <= _SUMMARY_CHARACTERS:
        return text
    cut = text[: _SUMMARY_CHARACTERS - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > _SUMMARY_CHARACTERS // 2 else cut) + "…"


def _substance(found: Sequence[str]) -> float:
    length = min(1.0, math.log1p(len(found)) / math.log1p(_LONG_READ_WORDS))
    variety = len(set(found)) / max(1, len(found))
    return round(0.3 + 0.3 * length + 0.1 * variety, 3)
