"""Which of a model's claims the article bears out, and where it does. Pure."""

import re
import unicodedata
from collections.abc import Sequence

from feedmill.models.distillates import KeyPoint
from feedmill_distillation.answers import Claim
from feedmill_distillation.lines import Line

MOST_KEY_POINTS = 7

_CLAIM_CHARACTERS = 1_000

# 1,200.5 and 1.200,5 alike; also 1 200 and 1'200, which are one number or two.
_NUMBER = re.compile(r"\d+(?:[.,\u066b\u066c]\d+)*")
_GROUPED = re.compile(r"(?<!\d)\d{1,3}(?:[ \u00a0\u2009\u202f'\u2019]\d{3})+(?!\d)")
_THOUSANDS = re.compile(r"[.,\u066c](?=\d{3}(?!\d))")
_GROUP_SPACE = re.compile(r"[ \u00a0\u2009\u202f'\u2019]")

_QUOTED = re.compile(r"“([^”]+)”|„([^“”]+)[“”]|«([^»]+)»|「([^」]+)」|『([^』]+)』|\"([^\"]+)\"")
_QUOTE_MARKS = str.maketrans(dict.fromkeys("“”„«»「」『』\"\u2018\u2019'", "'"))
_QUOTE_EDGES = " .,;:!?…、。"


def key_points(claims: Sequence[Claim], text: str, lines: Sequence[Line]) -> tuple[KeyPoint, ...]:
    """Return the claims that hold, at most seven, each with the passage that says it.

    Parameters
    ----------
    claims
        What the model says the article says.
    text
        The stored text: `text[point.start:point.end]` is the passage.
    lines
        The lines the model was shown, numbered from 1.

    Returns
    -------
    tuple
        A claim is dropped when it cites lines that were not shown, or when a figure or a quotation
        in it does not occur in the lines it cites.
    """
    points = (_point(claim, text, lines) for claim in claims)
    return tuple(point for point in points if point is not None)[:MOST_KEY_POINTS]


def _point(claim: Claim, text: str, lines: Sequence[Line]) -> KeyPoint | None:
    if not 0 < len(claim.text) <= _CLAIM_CHARACTERS:
        return None
    if not 1 <= claim.first_line <= claim.last_line <= len(lines):
        return None
    start, end = lines[claim.first_line - 1].start, lines[claim.last_line - 1].end
    passage = text[start:end]
    if not _figures_hold(claim.text, passage) or not _quotations_hold(claim.text, passage):
        return None
    return KeyPoint(text=claim.text, start=start, end=end)


def _figures_hold(claim: str, passage: str) -> bool:
    return _numbers(claim) <= _numbers(passage) | _numbers(passage, grouped=False)


def _numbers(text: str, *, grouped: bool = True) -> set[str]:
    if grouped:
        text = _GROUPED.sub(lambda found: _GROUP_SPACE.sub("", found[0]), text)
    return {_plain(number) for number in _NUMBER.findall(text)}


def _plain(number: str) -> str:
    digits = "".join(_ascii_digit(character) for character in number)
    return _THOUSANDS.sub("", digits).replace(",", ".").replace("\u066b", ".")


def _ascii_digit(character: str) -> str:
    return str(unicodedata.decimal(character, character))


def _quotations_hold(claim: str, passage: str) -> bool:
    said = _comparable(passage)
    quotations = ("".join(groups) for groups in _QUOTED.findall(claim))
    return all(_comparable(quotation).strip(_QUOTE_EDGES) in said for quotation in quotations)


def _comparable(text: str) -> str:
    return " ".join(text.translate(_QUOTE_MARKS).casefold().split())
