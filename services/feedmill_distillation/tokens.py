"""How many tokens a text may be, at most, without asking anybody's tokenizer. Pure.

A tokenizer that splits bytes never makes more tokens than there are bytes, and words of scripts that
it was trained on take far fewer: of English, four letters or so are one. Counting too many costs a
little room; counting too few costs a refused call.
"""

import re

# Letters of one word, or one character of anything else.
_PIECE = re.compile(r"[A-Za-z]+|\d|[ \t\n]+|.", re.DOTALL)
_LETTERS_PER_TOKEN = 3

# What a message costs around its text.
MESSAGE_TOKENS = 8


def count_tokens(text: str) -> int:
    """Return how many tokens a text is at most, for any tokenizer in common use."""
    return sum(_tokens(piece) for piece in _PIECE.findall(text))


def _tokens(piece: str) -> int:
    if piece[0].isascii():
        # A single space belongs to the word behind it.
        return -(-len(piece) // _LETTERS_PER_TOKEN) if piece != " " else 0
    return min(2, len(piece.encode()))
