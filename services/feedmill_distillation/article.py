"""An article as it is searched for what a claim says. Pure."""

import bisect
from collections.abc import Sequence
from functools import cached_property

from feedmill_distillation.lexicon import language_of, lexicon
from feedmill_distillation.lines import Line
from feedmill_distillation.names import Context
from feedmill_distillation.reading import Reading
from feedmill_distillation.sentences import Span, sentences

_SAMPLE_CHARACTERS = 4_000
# Some 15,000 words. What is cited further down is found there, but looked for nowhere else.
_MOST_SEARCHED = 800
# Whoever is spoken of was named not long before.
_BEFORE_CHARACTERS = 2_000


class Article:
    """What a model was shown of an article, by sentences. What nobody asks for is never read.

    Parameters
    ----------
    text
        The stored text.
    title
        The article's title, which may name what the text then calls "it".
    language
        BCP 47, as the page says.
    lines
        The lines the model was shown, numbered from 1.
    """

    def __init__(
        self, text: str, lines: Sequence[Line], *, title: str = "", language: str | None = None
    ) -> None:
        self.text = text
        self.lexicon = lexicon(language_of(text[:_SAMPLE_CHARACTERS], language))
        self._lines = lines
        self._title = title
        self._readings: dict[Span, Reading] = {}

    @cached_property
    def spans(self) -> tuple[Span, ...]:
        """Its sentences."""
        end = self._lines[-1].end if self._lines else 0
        return sentences(self.text[:end], self.lexicon.language, most=end)

    @property
    def last(self) -> int:
        """The place of the last sentence, counted from 0; -1 when there is none."""
        return len(self.spans) - 1

    @cached_property
    def whole(self) -> Reading:
        """All that was shown, as far as it is searched."""
        searched = self.spans[:_MOST_SEARCHED]
        return Reading(self.text[: searched[-1].end] if searched else "", self.lexicon)

    def span(self, first: int, last: int) -> Span:
        """Return the passage from one sentence to another."""
        return Span(self.spans[first].start, self.spans[last].end)

    def sentences_of(self, first_line: int, last_line: int) -> Sequence[int]:
        """Return the places of the sentences in these lines; none when they were not shown."""
        if not 1 <= first_line <= last_line <= len(self._lines):
            return range(0)
        start, end = self._lines[first_line - 1].start, self._lines[last_line - 1].end
        first = bisect.bisect_right(self.spans, start, key=lambda span: span.end)
        return range(first, bisect.bisect_left(self.spans, end, key=lambda span: span.start))

    def reading(self, span: Span) -> Reading:
        """Return a passage, read."""
        if span not in self._readings:
            self._readings[span] = Reading(self.text[span.start : span.end], self.lexicon)
        return self._readings[span]

    def together(self, places: Sequence[int]) -> Reading:
        """Return some sentences as if they were one passage."""
        spans = (self.spans[place] for place in places)
        return Reading("\n".join(self.text[s.start : s.end] for s in spans), self.lexicon)

    def before(self, span: Span) -> Context:
        """Return how to get the stems of the title and of what stands shortly before a passage."""
        start = max(0, span.start - _BEFORE_CHARACTERS)
        title = Reading(self._title, self.lexicon)
        return lambda: self.reading(Span(start, span.start)).stems | title.stems

    def likeliest(self, claim: Reading, most: int) -> list[int]:
        """Return the places of the sentences that have most in common with a claim."""
        shared = [
            len(claim.traits & self.reading(span).traits) for span in self.spans[:_MOST_SEARCHED]
        ]
        best = sorted(range(len(shared)), key=lambda place: (-shared[place], place))
        return [place for place in best[:most] if shared[place]]
