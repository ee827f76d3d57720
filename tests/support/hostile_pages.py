"""Pages made to hang, overflow or starve whoever reads them. Each is below the limit of a page's size."""

_SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again. "
_ARTICLE = f"<article>{f'<p>{_SENTENCE}</p>' * 9}</article>"


def _page(body: str, head: str = "") -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>{body}</body></html>".encode()


def _data(json: str) -> bytes:
    return _page(_ARTICLE, f'<script type="application/ld+json">{json}</script>')


HOSTILE_PAGES = {
    "nested boxes": _page("<div>" * 300_000 + _ARTICLE),
    "nested tables": _page("<table><tr><td>" * 50_000 + _ARTICLE),
    "nested quotes": _page("<blockquote>" * 100_000 + _ARTICLE + "</blockquote>" * 100_000),
    "nested emphasis": _page("<b><i>" * 50_000 + _ARTICLE),
    "nested lists": _page("<ul><li>" * 60_000 + _ARTICLE),
    "a million line ends": _page("<br>" * 1_000_000 + _ARTICLE),
    "a hundred thousand paragraphs": _page(f"<p>{_SENTENCE[:30]}</p>" * 100_000),
    "a hundred thousand links": _page("<p><a href='/x'>word</a></p>" * 100_000 + _ARTICLE),
    "a word without end": _page("<p>" + "x" * 4_000_000 + "</p>" + _ARTICLE),
    "an attribute without end": _page(f"<p title='{'x ' * 2_000_000}'>Hello</p>" + _ARTICLE),
    "a thousand attributes": _page(
        "<p " + " ".join(f"a{n}=1" for n in range(100_000)) + ">" + _ARTICLE
    ),
    "open brackets": b"<" * 4_000_000,
    "open comments": b"<!--" * 1_000_000,
    "open doctypes": b"<!DOCTYPE " * 400_000,
    "entities": _page("<p>" + "&amp;" * 800_000 + "</p>" + _ARTICLE),
    "nested data": _data("[" * 1_000_000),
    "nested data that ends": _data("[" * 100_000 + "]" * 100_000),
    "described a thousand times": _data('{"@graph":[' + '{"@type":"Article"},' * 100_000 + "{}]}"),
    "a number without end": _data('{"@type":"Article","wordCount":' + "9" * 1_000_000 + "}"),
    "pictures": _page("<img src='/a.jpg' srcset='" + "/a.jpg 1x, " * 100_000 + "'>" + _ARTICLE),
    "spaces": _page("<p>" + " \n\t" * 1_300_000 + "</p>" + _ARTICLE),
    "zeros": b"\x00" * 4_000_000,
    "another encoding's start": b"\xff\xfe" + b"<\x00p\x00" * 900_000,
    "half of a character": _page(_ARTICLE).replace(b"flour", b"fl\xc3our"),
}
