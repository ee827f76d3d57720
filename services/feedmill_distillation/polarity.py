"""Whether a claim denies what its passage says, says what it denies, or says the opposite. Pure."""

import re
from collections.abc import Iterator

from feedmill_distillation.reading import Reading, alike

# How many telling words a `not` reaches: `found no significant change`.
_REACH = 2
_HAN_REACH = 6
# Folded, so that full-width marks are ASCII by now.
_STOPS = "。、,.;:!?「」'"
_WORDS = re.compile(r"[\u30a1-\u30fa\u30fc\u3400-\u9fff]{2,}")


def is_turned(claim: Reading, passage: Reading) -> bool:
    """Tell whether a claim says the contrary of its passage, as far as words show it."""
    if claim.lexicon.spaceless:
        return _han_denial_differs(claim, passage) or _han_opposite(claim, passage)
    return _denial_differs(claim, passage) or _opposite(claim, passage)


def _denial_differs(claim: Reading, passage: Reading) -> bool:
    denied, denied_there = set(_denied(claim)), set(_denied(passage))
    if (
        _meet(denied, denied_there)
        or claim.stems & claim.lexicon.without
        or (passage.stems & passage.lexicon.without)
    ):
        return False
    asserted = {token.stem for token in claim.telling} - set(_denied(claim, None))
    asserted_there = {token.stem for token in passage.telling} - set(_denied(passage, None))
    # Who denies something too may do it in other words: `has not`, `is not yet`.
    return _meet(denied, asserted_there) or (not denied and _meet(denied_there, asserted))


def _denied(reading: Reading, reach: int | None = _REACH) -> Iterator[str]:
    """Yield the stems that are denied: what follows a `not`, or precedes it where verbs do.

    Without a `reach`, all that may be denied: the rest of the clause.
    """
    telling = set(reading.telling)
    for place, token in enumerate(reading.tokens):
        if token.word in reading.lexicon.negators:
            after = [
                t for t in reading.tokens[place + 1 :] if t.clause == token.clause and t in telling
            ]
            yield from (t.stem for t in after[:reach])
            before = [
                t for t in reading.tokens[:place] if t.clause == token.clause and t in telling
            ]
            if not after:
                yield from (t.stem for t in before[-1:])


def _meet(some: set[str], others: set[str]) -> bool:
    return any(alike(one, other) for one in some for other in others)


def _opposite(claim: Reading, passage: Reading) -> bool:
    for one, other in claim.lexicon.opposites:
        says, meant = one in claim.stems, other in passage.stems
        if says and meant and one not in passage.stems and other not in claim.stems:
            return True
    return False


def _han_denial_differs(claim: Reading, passage: Reading) -> bool:
    denied, denied_there = _han_denied(claim), _han_denied(passage)
    if (denied and denied_there) or any(w in claim.folded for w in claim.lexicon.without):
        return False
    return bool(denied & passage.pairs) or bool(denied_there & claim.pairs)


def _han_denied(reading: Reading) -> frozenset[str]:
    lexicon, text = reading.lexicon, reading.folded
    for word in lexicon.no_negators:
        text = text.replace(word, "\u3000" * len(word))
    found: set[str] = set()
    for negator in sorted(lexicon.negators, key=len, reverse=True):
        while (place := text.find(negator)) >= 0:
            found |= Reading(_reach(text, place, negator, lexicon.language), lexicon).pairs
            text = text[:place] + "\u3000" * len(negator) + text[place + len(negator) :]
    return frozenset(found)


def _reach(text: str, place: int, negator: str, language: str) -> str:
    """Return what a negation reaches: in Japanese it comes last."""
    if language == "ja":
        before = text[max(0, place - _HAN_REACH) : place]
        words: list[str] = _WORDS.findall(re.split(f"[{_STOPS}]", before)[-1])
        return words[-1] if words else ""
    return re.split(f"[{_STOPS}]", text[place + len(negator) :])[0][:_HAN_REACH]


def _han_opposite(claim: Reading, passage: Reading) -> bool:
    for one, other in claim.lexicon.opposites:
        there = passage.folded
        if (
            one in claim.folded
            and other in there
            and one not in there
            and other not in claim.folded
        ):
            return True
    return False
