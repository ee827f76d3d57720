"""The bytes of a file as XML elements, with the places that are not well-formed. Pure.

Real exports contain bare ampersands, HTML's entities, controls and wrong encodings. These are mended
before the parser sees them; whatever else is wrong costs its own line and not the file.
"""

import html
import re
from collections.abc import Mapping, Sequence
from html.entities import html5

from lxml import etree

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason
from feedmill.web.charsets import decode_text

# The parser names this many errors and then stops: nobody could say any more what was lost.
_MOST_ERRORS = 100
_SHOWN_CHARACTERS = 50

_DECLARATION = re.compile(r"\s*<\?xml\b[^>]*>")
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BARE = re.compile(r"&(?!(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)")
_REFERENCE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)(#?[a-zA-Z0-9]+;)")


class ListRefused(Model):
    """The file as a whole cannot be read as a list."""

    reason: Reason
    detail: str


class Markup:
    """A file's elements.

    Attributes
    ----------
    root
        The outermost element.
    defects
        What is not well-formed, by line.
    """

    def __init__(self, root: etree._Element, defects: Mapping[int, str]) -> None:
        self.root = root
        self.defects = defects


def parse_markup(body: bytes) -> Markup | ListRefused:
    """Read a file, however it is encoded and however carelessly it was written."""
    text = mended(decode_text(body))
    if not text.strip():
        return ListRefused(reason=Reason.NOT_A_LIST, detail="it is empty")
    if "<!ENTITY" in text:
        # No list needs any, and what they can be made to do is a long story.
        return ListRefused(reason=Reason.LIST_UNREADABLE, detail="it declares entities of its own")
    root, errors = _parsed(text)
    if root is None:
        return ListRefused(reason=Reason.NOT_A_LIST, detail="it is no XML")
    # Namespaces that nobody declared, and the like, are errors only to the letter.
    fatal = [each for each in errors if each.level == etree.ErrorLevels.FATAL]
    all_named = not fatal or len(errors) < _MOST_ERRORS
    refused = _refused(root, fatal, all_named=all_named)
    return Markup(root, _by_line(fatal)) if refused is None else refused


def mended(text: str) -> str:
    """Return the text with every reference one that XML knows, and no character that it forbids.

    Lines stay where they are, for whoever looks for them in the file.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    declaration = _DECLARATION.match(lines)
    if declaration:
        # What it says about the encoding is no longer true.
        lines = "\n" * declaration[0].count("\n") + lines[declaration.end() :]
    return _REFERENCE.sub(_as_number, _BARE.sub("&amp;", _NOT_XML.sub("", lines)))


def _as_number(reference: re.Match[str]) -> str:
    name = reference[1]
    if not name.startswith("#") and name not in html5:
        return f"&amp;{name}"
    meant = _NOT_XML.sub("", html.unescape(f"&{name}"))
    return "".join(f"&#{ord(letter)};" for letter in meant)


def _parsed(text: str) -> tuple[etree._Element | None, list[etree._LogEntry]]:
    parser = etree.XMLParser(
        encoding="utf-8",
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except etree.XMLSyntaxError:
        # A few beginnings are beyond recovery.
        return None, []
    return root, list(parser.error_log)


def _refused(
    root: etree._Element, fatal: Sequence[etree._LogEntry], *, all_named: bool
) -> ListRefused | None:
    outermost = local_name(str(root.tag))[:_SHOWN_CHARACTERS]
    if outermost != "opml":
        detail = f"its outermost element is <{outermost}> and not <opml>"
        return ListRefused(reason=Reason.NOT_A_LIST, detail=detail)
    if not all_named:
        detail = f"it is not well-formed in too many places, the first on line {fatal[0].line}"
        return ListRefused(reason=Reason.LIST_UNREADABLE, detail=detail)
    limits = [each for each in fatal if each.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT]
    if limits:
        # From there on nothing was read.
        detail = f"line {limits[0].line}: {limits[0].message}"
        return ListRefused(reason=Reason.LIST_UNREADABLE, detail=detail)
    return None


def local_name(name: str) -> str:
    """Return the name of an element or an attribute without its namespace, in lower case."""
    return name.rpartition("}")[2].rpartition(":")[2].lower()


def _by_line(fatal: Sequence[etree._LogEntry]) -> dict[int, str]:
    # One defect makes the parser complain several times; the first time says it best.
    return {each.line: f"column {each.column}: {each.message}" for each in reversed(fatal)}
