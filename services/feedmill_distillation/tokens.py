"""About how many tokens a text is, without asking anybody's tokenizer. Pure.

A rule of thumb that means to err upwards: three letters of a Latin word are one, and so is a digit or
a sign; a character of any other script is up to two. It is no bound: random letters, or rare characters
that a tokenizer takes byte by byte, may be more.
"""

import re

# Three letters of one word, or one sign.
_ASCII = re.compile(r"[A-Za-z]{1,3}|[^A-Za-z \t\n\u0080-\U0010ffff]")
# A single space belongs to the word behind it.
_GAP = re.compile(r"[ \t\n]{2,}|[\t\n]")
_CHARACTERS_PER_TOKEN = 3
_OTHER = re.compile(r"[^\x00-\x7f]")
_TOKENS_OF_OTHERS = 2

# What a message costs around its text.
MESSAGE_TOKENS = 8


def count_tokens(text: str) -> int:
    """Return about how many tokens a text is, rather more than fewer."""
    gaps = sum(-(-len(gap) // _CHARACTERS_PER_TOKEN) for gap in _GAP.findall(text))
    others = 0 if text.isascii() else len(_OTHER.findall(text))
    return len(_ASCII.findall(text)) + gaps + _TOKENS_OF_OTHERS * others
