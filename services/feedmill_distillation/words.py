"""The words of a text, in any script. Pure."""

import re

_WORD = re.compile(r"\w+")
# Scripts that are written without spaces between words.
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text, folded; pairs of characters where no spaces part the words."""
    folded = text.casefold()
    if _UNSPACED.search(folded) is None:
        return tuple(_WORD.findall(folded))
    found: list[str] = []
    for run in _WORD.findall(folded):
        found += [part for part in _UNSPACED.split(run) if part]
        for unspaced in _UNSPACED.findall(run):
            found += [unspaced[i : i + 2] for i in range(max(1, len(unspaced) - 1))]
    return tuple(found)
