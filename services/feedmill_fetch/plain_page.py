"""Documents that are text and nothing else, as articles. Pure."""

import html
import re
import statistics
from collections.abc import Sequence
from itertools import pairwise

from feedmill.models.entries import Content, ContentKind
from feedmill.web.charsets import decode_text
from feedmill.web.plain import shorten, squeezed, storable
from feedmill_fetch.length import count_words, reading_minutes

TEXT_READER = "text/1"

_MOST_CHARACTERS = 2_000_000
_TITLE_CHARACTERS = 200
# A line much shorter than the others ends its paragraph.
_SHORT = 0.75
_LEAST_WRAPPED = 40
_SENTENCE_END = re.compile("[.!?:;\u3002\uff01\uff1f\u2026][\"'\u201d\u2019)\\]]*$")
_ITEM = re.compile(r"(?:[-*\u2022\u2023\u2013]|\(?\d{1,3}[.)])\s")
# A word divided at the end of a line; not a dash, and not a name that has its hyphen always.
_DIVIDED = re.compile(r"(?<=[^\W\d_])-$")


def read_text(body: bytes, *, charset: str | None, url: str, title: str) -> Content | None:
    """Return a plain text as an article; None if it is empty."""
    text = decode_text(body, charset)[:_MOST_CHARACTERS].replace("\r\n", "\n").replace("\r", "\n")
    blocks = (block.split("\n") for block in re.split(r"\n\s*\n", text))
    lines = [line for block in blocks for line in paragraphs(block)]
    return text_content(lines, url=url, title=title, extractor=TEXT_READER)


def text_content(lines: Sequence[str], *, url: str, title: str, extractor: str) -> Content | None:
    """Return paragraphs as an article; None if they say nothing."""
    clean = [line for line in (squeezed(storable(line)) for line in lines) if line]
    text = "\n".join(clean)
    if not count_words(text):
        return None
    return Content(
        kind=ContentKind.DOCUMENT,
        url=url,
        title=title or shorten(clean[0], _TITLE_CHARACTERS),
        html="".join(f"<p>{html.escape(line, quote=False)}</p>" for line in clean),
        text=text,
        word_count=count_words(text),
        reading_minutes=reading_minutes(text),
        extractor=extractor,
    )


def paragraphs(lines: Sequence[str]) -> list[str]:
    """Return the paragraphs of lines that were wrapped at some width.

    A line goes on in the next one, unless it is much shorter than they usually are and ends a
    sentence, or the next one begins an item of a list.
    """
    full = [line.strip() for line in lines if line.strip()]
    if not full:
        return []
    usual = statistics.quantiles(map(len, full), n=4)[2] if len(full) > 1 else len(full[0])
    parts = [[full[0]]]
    for before, line in pairwise(full):
        if _ends_paragraph(before, usual) or _ITEM.match(line):
            parts.append([line])
        elif _DIVIDED.search(before) and line[0].islower():
            parts[-1][-1] = parts[-1][-1][:-1] + line
        else:
            parts[-1].append(line)
    return [" ".join(each) for each in parts]


def _ends_paragraph(line: str, usual: float) -> bool:
    if usual < _LEAST_WRAPPED:
        # Lines as short as that were not wrapped: a poem, a list, an address.
        return True
    return len(line) < _SHORT * usual and bool(
        _SENTENCE_END.search(line) or line.istitle() or line.isupper()
    )
