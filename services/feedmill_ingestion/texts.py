"""What an element says, as text or as markup. Pure."""

import base64
import re
from contextlib import suppress
from html import entities
from xml.sax.saxutils import escape

from lxml import etree

from feedmill_ingestion.shown import NO_TEXT, Text

_PLAIN = "text/plain"
_XHTML = "application/xhtml+xml"
_MEANT = {
    "text": _PLAIN,
    "plain": _PLAIN,
    "html": "text/html",
    "xhtml": _XHTML,
}
WITHOUT_TEXT = ("image/", "audio/", "video/")

# Elements that people write in what should be plain text. What only looks like one is none.
_HTML = frozenset({
    "a", "abbr", "acronym", "address", "article", "aside", "audio", "b", "big", "blockquote", "br",
    "button", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "dfn",
    "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "form", "h1", "h2", "h3",
    "h4", "h5", "h6", "header", "hr", "i", "iframe", "img", "input", "ins", "kbd", "label", "li",
    "main", "mark", "nav", "nobr", "ol", "p", "picture", "pre", "q", "s", "samp", "script",
    "section", "small", "source", "span", "strike", "strong", "style", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "video",
    "wbr",
})  # fmt: skip
_CLOSING_OR_ENTITY = re.compile(r"</\w+>|&#?\w+;")
_TAG_NAME = re.compile(r"</?(\w+)")
_ENTITY_NAME = re.compile(r"&(\w+);")

# Byte values of Windows-1252 written as if they were characters.
_WINDOWS = re.compile("[\x80-\x9f]")
_PREFIXED = re.compile(r"(</?)[\w.-]+:")


def text_of(element: etree._Element) -> str:
    """Return what the element says; where it does so in markup of its own, without that."""
    return own_text_of(element) or mended(_all_text(element).strip())


def own_text_of(element: etree._Element) -> str:
    """Return what the element itself says, without what its children say."""
    text = element.text or ""
    if len(element):
        text = "".join([text, *(child.tail or "" for child in element)])
    return mended(text.strip())


def marked_text_of(element: etree._Element, *, usually: str, guess: bool) -> Text:
    """Return what the element says, and whether that is markup.

    Parameters
    ----------
    usually
        The media type of such an element where it gives none.
    guess
        Whether what claims to be plain text is looked at: RSS never said what it is.
    """
    kind = element.get("type", usually).strip().lower()
    kind = _MEANT.get(kind, kind)
    if kind.startswith(WITHOUT_TEXT):
        return NO_TEXT
    if len(element):
        return Text(mended(_inner(element, is_xhtml=kind == _XHTML)))
    text = mended((element.text or "").strip())
    if kind == _XHTML:
        return Text(escape(text))
    is_text = kind.startswith("text/") or kind.endswith("xml")
    if element.get("mode") == "base64" or not is_text:
        text = _decoded(text)
    return Text(text, is_markup=kind != _PLAIN or (guess and looks_like_html(text)))


def looks_like_html(text: str) -> bool:
    """Whether text that may be plain has something closed or escaped in it, and only what HTML knows."""
    if _CLOSING_OR_ENTITY.search(text) is None:
        return False
    return all(name.lower() in _HTML for name in _TAG_NAME.findall(text)) and all(
        name in entities.entitydefs or name == "apos" for name in _ENTITY_NAME.findall(text)
    )


def mended(text: str) -> str:
    """Return the text read as it was meant, where it was read in the wrong encoding before."""
    if text.isascii():
        return text
    with suppress(UnicodeError):
        # UTF-8 that was taken for Latin-1 and encoded once more.
        text = text.encode("iso-8859-1").decode("utf-8")
    return _WINDOWS.sub(_from_windows, text)


def _from_windows(control: re.Match[str]) -> str:
    return control[0].encode("iso-8859-1").decode("cp1252", "ignore")


def _inner(element: etree._Element, *, is_xhtml: bool) -> str:
    text = element.text or ""
    if is_xhtml:
        return escape(text) + _children(element)
    # Escaped markup that some software wraps in an element that is none of it.
    wrapped = all(child.tag.endswith("div") and not len(child) for child in element)
    return _all_text(element) if wrapped else text + _children(element)


def _all_text(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", method="text", with_tail=False)


def _children(element: etree._Element) -> str:
    # As HTML, in which an empty element does not swallow what follows it.
    children = [etree.tostring(child, encoding="unicode", method="html") for child in element]
    return _PREFIXED.sub(r"\1", "".join(children))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text).decode()
    except ValueError:
        return text
