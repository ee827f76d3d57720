"""Whether a passage bears a claim out. Pure."""

from collections.abc import Callable
from enum import StrEnum

from feedmill_distillation.figures import Figure
from feedmill_distillation.names import Context, is_in, missing_names
from feedmill_distillation.polarity import is_turned
from feedmill_distillation.reading import Reading, is_unspaced
from feedmill_distillation.roles import are_swapped, is_substituted

# Of a claim's words these must be in the passage; the rest may say it in another way.
_SHARE = 0.5
_UNSPACED_SHARE = 0.45


class Flaw(StrEnum):
    """What is wrong with a claim about a passage. The first that is found counts."""

    LINK = "link"
    QUOTATION = "quotation"
    FIGURE = "figure"
    DATE = "date"
    NAME = "name"
    WORDS = "words"
    CONTRARY = "contrary"
    ROLES = "roles"


def flaw(claim: Reading, passage: Reading, context: Context = frozenset) -> Flaw | None:
    """Return why a passage does not bear a claim out; None when it does.

    Parameters
    ----------
    context
        Stems of what stands before the passage: whom its pronouns may mean.
    """
    if not set(claim.links) <= set(passage.links):
        return Flaw.LINK
    if claim.lexicon is not passage.lexicon:
        return _flaw_in_translation(claim, passage)
    return next((name for name, is_so in _FLAWS if is_so(claim, passage, context)), None)


def _flaw_in_translation(claim: Reading, passage: Reading) -> Flaw | None:
    """Compare what two languages write alike: figures, and nothing else that is sure."""
    held = {figure.value for figure in passage.figures}
    wanted = {figure.value for figure in claim.claimed_figures}
    units = {figure.unit for figure in passage.figures if figure.unit} or None
    wrong = {f.unit for f in claim.claimed_figures if f.unit and units and f.unit not in units}
    return Flaw.FIGURE if wrong or not wanted <= held else None


def _quotations_hold(claim: Reading, passage: Reading) -> bool:
    return all(quotation in passage.folded for quotation in claim.quotations)


def _figures_hold(claim: Reading, passage: Reading) -> bool:
    return all(_holds(figure, passage.figures) for figure in claim.claimed_figures)


def _holds(figure: Figure, there: frozenset[Figure]) -> bool:
    if not any(_agree(figure, other) for other in there):
        return False
    # Four turbines and twelve boats are not twelve turbines.
    counted = {other.value for other in there if figure.noun and other.noun == figure.noun}
    return not counted or figure.value in counted


def _agree(one: Figure, other: Figure) -> bool:
    return one.value == other.value and (
        one.unit is None or other.unit is None or one.unit == other.unit
    )


def _words_hold(claim: Reading, passage: Reading) -> bool:
    unspaced = claim.lexicon.spaceless or is_unspaced(claim.text)
    return share(claim, passage) >= (_UNSPACED_SHARE if unspaced else _SHARE)


def share(claim: Reading, passage: Reading) -> float:
    """Return how much of a claim's words a passage has, from 0 to 1."""
    if claim.lexicon.spaceless or is_unspaced(claim.text):
        return len(claim.pairs & passage.pairs) / max(1, len(claim.pairs))
    found = sum(is_in(token, passage) for token in claim.telling)
    return found / len(claim.telling) if claim.telling else 1.0


def _contradicts(claim: Reading, passage: Reading) -> bool:
    return are_swapped(claim, passage) or is_substituted(claim, passage)


_Check = Callable[[Reading, Reading, Context], bool]

# The cheapest first, and those that leave no doubt before those that weigh.
_FLAWS: tuple[tuple[Flaw, _Check], ...] = (
    (Flaw.QUOTATION, lambda claim, passage, _: not _quotations_hold(claim, passage)),
    (Flaw.FIGURE, lambda claim, passage, _: not _figures_hold(claim, passage)),
    (Flaw.DATE, lambda claim, passage, _: not claim.dates <= passage.dates),
    (Flaw.NAME, lambda claim, passage, context: bool(missing_names(claim, passage, context))),
    (Flaw.WORDS, lambda claim, passage, _: not _words_hold(claim, passage)),
    (Flaw.CONTRARY, lambda claim, passage, _: is_turned(claim, passage)),
    (Flaw.ROLES, lambda claim, passage, _: _contradicts(claim, passage)),
)
