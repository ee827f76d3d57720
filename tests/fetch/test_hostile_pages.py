"""Pages that would hold up or break whoever reads them."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml.html import fragment_fromstring

from feedmill_fetch.extraction import examine
from feedmill_fetch.sanitising import sanitise
from fetch.test_sanitising_vectors import off_the_list

URL = "https://site.example/post"
SIZE = 1_500_000
PROSE = "Some words of a sentence, and more of them, long enough to count as prose. "
# Generous: what grows with the square of its size takes minutes.
CPU_SECONDS = 12


def full_of(part: str) -> str:
    return part * (SIZE // len(part))


HUGE = {
    "the same paragraph": full_of(f"<p>{PROSE}</p>"),
    "elements": full_of("<p>a</p>"),
    "links": full_of('<p><a href="/x">a link</a></p>'),
    "depth": "<div>" * 100_000 + PROSE * 20 + "</div>" * 100_000,
    "depth of links": full_of("<a href=x><div>"),
    "depth of headings": full_of("<h2><div>x"),
    "one word": "x" * SIZE,
    "one line": full_of(PROSE),
    "line breaks": full_of("some text<br>"),
    "cells": "<table>" + full_of("<tr><td>a</td><td>b</td></tr>"),
    "tables in tables": full_of("<table><tr><td>x"),
    "attributes": f"<p {' '.join(f'a{i}=x' for i in range(120_000))}>{PROSE * 10}</p>",
    "one attribute": f'<p class="{full_of("a ")}">{PROSE * 10}</p>',
    "JSON without an end": f'<script type="application/ld+json">{"[" * 200_000}</script>',
    "pictures": f'<p>{PROSE * 10}</p><img srcset="{full_of("a.jpg 1x, ")}">',
}


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE)
def test_no_page_takes_time_that_grows_with_the_square_of_its_size(body: str) -> None:
    began = time.process_time()

    examine(f"<html><body>{body}".encode(), charset="utf-8", url=URL)

    assert time.process_time() - began < CPU_SECONDS


def test_the_text_of_an_enormous_page_is_kept_without_its_markup() -> None:
    body = "".join(f"<p>Item <b>{n}</b> of many, {PROSE}</p>" for n in range(20_000))

    content = examine(f"<html><body>{body}".encode(), charset="utf-8", url=URL).content

    assert content is not None
    assert content.text.startswith("Item 0 of many, Some words")
    assert content.html.startswith("<p>Item 0 of many, Some words")
    assert len(content.text.splitlines()) == 20_000


def test_an_element_with_too_many_attributes_keeps_its_text() -> None:
    attributes = " ".join(f"a{number}=x" for number in range(80_000))

    content = examine(
        f"<html><body><p {attributes}>{PROSE * 10}</p>".encode(), charset="utf-8", url=URL
    ).content

    assert content is not None
    assert content.text == (PROSE * 10).strip()


TAGS = ("p", "div", "a", "b", "table", "tr", "td", "ul", "li", "img", "math", "svg", "style",
        "script", "title", "template", "noscript", "select", "iframe", "object", "video", "br",
        "h2", "pre", "form", "mi", "annotation-xml", "foreignobject", "plaintext", "textarea")  # fmt: skip
ATTRIBUTES = (
    "href",
    "src",
    "srcset",
    "onclick",
    "style",
    "class",
    "width",
    "data-src",
    "xlink:href",
)
VALUES = ("javascript:alert(1)", "data:text/html,x", "/a b?utm_source=x&c=d", "//b.example/x", "x 1x, y 2x",
          "\x01java\tscript:x", "language-py", "1", "mailto:a@b.example", "http://[", "&#106;avascript:x", '"><img src=x onerror=y>')  # fmt: skip
tag = st.builds(
    lambda slash, name, attribute, value, quote: (
        f"<{slash}{name} {attribute}={quote}{value}{quote}>"
    ),
    st.sampled_from(("", "", "/")),
    st.sampled_from(TAGS),
    st.sampled_from(ATTRIBUTES),
    st.sampled_from(VALUES),
    st.sampled_from(("'", '"', "")),
)
part = st.one_of(
    tag,
    st.sampled_from(("<!--", "-->", "--!>", "<![CDATA[", "]]>", "<!", "<", "&lt;", "\x00")),
    st.text(max_size=8),
)
markup = st.lists(part, max_size=12).map("".join)
bounded = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@bounded
@given(markup)
def test_whatever_comes_nothing_acts_in_what_is_left(markup: str) -> None:
    assert off_the_list(sanitise(markup, URL)) == []


def shape(markup: str) -> list[object]:
    """Return what is in the markup; in which order attributes are written means nothing."""
    nodes = fragment_fromstring(markup, create_parent=True).iter()
    return [(node.tag, sorted(node.attrib.items()), node.text, node.tail) for node in nodes]


@bounded
@given(markup)
def test_what_is_clean_stays_as_it_is(markup: str) -> None:
    # Read once more: what was nested wrongly in tables or links is put right then.
    clean = sanitise(sanitise(markup, URL), URL)

    assert shape(sanitise(clean, URL)) == shape(clean)


@bounded
@given(markup, st.sampled_from(("utf-8", "utf-16", "shift_jis", "windows-1251")), st.booleans())
def test_no_page_is_too_broken_to_be_examined(markup: str, charset: str, cut: bool) -> None:
    body = f"<html><body><p>{PROSE * 3}</p>{markup}<p>{PROSE}</p>".encode(charset, "replace")

    examine(body[: len(body) // 2] if cut else body, charset=None, url=URL)


@bounded
@given(st.binary(max_size=300))
def test_no_bytes_are_too_broken_to_be_examined(body: bytes) -> None:
    examine(body, charset=None, url=URL)


@pytest.mark.parametrize(
    ("reference", "left"),
    [
        ("&#1;", ""),
        ("&#000027", ""),
        ("&#x1B;", ""),
        ("&#X0;", ""),
        ("&#127;", ""),
        ("&#xfffe;", ""),
        ("&#65535;", ""),
        ("&#65;", "A"),
        ("&#110;", "n"),
        ("&#x1f4a9;", "\U0001f4a9"),
        ("&#x41;", "A"),
    ],
)
def test_a_character_that_nothing_can_keep_costs_only_itself(reference: str, left: str) -> None:
    markup = (
        f"<p>{PROSE * 9}</p><p>here{reference} too <a href='{reference}/x'>link</a>"
        f"<img data-src='{reference}/a.png'><iframe src='https://www.youtube.com/embed/x' title='Film{reference}'></iframe></p>"
    )

    content = examine(f"<html><body>{markup}".encode(), charset="utf-8", url=URL).content

    assert content is not None
    assert f"here{left} too" in content.text
    assert f">Film{left}</a>" in content.html
    if not left:
        assert 'href="https://site.example/x"' in content.html
        assert 'src="https://site.example/a.png"' in content.html
