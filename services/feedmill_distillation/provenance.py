"""Which of a model's claims the article bears out, and where it does. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, NamedTuple

from feedmill.models.distillates import KeyPoint, Passage, SummarySentence
from feedmill_distillation.answers import Claim
from feedmill_distillation.article import Article
from feedmill_distillation.lexicon import Lexicon, language_of, lexicon
from feedmill_distillation.lines import one_line
from feedmill_distillation.reading import Reading
from feedmill_distillation.sentences import Span, sentences
from feedmill_distillation.support import Flaw, flaw, share

# Changes whenever the same answer could be believed in another way.
VERSION = "provenance-2"

MOST_KEY_POINTS = 7

# Whoever answers with more than this is not asked about the rest.
_MOST_CLAIMS = 14

_CLAIM_CHARACTERS = 1_000
_SUMMARY_SENTENCES = 12
# What cites more than this cites nothing.
_CITED_SENTENCES = 20
_TOGETHER = 3
# Where a claim may have come from besides the lines that it cites.
_ELSEWHERE = 6
_OPENING_CHARACTERS = 500
_ALMOST_ALL, _CLEARLY_MORE = 0.9, 0.15

Outcome = Literal["cited", "recited", "unsure"] | Flaw


class Verdict(NamedTuple):
    """What became of one claim."""

    outcome: Outcome
    passages: tuple[Span, ...] = ()


class Borne(NamedTuple):
    """What of an answer the article bears out."""

    summary: str
    sentences: tuple[SummarySentence, ...]
    key_points: tuple[KeyPoint, ...]
    point_outcomes: tuple[Outcome, ...]
    summary_outcomes: tuple[Outcome, ...]


def borne_out(summary: str, claims: Sequence[Claim], article: Article) -> Borne:
    """Keep what an article says of what a model says that it says.

    Parameters
    ----------
    summary
        As the model wrote it, in one line.
    claims
        Its key points, with the lines that they cite.

    Returns
    -------
    Borne
        A key point is kept with the shortest passage that has its figures, names, quotations and
        most of its words: among the lines it cites, else anywhere. A sentence of the summary may
        rest on several passages; one that says nothing wrong but says it in other words is kept
        without a passage. When nothing is left of a summary the article's beginning takes its place.
    """
    ours = _language(summary, claims, article)
    points = [(claim, _verdict(claim, article, ours)) for claim in claims[:_MOST_CLAIMS]]
    kept, outcomes = _summarised(summary, article, ours)
    key_points = [_key_point(claim, verdict) for claim, verdict in points if verdict.passages]
    text, where = _rebuilt(kept) if kept else _opening(article)
    return Borne(
        summary=text,
        sentences=where,
        key_points=tuple(key_points[:MOST_KEY_POINTS]),
        point_outcomes=tuple(verdict.outcome for _, verdict in points),
        summary_outcomes=outcomes,
    )


def _language(summary: str, claims: Sequence[Claim], article: Article) -> Lexicon:
    said = " ".join([summary, *(claim.text for claim in claims)])
    return lexicon(language_of(said, article.lexicon.language))


def _key_point(claim: Claim, verdict: Verdict) -> KeyPoint:
    [span] = verdict.passages
    recited = verdict.outcome == "recited"
    return KeyPoint(text=claim.text, start=span.start, end=span.end, recited=recited)


def _verdict(claim: Claim, article: Article, ours: Lexicon) -> Verdict:
    if not 0 < len(claim.text) <= _CLAIM_CHARACTERS:
        return Verdict(Flaw.WORDS)
    reading = Reading(claim.text, ours)
    cited = article.sentences_of(claim.first_line, claim.last_line)[:_CITED_SENTENCES]
    found, why = _shortest(reading, article, _runs(cited, article))
    if found is not None:
        return Verdict("cited", (found,))
    if ours is not article.lexicon:
        return Verdict(why or Flaw.WORDS)
    likely = article.likeliest(reading, _ELSEWHERE)
    found, why_not = _shortest(reading, article, _around(likely, article))
    if found is not None:
        return Verdict("recited", (found,))
    return Verdict(why or why_not or Flaw.WORDS)


def _runs(places: Sequence[int], article: Article) -> Iterator[Span]:
    """Yield the passages of neighbouring sentences, the shortest first, at last all together."""
    for length in range(1, _TOGETHER + 1):
        for first in range(len(places) - length + 1):
            yield article.span(places[first], places[first + length - 1])
    if len(places) > _TOGETHER:
        yield article.span(places[0], places[-1])


def _around(places: Iterable[int], article: Article) -> Iterator[Span]:
    for place in places:
        yield article.span(place, place)
    for place in places:
        yield article.span(max(0, place - 1), place)
        yield article.span(place, min(place + 1, article.last))


def _shortest(
    claim: Reading, article: Article, spans: Iterable[Span]
) -> tuple[Span | None, Flaw | None]:
    """Return the passage that bears a claim out with most of its words; else what was wrong with the last."""
    why, best, most = None, None, 0.0
    for span in spans:
        why = flaw(claim, article.reading(span), article.before(span))
        if why is None:
            found = share(claim, article.reading(span))
            # A longer passage has to say clearly more.
            if best is None or found > most + _CLEARLY_MORE:
                best, most = span, found
            if most >= _ALMOST_ALL:
                break
    return best, why


def _summarised(
    summary: str, article: Article, ours: Lexicon
) -> tuple[list[tuple[str, tuple[Span, ...]]], tuple[Outcome, ...]]:
    kept, outcomes = [], []
    for span in sentences(summary, ours.language, most=_SUMMARY_SENTENCES):
        sentence = summary[span.start : span.end]
        verdict = _sentence_verdict(Reading(sentence, ours), article)
        outcomes.append(verdict.outcome)
        if verdict.passages or verdict.outcome == "unsure":
            kept.append((sentence, verdict.passages))
    return kept, tuple(outcomes)


def _sentence_verdict(claim: Reading, article: Article) -> Verdict:
    """Look for a sentence of the summary in one passage, or in several together."""
    likely = article.likeliest(claim, _ELSEWHERE)
    if not likely:
        return Verdict(flaw(claim, article.whole) or Flaw.WORDS)
    found, why = _shortest(claim, article, _around(likely, article))
    if found is not None:
        return Verdict("cited", (found,))
    for length in range(2, _TOGETHER + 1):
        together = sorted(likely[:length])
        why = flaw(claim, article.together(together))
        if why is None:
            return Verdict("cited", tuple(article.span(each, each) for each in together))
    if why is not Flaw.WORDS:
        return Verdict(why or Flaw.WORDS)
    # Its facts and most of its words must be somewhere, even if no passage says them together. Who
    # denies what of whom cannot be told from a whole article.
    everywhere = flaw(claim, article.whole)
    if everywhere is None or everywhere in {Flaw.CONTRARY, Flaw.ROLES}:
        return Verdict("unsure")
    return Verdict(everywhere)


def _rebuilt(
    kept: Sequence[tuple[str, tuple[Span, ...]]],
) -> tuple[str, tuple[SummarySentence, ...]]:
    text, where = "", []
    for sentence, spans in kept:
        text += " " if text and text[-1].isascii() else ""
        sources = tuple(Passage(start=span.start, end=span.end) for span in spans)
        where.append(
            SummarySentence(start=len(text), end=len(text) + len(sentence), sources=sources)
        )
        text += sentence
    return text, tuple(where)


def _opening(article: Article) -> tuple[str, tuple[SummarySentence, ...]]:
    """Return the article's first sentences, which say nothing wrong about it."""
    kept: list[tuple[str, tuple[Span, ...]]] = []
    room = _OPENING_CHARACTERS
    for place in range(min(_TOGETHER, article.last + 1)):
        span = article.span(place, place)
        room -= span.end - span.start
        if kept and room < 0:
            break
        end = min(span.end, span.start + _OPENING_CHARACTERS)
        kept.append((one_line(article.text[span.start : end]), (Span(span.start, end),)))
    return _rebuilt(kept)
