"""Text that can be stored, and HTML as such text. Pure."""

import html
import re

import nh3

# What ends a line; everything else is part of one.
_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl",
    "dt", "fieldset", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tr",
    "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})
_UNREAD = frozenset({"head", "iframe", "noscript", "script", "style", "svg", "template", "title"})

_CELL_TAG = re.compile(r"</?t[dh]>")
_TAG = re.compile(r"<[^>]*>")

# Postgres refuses NUL and halves of characters; the other controls are never meant.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """Return the text without the characters that Postgres or a browser would refuse."""
    return _UNSTORABLE.sub("", text)


def plain_text(markup: str) -> str:
    """Return what a reader sees of an HTML fragment: a line per paragraph, no empty lines."""
    # Cleaned first, so that the only tags left are bare ones and every other `<` is escaped.
    bare = nh3.clean(
        storable(markup),
        tags=set(_BLOCKS | _CELLS),
        clean_content_tags=set(_UNREAD),
        attributes={},
        link_rel=None,
    )
    lines = _TAG.sub("\n", _CELL_TAG.sub(" ", bare.replace("\n", " "))).split("\n")
    squeezed = (" ".join(storable(html.unescape(line)).split()) for line in lines)
    return "\n".join(line for line in squeezed if line)


def shorten(text: str, characters: int) -> str:
    """Return at most so many characters, cut between words and marked as cut."""
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    at_a_word = cut.rsplit(maxsplit=1)[0] if " " in cut or "\n" in cut else cut
    return f"{at_a_word}…"
