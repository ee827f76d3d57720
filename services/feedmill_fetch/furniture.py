"""Lines that sites put into their articles, and that no article is made of. Pure."""

import re

from feedmill_fetch.phrases import compiled, phrases

_BEGINNINGS = "|".join(phrases("lines", kind) for kind in ("more", "asking", "credits"))
_FURNITURE = compiled(
    rf"^\W*(?:{_BEGINNINGS}|(?:{phrases('lines', 'labels')})\W*$)|\b(?:{phrases('lines', 'anywhere')})"
)
# When it was published: a year and a time of day, and little else.
_STAMP = re.compile(r"(?=.*\b(?:19|20)\d\d\b)(?=.*\b\d{1,2}[:h]\d\d\b)")

_MOST_WORDS = 45
# A word may be as long as the page.
_MOST_CHARACTERS = 1_000
_MOST_STAMP_WORDS = 12


def is_furniture(line: str, words: int) -> bool:
    """Tell whether a line asks for something, leads elsewhere or labels what is not there."""
    if words > _MOST_WORDS or len(line) > _MOST_CHARACTERS:
        return False
    if words <= _MOST_STAMP_WORDS and _STAMP.search(line):
        return True
    return _FURNITURE.search(line) is not None
