"""Whether a claim has its parties the other way round. Pure."""

import difflib
import re

from feedmill_distillation.names import is_name
from feedmill_distillation.reading import Reading, Token

_FEWEST_AROUND = 2
_LONGEST_REPLACED = 4
_MOSTLY_THE_SAME = 0.7
# Comparing takes quadratic time.
_COMPARED_CHARACTERS = 1_000
_NAME = re.compile(r"[\u30a1-\u30fa\u30fc\u3400-\u9fff]+")


def are_swapped(claim: Reading, passage: Reading) -> bool:
    """Tell whether who does it and whom it is done to have changed places around the same word.

    Only where word order says who is who, and only if one of the two is a name.
    """
    if _ranges(claim) & {(last, first) for first, last in _ranges(passage) - _ranges(claim)}:
        return True
    # With a case or a capital for every noun, order says little.
    if not claim.lexicon.at:
        return False
    return any(_swapped_around(token, claim, passage) for token in claim.telling)


def _ranges(reading: Reading) -> set[tuple[str, str]]:
    """Return what goes from a number to another: `from 12 to 15`."""
    found: set[tuple[str, str]] = set()
    number, is_range = "", False
    for token in reading.tokens:
        if token.word[0].isdigit():
            if number and is_range:
                found.add((number, token.word))
            number, is_range = token.word, False
        elif token.word in reading.lexicon.between:
            is_range = bool(number)
    return found


def is_substituted(claim: Reading, passage: Reading) -> bool:
    """Tell whether a claim is the passage but for a few characters, which look like a name.

    For scripts that mark names by nothing.
    """
    if not claim.lexicon.spaceless or len(passage.folded) > _COMPARED_CHARACTERS:
        return False
    matcher = difflib.SequenceMatcher(None, claim.folded, passage.folded, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    if same < _MOSTLY_THE_SAME * len(claim.folded):
        return False
    return any(
        tag == "replace"
        and i2 - i1 == j2 - j1
        and claim.folded[i1:i2] not in passage.folded
        and _is_name_like(claim.folded[i1:i2])
        and _is_name_like(passage.folded[j1:j2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
    )


def _is_name_like(text: str) -> bool:
    return len(text) <= _LONGEST_REPLACED and _NAME.fullmatch(text) is not None


def _swapped_around(verb: Token, claim: Reading, passage: Reading) -> bool:
    if is_name(verb, claim):
        return False
    there = [token for token in passage.telling if token.stem == verb.stem]
    if len(there) != 1:
        return False
    if _is_placed(verb, claim) or _is_placed(there[0], passage):
        return False
    if _passive(verb, claim) != _passive(there[0], passage):
        return False
    ours, theirs = _sides(verb, claim), _sides(there[0], passage)
    crossed = (ours[0].keys() & theirs[1].keys(), ours[1].keys() & theirs[0].keys())
    if not crossed[0] or not crossed[1]:
        return False
    return any(is_name(ours[side][stem], claim) for side in (0, 1) for stem in crossed[side])


def _sides(verb: Token, reading: Reading) -> tuple[dict[str, Token], dict[str, Token]]:
    """Return the words before and behind another one in its clause, by their stems."""
    place = reading.places[verb]
    clause = [(reading.places[t], t) for t in reading.telling if t.clause == verb.clause]
    before = {token.stem: token for at, token in clause if at < place}
    after = {token.stem: token for at, token in clause if at > place}
    # What stands on both sides has no side.
    both = before.keys() & after.keys()
    first, last = ({s: t for s, t in side.items() if s not in both} for side in (before, after))
    return first, last


def _is_placed(verb: Token, reading: Reading) -> bool:
    """Tell whether a place or a time follows, and nobody to whom it is done; or it is no verb."""
    place = reading.places[verb]
    after = reading.tokens[place + 1 : place + 2]
    before = reading.tokens[max(0, place - 1) : place]
    return any(token.word in reading.lexicon.at for token in after) or any(
        token.word in reading.lexicon.articles for token in before
    )


def _passive(verb: Token, reading: Reading) -> bool:
    place = reading.places[verb]
    near = reading.tokens[place + 1 : place + 3] + reading.tokens[max(0, place - 3) : place]
    return any(token.word in reading.lexicon.by for token in near)
