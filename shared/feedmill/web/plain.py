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
_TAG = re.compile(r"<[^<>]*>")
# Tags of elements that can contain themselves.
_NESTING_TAG = re.compile(
    r"<(/?)(?!(?:area|br|col|dd|dt|hr|img|input|li|p|td|th|tr|wbr)\b)[a-z]", re.IGNORECASE
)
_DEEP = 500
_UNREAD_ELEMENT = re.compile(r"<(script|style)\b.*?(?:</\1\s*>|\Z)", re.DOTALL | re.IGNORECASE)

# Postgres refuses NUL and halves of characters; the other controls are never meant.
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def storable(text: str) -> str:
    """Return the text without the characters that Postgres or a browser would refuse."""
    # Nothing of it is printable; most lines are, and that is seen sooner.
    return text if text.isprintable() else _UNSTORABLE.sub("", text)


# Leaves bare tags only, and every other `<` escaped. Made once: its tables cost as much as a text.
_CLEANER = nh3.Cleaner(
    tags=set(_BLOCKS | _CELLS),
    clean_content_tags=set(_UNREAD),
    attributes={},
    link_rel=None,
)


def plain_text(markup: str) -> str:
    """Return what a reader sees of an HTML fragment: a line per paragraph, no empty lines."""
    clean = storable(markup)
    if "<" not in clean:
        return squeezed(html.unescape(clean).replace("\n", " "))
    if _nests_deeply(clean):
        return squeezed(html.unescape(_TAG.sub("\n", _UNREAD_ELEMENT.sub("", clean))))
    bare = _CLEANER.clean(_with_unended_escaped(clean))
    # What was a line end before is a blank, what ends a line now is a tag.
    lines = _TAG.sub("\n", _CELL_TAG.sub(" ", bare.replace("\n", " ")))
    return squeezed(html.unescape(lines))


def _with_unended_escaped(markup: str) -> str:
    # A declaration that nothing ends is none, and would take the rest of the text with it.
    end = markup.rfind(">") + 1
    return markup[:end] + markup[end:].replace("<!", "&lt;!")


def _nests_deeply(markup: str) -> bool:
    """Whether elements nest so deeply that the parser's time would grow with the square of it."""
    if markup.count("<") < _DEEP:
        return False
    depth = deepest = 0
    for tag in _NESTING_TAG.finditer(markup):
        depth = max(depth - 1, 0) if tag[1] else depth + 1
        deepest = max(deepest, depth)
    return deepest > _DEEP


def squeezed(text: str) -> str:
    """Return storable text with single blanks, and without empty lines."""
    clean = storable(text)
    if "\n" not in clean:
        return " ".join(clean.split())
    lines = (" ".join(line.split()) for line in clean.split("\n"))
    return "\n".join(line for line in lines if line)


def shorten(text: str, characters: int) -> str:
    """Return at most so many characters, cut between words and marked as cut."""
    if len(text) <= characters:
        return text
    cut = text[: characters - 1]
    at_a_word = cut.rsplit(maxsplit=1)[0] if " " in cut or "\n" in cut else cut
    return f"{at_a_word}…"
