"""About how many tokens a text is, without asking anybody's tokenizer. Pure.

A rule of thumb that means to err upwards: three letters of a Latin word are one, and so is a digit or
a sign; a character of any other script is up to two. It is no bound: random letters, or rare characters
that a tokenizer takes byte by byte, may be more.
"""

import re

# Letters of one word, or one character of anything else.
_PIECE = re.compile(r"[A-Za-z]+|\d|[ \t\n]+|.", re.DOTALL)
_LETTERS_PER_TOKEN = 3

# What a message costs around its text.
MESSAGE_TOKENS = 8


def count_tokens(text: str) -> int:
    """Return about how many tokens a text is, rather more than fewer."""
    return sum(_tokens(piece) for piece in _PIECE.findall(text))


def _tokens(piece: str) -> int:
    if piece[0].isascii():
        # A single space belongs to the word behind it.
        return -(-len(piece) // _LETTERS_PER_TOKEN) if piece != " " else 0
    return min(2, len(piece.encode()))
