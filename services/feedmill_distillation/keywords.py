"""The names that a text repeats, in any script. Pure."""

import re
from collections import Counter
from collections.abc import Iterator

from feedmill_distillation.lexicon import lexicon
from feedmill_distillation.names import name_runs
from feedmill_distillation.reading import Reading

_MOST_NAMES = 5
_FEWEST_TIMES = 2
_LONGEST = 60
# Loan words and foreign names in Japanese; in Chinese only other scripts stand out.
_KATAKANA = re.compile(r"[\u30a1-\u30fa\u30fc\u30fb]{3,}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z0-9]+(?: [A-Z][A-Za-z0-9]+)*")


def repeated_names(text: str, language: str) -> tuple[str, ...]:
    """Return the names that stand in a text more than once, the most frequent first.

    None in scripts that mark no names, and in languages that give every noun a capital: there
    nothing cheap tells them from other words.
    """
    known = lexicon(language)
    if known.nouns_are_capitalised:
        return ()
    reading = Reading(text, known)
    found = Counter(_unspaced(text) if known.spaceless else _capitalised(reading))
    often = [name for name, times in found.most_common() if times >= _FEWEST_TIMES]
    return tuple(name for name in often if len(name) <= _LONGEST)[:_MOST_NAMES]


def _capitalised(reading: Reading) -> Iterator[str]:
    for run in name_runs(reading):
        # A word that begins a sentence proves nothing, but may begin a name.
        sure = run if len(run) > 1 or not run[0].is_first else ()
        if sure and len(sure[0].surface) > 1:
            yield " ".join(token.surface for token in sure)


def _unspaced(text: str) -> Iterator[str]:
    yield from _KATAKANA.findall(text)
    yield from _LATIN.findall(text)
