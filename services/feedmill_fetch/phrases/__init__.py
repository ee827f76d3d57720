"""Phrases by which lines and pages give themselves away, in the languages of most feeds: data, and its reading.

In the files a phrase is a regular expression in which a space means any space. It ends at the end of a
word, save in the languages that write none.
"""

import re
import tomllib
from functools import cache
from importlib.resources import files

_WITHOUT_SPACES = frozenset({"ja", "ko", "zh"})


@cache
def phrases(file: str, kind: str) -> str:
    """Return the phrases of a kind, in all languages, as one regular expression without groups of its own."""
    languages: dict[str, list[str]] = _read(file)[kind]
    return "|".join(
        _expression(phrase, language) for language, found in languages.items() for phrase in found
    )


@cache
def _read(file: str) -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(files(__package__).joinpath(f"{file}.toml").read_text("utf-8"))


def _expression(phrase: str, language: str) -> str:
    spaced = phrase.replace(" ?", r"\s*").replace(" ", r"\s+")
    if language in _WITHOUT_SPACES:
        return f"(?:{spaced})"
    return rf"(?:{spaced})(?!\w)"


def compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
