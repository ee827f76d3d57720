"""XML as the web has it: where a document begins, whether it ends, what keeps it from being XML. Pure."""

import re
from collections import Counter
from html.entities import html5
from xml.sax.saxutils import escape

from lxml import etree

from feedmill.web.plain import storable

# What a feed can be called: `channel` is CDF's, `entry` a feed of one.
FEED_ROOTS = frozenset({"rss", "feed", "rdf", "channel", "entry"})

# Everything that may stand before the root. Left out, so are the entities a DOCTYPE could define.
_PROLOG = re.compile(
    r"(?:\s+|<\?.*?\?>|<!--.*?-->|<!doctype[^>\[]*(?:\[.*?\]\s*)?>)*", re.DOTALL | re.IGNORECASE
)
_TAG = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)")
_FEED_TAG = re.compile(r"<(?:[\w.-]+:)?(rss|feed|rdf)(?=[\s>])", re.IGNORECASE)
# As far as a program's complaints before the feed reach.
_PREAMBLE_CHARACTERS = 20_000

# In these nothing is an entity, an end or a mistake.
_LITERAL = re.compile(r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL)
_SUSPECT = re.compile(
    rf"(?P<literal>{_LITERAL.pattern})"
    # Numbers in a row, because halves of an emoji are some generators' idea of it.
    r"|(?P<numbers>(?:&#(?:x[0-9a-f]{1,6}|[0-9]{1,7});)+)"
    r"|(?P<ampersand>&(?!(?-i:amp|lt|gt|quot|apos);)(?P<name>[a-z][a-z0-9]*;)?)"
    r"|(?P<bracket><(?![^\W\d]|[:/!?]))",
    re.DOTALL | re.IGNORECASE,
)
_NUMBER = re.compile(r"#(x?[0-9a-f]+)", re.IGNORECASE)
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LAST_CHARACTER = 0x10FFFF
# More suspects are no accident, and would take too long.
_MOST_SUSPECTS = 200_000

_PREFIX = re.compile(r"</?([a-z_][\w.-]*):|\s([a-z_][\w.-]*):[\w.-]+\s*=\s*[\"\']", re.IGNORECASE)
_DECLARED = re.compile(r"\sxmlns:([\w.-]+)\s*=")
_MOST_PREFIXES = 50

# Of libxml2: https://gnome.pages.gitlab.gnome.org/libxml2/html/xmlerror_8h.html
_RESOURCE_LIMIT = 114
_ATTRIBUTE_REDEFINED = 42
_TAG_NAME_MISMATCH = 76


def _parser(*, recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )


_STRICT = _parser(recover=False)
_FORGIVING = _parser(recover=True)
_BEGIN = re.compile(r"<[^\W\d]")
_MISMATCH = re.compile(r"mismatch: (\S+) line \d+ and (\S+)$")
_MOST_SLIPS = 20


class DocumentRefusedError(Exception):
    """The document cannot be read safely, or would take too long; the message says why."""


def root_of(text: str) -> tuple[int, str]:
    """Return where the root element begins, and its name in lower case: "" if there is none.

    A feed is found behind what a program complained about before it, or printed too early.
    """
    prolog = _PROLOG.match(text)
    start = prolog.end() if prolog else 0
    root = _TAG.match(text, start)
    name = root[1].lower() if root else ""
    if name in FEED_ROOTS or is_page(text[:start], name):
        return start, name
    late = _FEED_TAG.search(text, start, start + _PREAMBLE_CHARACTERS)
    return (late.start(), late[1].lower()) if late else (start, name)


def is_page(prolog: str, root: str) -> bool:
    """Whether what begins like this is meant for a browser."""
    return root == "html" or (root not in FEED_ROOTS and "<!doctype html" in prolog.lower())


def parse_xml(document: str) -> etree._Element | None:
    """Return the root of a document that begins with it; None if it is not well-formed.

    Raises
    ------
    DocumentRefusedError
        A limit of the parser was reached: no other should try.
    """
    try:
        return etree.fromstring(document.encode("utf-8", "ignore"), _STRICT)
    except etree.XMLSyntaxError:
        _refuse_too_heavy(_STRICT)
        return None


def parse_with_slips(document: str) -> etree._Element | None:
    """Return the root even if an end tag is misspelt or an attribute there twice.

    Raises
    ------
    DocumentRefusedError
        As of `parse_xml`.
    """
    try:
        root = etree.fromstring(document.encode("utf-8", "ignore"), _FORGIVING)
    except etree.XMLSyntaxError:
        return None
    _refuse_too_heavy(_FORGIVING)
    # libxml2 says nothing of what stands behind an end that came too early.
    is_whole = root is not None and _elements_begun(document) == sum(1 for _ in root.iter())
    return root if is_whole and _are_slips(_FORGIVING.error_log, document) else None


def _elements_begun(document: str) -> int:
    return sum(1 for _ in _BEGIN.finditer(_LITERAL.sub("", document)))


def _refuse_too_heavy(parser: etree.XMLParser) -> None:
    if any(error.type == _RESOURCE_LIMIT for error in parser.error_log):
        raise DocumentRefusedError("nested too deeply, or with parts too long")


def _are_slips(errors: etree._ListErrorLog, document: str) -> bool:
    """Whether the mistakes leave no doubt about the structure.

    An end whose name nothing begins with, in place of one that is missing, is that one misspelt.
    """
    misspelt = Counter[str]()
    for error in list(errors)[: _MOST_SLIPS + 1]:
        found = _MISMATCH.search(error.message) if error.type == _TAG_NAME_MISMATCH else None
        if found is not None and f"<{found[2]}" not in document:
            misspelt[found[1]] += 1
        elif error.type != _ATTRIBUTE_REDEFINED:
            return False
    return len(errors) <= _MOST_SLIPS and all(
        _missing_ends(name, document) == times for name, times in misspelt.items()
    )


def _missing_ends(name: str, document: str) -> int:
    begun = re.findall(rf"<{re.escape(name)}(?:\s[^<>]*)?(?<!/)>", document)
    ended = re.findall(rf"</{re.escape(name)}\s*>", document)
    return len(begun) - len(ended)


def whole(document: str, root: str) -> str | None:
    """Return the document up to the end of its root; None if it was cut short on its way."""
    masked = _LITERAL.sub(lambda literal: " " * len(literal[0]), document)
    end = re.compile(rf"</(?:[\w.-]+:)?{re.escape(root)}\s*(>|\Z)", re.IGNORECASE)
    last = max(end.finditer(masked), key=re.Match.end, default=None)
    # Nothing is missing but what is sure to follow.
    return f"{document[: last.start(1)]}>" if last else None


def repaired(document: str) -> str:
    """Return the document without the mistakes that can only mean one thing.

    Entities that HTML knows, `&` and `<` that begin nothing, characters that XML forbids, and
    prefixes whose namespace was forgotten.

    Raises
    ------
    DocumentRefusedError
        There are more mistakes than happen.
    """
    mended, suspects = _SUSPECT.subn(_corrected, storable(document), _MOST_SUSPECTS)
    if suspects == _MOST_SUSPECTS:
        raise DocumentRefusedError("too many mistakes to mend")
    return _with_prefixes(mended)


def _corrected(suspect: re.Match[str]) -> str:
    if suspect["numbers"]:
        return _possible_in_xml(suspect["numbers"])
    if suspect["ampersand"]:
        name = suspect["name"] or ""
        return escape(html5.get(name, f"&{name}"))
    return "&lt;" if suspect["bracket"] else suspect[0]


def _possible_in_xml(references: str) -> str:
    """Join the halves of an emoji, and drop what no document may have, not even by its number."""
    codes = [_code(digits) for digits in _NUMBER.findall(references)]
    text = "".join(chr(code) for code in codes if code <= _LAST_CHARACTER)
    # A UTF-16 decoder joins the halves that belong together and leaves out the others.
    joined = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return escape(_NOT_IN_XML.sub("", joined))


def _code(digits: str) -> int:
    return int(digits[1:], 16) if digits[0] in "xX" else int(digits)


def _with_prefixes(document: str) -> str:
    """Declare the prefixes whose namespace was forgotten, each as what is usually meant by it."""
    markup = _LITERAL.sub("", document)
    used = {element or attribute for element, attribute in _PREFIX.findall(markup)}
    forgotten = sorted(used - set(_DECLARED.findall(markup)) - {"xml", "xmlns"})[:_MOST_PREFIXES]
    declared = "".join(f' xmlns:{prefix}="urn:{prefix}"' for prefix in forgotten)
    root = re.match(r"<[^\s/>]+", document)
    return f"{root[0]}{declared}{document[root.end() :]}" if root and declared else document
