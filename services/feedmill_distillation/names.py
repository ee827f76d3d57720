"""Which names a claim has, and whether a passage has them too. Pure."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise

from feedmill_distillation.reading import Reading, Token, alike

Context = Callable[[], frozenset[str]]
"""The stems of what stands before a passage; read only when a name has to be looked for there."""

_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc]{2,}")
_LATIN = re.compile(r"[a-z][a-z0-9]+")
_HAN = r"[\u3400-\u9fff]"
# Endings of German articles and adjectives.
_DESCRIBING = ("e", "en", "er", "es", "em", "as", "ein", "kein")
# Words before a title or behind it that make no name of it.
_NO_NAME = re.compile(r"[的和与與及在将將说說称稱表是]")


def missing_names(claim: Reading, passage: Reading, context: Context) -> list[str]:
    """Return the names in a claim that its passage does not have.

    Parameters
    ----------
    context
        Stems of what stands before the passage. Its names may stand for the passage's pronouns, as
        long as the passage names nobody whom the claim does not.
    """
    if claim.lexicon.spaceless:
        return [name for name in _unspaced_names(claim) if name not in passage.folded]
    missing = [
        token
        for token in _sure_names(claim)
        if not is_in(token, passage) and not _is_short_for(token, passage)
    ]
    if missing and not _others(claim, passage):
        missing = [token for token in missing if token.stem not in context()]
    replaced = [
        token for token in _unsure_names(claim) if _is_replaced(token, claim, passage, context)
    ]
    return [token.surface for token in (*missing, *replaced)]


def is_in(token: Token, passage: Reading) -> bool:
    """Tell whether a passage has a word, in whatever form."""
    stems = passage.stems
    bare = _bare(token, passage)
    return (
        token.stem in stems
        or bare in stems
        or any(alike(token.word, s) or alike(bare, s) for s in stems)
    )


def _bare(token: Token, passage: Reading) -> str:
    return passage.lexicon.stem(passage.lexicon.bare(token.word))


def is_name(token: Token, reading: Reading) -> bool:
    """Tell whether a word is written like a name."""
    word, lexicon = token.word, reading.lexicon
    return (
        token.is_capitalised
        and word not in lexicon.stop
        and word not in lexicon.numbers
        and word not in lexicon.negators
        and word not in lexicon.months
        and word not in lexicon.weekdays
        and word not in lexicon.units
    )


def name_runs(reading: Reading) -> list[tuple[Token, ...]]:
    """Return the names of a passage, each with all its words."""
    runs = groupby(reading.tokens, key=lambda token: (is_name(token, reading), token.clause))
    return [tuple(tokens) for (named, _), tokens in runs if named]


def _sure_names(claim: Reading) -> Iterator[Token]:
    for run in name_runs(claim):
        for place, token in enumerate(run):
            if token.is_acronym or _is_sure(place, token, claim):
                yield token
    yield from _titled(claim)


def _is_sure(place: int, token: Token, claim: Reading) -> bool:
    if token.is_first:
        return False
    # Where every noun has a capital, a second one in a row is what tells a name.
    return place > 0 if claim.lexicon.nouns_are_capitalised else True


def _unsure_names(claim: Reading) -> Iterator[Token]:
    sure = set(_sure_names(claim))
    yield from (token for run in name_runs(claim) for token in run if token not in sure)


def _titled(claim: Reading) -> Iterator[Token]:
    """Yield what stands behind a title, in scripts that have no capitals."""
    if not claim.lexicon.titles:
        return
    for before, token in pairwise(claim.tokens):
        if claim.lexicon.is_title(before.word) and _may_be_name(token, claim):
            yield token


def _may_be_name(token: Token, claim: Reading) -> bool:
    lexicon = claim.lexicon
    return (
        token.word[0].isalpha()
        and token.word not in lexicon.stop
        and token.word not in lexicon.numbers
        and not lexicon.is_title(token.word)
        and not (token.word not in lexicon.weekdays and token.word in lexicon.months)
    )


def _is_short_for(token: Token, passage: Reading) -> bool:
    """Tell whether an acronym is the initials of a name that the passage spells out."""
    if not token.is_acronym:
        return False
    names = [word for word in passage.tokens if word.is_capitalised]
    initials = "".join(word.word[0] for word in names if word.word not in passage.lexicon.stop)
    return len(token.word) > 1 and token.word in initials


def _others(claim: Reading, passage: Reading) -> list[Token]:
    named = [token for run in name_runs(passage) for token in run if not token.is_first]
    return [token for token in named if not is_in(token, claim)]


def _is_replaced(token: Token, claim: Reading, passage: Reading, context: Context) -> bool:
    """Tell whether the passage has another name where the claim has this one, or a pronoun for nobody named so."""
    if is_in(token, passage):
        return False
    if claim.lexicon.nouns_are_capitalised and _is_described(token, claim):
        return False
    place = claim.tokens.index(token)
    before = claim.tokens[place - 1] if place else None
    after = claim.tokens[place + 1] if place + 1 < len(claim.tokens) else None
    return any(
        (
            (is_name(other, passage) and not is_in(other, claim))
            or (other.is_first and other.word in claim.lexicon.stop and token.stem not in context())
        )
        and _is_slot(before, after, around, claim)
        for other, around in _neighbours(passage)
    )


def _is_described(token: Token, claim: Reading) -> bool:
    """Tell whether an article or an adjective stands before a noun, as it seldom does before a name."""
    place = claim.tokens.index(token)
    before = claim.tokens[place - 1].surface if place else ""
    return before[:1].islower() and before.endswith(_DESCRIBING)


def _neighbours(passage: Reading) -> Iterator[tuple[Token, tuple[Token | None, Token | None]]]:
    tokens = (None, *passage.tokens, None)
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token is not None:
            yield token, (before, after)


def _is_slot(
    before: Token | None,
    after: Token | None,
    around: tuple[Token | None, Token | None],
    claim: Reading,
) -> bool:
    same = [_same(before, around[0]), _same(after, around[1])]
    telling = {token.stem for token in claim.telling}
    stems = [
        token.stem
        for token, is_same in zip((before, after), same, strict=True)
        if is_same and token
    ]
    return all(same) or any(stem in telling for stem in stems)


def _same(one: Token | None, other: Token | None) -> bool:
    return one is not None and other is not None and one.stem == other.stem


def _unspaced_names(claim: Reading) -> Iterable[str]:
    text = claim.folded
    yield from _KATAKANA.findall(text)
    yield from _LATIN.findall(text)
    for title in claim.lexicon.titles:
        for found in re.finditer(f"({_HAN}{{2,4}}){title}", text):
            name = _untitled(found[1], claim)
            if len(name) > 1 and not _NO_NAME.search(name):
                yield name
        if claim.lexicon.language == "zh":
            for found in re.finditer(f"{title}({_HAN}{{2}})", text):
                if not _NO_NAME.search(found[1]):
                    yield found[1]


def _untitled(name: str, claim: Reading) -> str:
    """Return the name without the title that stands before it too."""
    for title in claim.lexicon.titles:
        name = name.removeprefix(title)
    return name
