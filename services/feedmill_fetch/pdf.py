"""The text of a PDF. Pure, and run in a process of its own: such files are programs, nearly."""

import io
import re
from collections import Counter
from collections.abc import Sequence

from feedmill.models.entries import Content
from feedmill_fetch.plain_page import paragraphs, text_content

PDF_READER = "pdf/1"

MOST_PAGES = 100
_TITLE_WORDS = 3
# What stands at the edge of so many pages is a header or a footer.
_EDGE_LINES = 2
_REPEATED = 0.5
_LEAST_PAGES = 3
_MOST_NUMBERED_WORDS = 6
_DIGITS = re.compile(r"\d+")


def read_pdf(body: bytes, *, url: str, title: str) -> Content | None:
    """Return a PDF as an article: the text of its first 100 pages, without headers and footers.

    None if it has none (it was scanned, or wants a password) or cannot be read.
    """
    try:
        pages, own_title = _read(body)
    except Exception:  # noqa: BLE001 - whatever a broken file makes of the library, there is no text
        return None
    lines = [line for page in _without_edges(pages) for line in paragraphs(page)]
    return text_content(lines, url=url, title=title or own_title, extractor=PDF_READER)


def _read(body: bytes) -> tuple[list[list[str]], str]:
    from pypdf import PdfReader  # noqa: PLC0415 - only those processes need it that meet a PDF

    reader = PdfReader(io.BytesIO(body), strict=False)
    if reader.is_encrypted and not reader.decrypt(""):
        return [], ""
    pages = [
        [line for line in page.extract_text().splitlines() if line.strip()]
        for page in reader.pages[:MOST_PAGES]
    ]
    named = str((reader.metadata.title if reader.metadata else None) or "")
    # Many are named after a file, by the program that wrote them.
    return pages, named if len(named.split()) >= _TITLE_WORDS else ""


def _without_edges(pages: Sequence[list[str]]) -> list[list[str]]:
    """Return the pages without what repeats at their top and bottom, page numbers included."""
    if len(pages) < _LEAST_PAGES:
        return list(pages)
    seen = Counter(key for page in pages for key in {_key(line) for line in _edges(page)})
    repeated = {key for key, times in seen.items() if times > _REPEATED * len(pages)}
    return [_without(page, repeated) for page in pages]


def _edges(page: list[str]) -> list[str]:
    return page[:_EDGE_LINES] + page[-_EDGE_LINES:]


def _without(page: list[str], repeated: set[str]) -> list[str]:
    last = len(page) - _EDGE_LINES
    return [
        line
        for at, line in enumerate(page)
        if _EDGE_LINES <= at < last or _key(line) not in repeated
    ]


def _key(line: str) -> str:
    """Return what is the same in `Page 3` and `Page 4`; sentences are the same only to the letter."""
    if len(line.split()) > _MOST_NUMBERED_WORDS:
        return line.strip()
    return _DIGITS.sub("#", line.strip())
