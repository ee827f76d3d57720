"""Bytes from the web as text. Pure."""

import codecs
import re
from collections.abc import Iterator

import cchardet
import webencodings

# What a document in this encoding begins with, by a byte order mark or by its first characters.
# The longer ones first: UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
    ("<?xm".encode("cp037"), "cp037"),
)

# `encoding="…"` of an XML declaration, `charset=…` of an HTML meta.
_DECLARATION = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"']\s*([\w.:-]+)|<meta[^>]*?charset\s*=\s*[\"']?\s*([\w.:-]+)",
    re.IGNORECASE,
)
# Where browsers look before they begin to read (html.spec.whatwg.org, prescan). What they come upon
# later makes them begin again; here it counts for text that is no UTF-8.
_EARLY_BYTES = 1_024
_LATE_BYTES = 65_536

# Two and four bytes a character: no document that declares them in single bytes is in them. And
# what the standard forbids to read at all, for fear of what it hides.
_UNREAD = frozenset({"utf-16le", "utf-16be", "replacement", "x-user-defined"})
# Of Python's own labels those of plain tables: `utf-7` and `unicode_escape` are tricks.
_TABLES = re.compile(r"(?:cp|euc|gb|hp|iso|johab|koi|kz|mac|ptcp|tis)[\w-]*")

# A detector that sees less than this guesses; more than this it does not need.
_LEAST_FOREIGN_BYTES = 8
_DETECTED_BYTES = 65_536
_LEAST_CONFIDENCE = 0.5
_ASCII = bytes(range(128))

# What servers say when they do not know, and what documents say that do.
_LATIN_1 = "cp1252"
_UTF_8 = "utf-8"
# How many characters fit for each that does not, in text that was only damaged: cut in the middle of
# a character, or joined from two sources.
_FITTING = 4


def decode_text(body: bytes, charset: str | None = None) -> str:
    """Return the text that `body` most likely is; never fails.

    Believed are, in this order, a byte order mark, the HTTP header's `charset`, what the document
    declares in its beginning, UTF-8, what it declares later, and what its bytes look like; the
    first that fits, but for a few damaged characters, wins. Only a header that says Latin-1 gives
    way to a document that says UTF-8 and is. Text that fits none is read as the first of them with
    the misfits replaced. A media type says nothing here: `text/xml` without charset is not ASCII
    (RFC 7303).
    """
    first = None
    for codec in _codecs(body, charset):
        text = _decoded(body, codec)
        if text is not None:
            return text
        first = first or codec
    return body.decode(first or _UTF_8, "replace")


def _codecs(body: bytes, charset: str | None) -> Iterator[str]:
    for mark, codec in _MARKS:
        if body.startswith(mark):
            yield codec
    said = [*_codec(charset), *_codec(_declared(body, _EARLY_BYTES))]
    yield from reversed(said) if said == [_LATIN_1, _UTF_8] else said
    yield _UTF_8
    yield from _codec(_declared(body, _LATE_BYTES))
    yield from _codec(_detected(body))
    yield _LATIN_1


def _codec(label: str | None) -> Iterator[str]:
    codec = codec_of(label) if label else None
    if codec is not None:
        yield codec


def codec_of(label: str) -> str | None:
    """Return Python's codec for what a label means on the web, None if it means no text.

    The web's labels are not Python's: `iso-8859-1` is what Python calls `cp1252`, and so on for
    two hundred more (encoding.spec.whatwg.org). Some that only Python knows are taken as well.
    """
    try:
        # `latin-1` is known to Python alone, by a name that the web knows again.
        found = webencodings.lookup(label) or webencodings.lookup(codecs.lookup(label).name)
        if found is None:
            own = codecs.lookup(label).name
            return own if _TABLES.fullmatch(own) else None
    except (LookupError, ValueError):
        return None
    if found.name in _UNREAD:
        return None
    # The standard reads both with the larger of the two tables.
    return "gb18030" if found.name == "gbk" else str(found.codec_info.name)


def _declared(body: bytes, look_bytes: int) -> str | None:
    found = _DECLARATION.search(body, 0, look_bytes)
    return (found[1] or found[2]).decode("ascii", "replace") if found else None


def _detected(body: bytes) -> str | None:
    sample = body[:_DETECTED_BYTES]
    if len(sample.translate(None, delete=_ASCII)) < _LEAST_FOREIGN_BYTES:
        return None
    guess = cchardet.detect(sample)
    label, confidence = guess["encoding"], guess["confidence"]
    return label if (confidence or 0) >= _LEAST_CONFIDENCE else None


def _decoded(body: bytes, codec: str) -> str | None:
    try:
        return body.decode(codec)
    except (LookupError, ValueError):
        return _damaged(body, codec)


def _damaged(body: bytes, codec: str) -> str | None:
    """Return the text if all but a few of the characters that could tell fit the encoding."""
    try:
        text = body.decode(codec, "replace")
    except (LookupError, ValueError):
        return None
    misfits = text.count("\ufffd")
    telling = len(text) - len(text.encode("ascii", "ignore"))
    return text if telling - misfits > _FITTING * misfits else None
