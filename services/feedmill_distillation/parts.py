"""A long article as parts that a model can read one by one. Pure."""

from collections.abc import Iterator, Sequence

from feedmill_distillation.lines import Line, one_line
from feedmill_distillation.tokens import count_tokens

# The number in its brackets.
_LINE_TOKENS = 4


def parts_of(text: str, lines: Sequence[Line], *, tokens: int, most: int) -> list[list[Line]]:
    """Return the lines in as few parts as the budget of each allows, cut between paragraphs.

    A paragraph too long for a part is cut between its lines. What does not fit into `most` parts is
    left out; a text that fits is one part.
    """
    parts: list[list[Line]] = [[]]
    room = tokens
    for paragraph in _paragraphs(text, lines):
        costs = [_cost(text, line) for line in paragraph]
        if sum(costs) > room and parts[-1] and sum(costs) <= tokens:
            parts, room = [*parts, []], tokens
        for line, cost in zip(paragraph, costs, strict=True):
            if cost > room and parts[-1]:
                parts, room = [*parts, []], tokens
            parts[-1].append(line)
            room -= cost
    return [part for part in parts if part][:most]


def _paragraphs(text: str, lines: Sequence[Line]) -> Iterator[list[Line]]:
    paragraph: list[Line] = []
    for line in lines:
        if paragraph and "\n" in text[paragraph[-1].end : line.start]:
            yield paragraph
            paragraph = []
        paragraph.append(line)
    if paragraph:
        yield paragraph


def _cost(text: str, line: Line) -> int:
    return _LINE_TOKENS + count_tokens(one_line(text[line.start : line.end]))
