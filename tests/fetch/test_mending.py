from lxml.html import HtmlElement, fromstring, tostring

from feedmill_fetch.arbiter import Ruling
from feedmill_fetch.lines import Line, placed_lines, words_of
from feedmill_fetch.mending import mended

PAGE = """<html><body><p>one</p><p>two <b>and</b> <a href="/x">more</a></p><ul><li>three</ul>
    <div><h3>four</h3><p>five</p></div></body></html>"""


def html(article: HtmlElement) -> str:
    return tostring(article, encoding="unicode")


def mend(article: str, *ruled: tuple[str, int | None], heading: bool = False) -> str:
    root = fromstring(article)
    lines = tuple(Line(text, words_of(text), heading=heading) for text, _ in ruled)
    ruling = Ruling(lines, tuple(place for _, place in ruled))
    blocks = [block for _, block in placed_lines(root)]
    return html(mended(root, blocks, ruling, lambda: fromstring(PAGE)))


def test_a_reader_view_of_all_stays_as_it_is() -> None:
    article = '<div>a<p>one</p><img src="x.png"></div>'

    assert mend(article, ("one", 1)) == article


def test_what_is_missing_comes_back_as_it_is_on_the_page() -> None:
    article = "<div><p>one</p><p>five</p></div>"

    assert mend(article, ("one", 0), ("two and more", None), ("five", 1)) == (
        '<div><p>one</p><p>two <b>and</b> <a href="/x">more</a></p><p>five</p></div>'
    )


def test_what_is_missing_at_the_beginning_comes_first() -> None:
    article = "<div><p>two</p><p>five</p></div>"

    assert mend(article, ("one", None), ("two", 0), ("five", 1)) == (
        "<div><p>one</p><p>two</p><p>five</p></div>"
    )


def test_what_is_missing_comes_after_a_list_and_not_into_it() -> None:
    article = "<div><ul><li>a<ul><li>b</li></ul></li></ul>rest</div>"

    assert mend(article, ("a", 0), ("b", 1), ("one", None), ("rest", 2)) == (
        "<div><ul><li>a<ul><li>b</li></ul></li></ul><p>one</p>rest</div>"
    )


def test_what_cannot_stand_alone_becomes_a_paragraph() -> None:
    article = "<div><p>one</p></div>"

    assert mend(article, ("one", 0), ("three", None)) == "<div><p>one</p><p>three</p></div>"


def test_what_is_nowhere_on_the_page_becomes_a_paragraph() -> None:
    article = "<div><p>one</p></div>"

    assert mend(article, ("one", 0), ("a < b", None)) == "<div><p>one</p><p>a &lt; b</p></div>"


def test_a_heading_that_is_nowhere_becomes_one() -> None:
    assert mend("<div></div>", ("nowhere", None), heading=True) == "<div><h3>nowhere</h3></div>"


def test_a_reader_view_of_something_else_gives_way() -> None:
    article = "<div><p>Elsewhere</p></div>"

    assert mend(article, ("one", None), ("four", None), ("five", None)) == (
        "<div><p>one</p><h3>four</h3><p>five</p></div>"
    )
