"""Bytes from the web as text. Pure."""

import codecs
import re
from collections.abc import Iterator

# The longer ones first: UTF-32's mark begins with UTF-16's.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)

# `encoding="…"` of an XML declaration, `charset=…` of an HTML meta.
_DECLARATION = re.compile(
    rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)|<meta[^>]*?charset\s*=\s*[\"']?([\w.:-]+)",
    re.IGNORECASE,
)
_DECLARATION_BYTES = 2_048

# What browsers read instead: the label is older than what is meant by it (encoding.spec.whatwg.org).
_MEANT = {
    "ascii": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "sjis": "cp932",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
}


def decode_text(body: bytes, charset: str | None = None) -> str:
    """Return the text that `body` most likely is; never fails.

    A byte order mark is believed first, then the HTTP header's `charset`, then what the document
    declares, then UTF-8; the first that fits every byte wins. Text that fits none is read as the
    first of them with the misfits replaced.
    """
    labels = [_MEANT.get(label, label) for label in _labels(body, charset)]
    for label in labels:
        text = _decoded(body, label, "strict")
        if text is not None:
            return text
    for label in labels:
        text = _decoded(body, label, "replace")
        if text is not None:
            return text
    return body.decode("utf-8", "replace")


def _labels(body: bytes, charset: str | None) -> Iterator[str]:
    for mark, label in _MARKS:
        if body.startswith(mark):
            yield label
    declared = _DECLARATION.search(body[:_DECLARATION_BYTES])
    labels = [charset or "", (declared[1] or declared[2]).decode() if declared else ""]
    for label in labels:
        # A document whose declaration can be read byte by byte is not in these.
        if label and not label.lower().startswith(("utf-16", "utf16", "utf-32", "ucs")):
            yield label.lower()
    yield "utf-8"
    yield "cp1252"


def _decoded(body: bytes, label: str, errors: str) -> str | None:
    try:
        return body.decode(label, errors)
    except (LookupError, UnicodeError, ValueError):
        return None
