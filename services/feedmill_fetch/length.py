"""How much there is to read. Pure."""

import math
import re

# Chinese and Japanese write no spaces: each character counts as a word.
CHARACTER = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_WORD = re.compile(rf"[{CHARACTER}]|[^\W{CHARACTER}]+(?:['\u2019-]\w+)*")
_IS_CHARACTER = re.compile(rf"[{CHARACTER}]")

# How fast adults read silently, in the scripts with spaces and in those without.
_WORDS_A_MINUTE = 238
_CHARACTERS_A_MINUTE = 400


def count_words(text: str) -> int:
    """Return how much there is to read; a Chinese or Japanese character counts as a word."""
    return len(_WORD.findall(text))


def reading_minutes(text: str) -> int:
    """Return how long that takes; at least a minute, unless there is nothing."""
    characters = len(_IS_CHARACTER.findall(text))
    words = count_words(text) - characters
    return math.ceil(words / _WORDS_A_MINUTE + characters / _CHARACTERS_A_MINUTE)
