import pytest
from lxml.html import fromstring

from feedmill_fetch.lines import Line, as_lines, lines_of, placed_lines, words_of


def texts(markup: str) -> list[str]:
    return [line.text for line in lines_of(fromstring(f"<div>{markup}</div>"))]


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("one <b>two</b>\n three<p>four", ["one two three", "four"]),
        ("<ul><li>a<li>b<ul><li>c</ul></ul>", ["a", "b", "c"]),
        ("a<br>b<hr>c", ["a", "b", "c"]),
        ("<table><tr><td>a<td>b<tr><th>c<td>d</table>", ["a b", "c d"]),
        ("<pre>x = 1\n  y = 2\n\nz</pre>w\nv", ["x = 1", "y = 2", "z", "w v"]),
        ("<p>a<script>b</script>c<style>d</style></p>", ["ac"]),
        ("<list><item>a</item><item>b</item></list><head>c</head>", ["a", "b", "c"]),
        ("<p> \xa0 </p>", []),
        ("", []),
    ],
)
def test_a_line_is_a_paragraph_an_item_or_a_row(markup: str, lines: list[str]) -> None:
    assert texts(markup) == lines


def test_lines_know_what_their_markup_says() -> None:
    markup = """<p>plain</p><p><a href=/>all linked</a></p><p>half <a href=/>half</a></p>
        <figure><img><figcaption>below</figcaption></figure><h2>above</h2>after"""

    found = {
        line.text: (line.linked, line.caption, line.heading)
        for line in lines_of(fromstring(f"<div>{markup}</div>"))
    }

    assert found == {
        "plain": (0, False, False),
        "all linked": (1, False, False),
        "half half": (0.5, False, False),
        "below": (0, True, False),
        "above": (0, False, True),
        "after": (0, False, False),
    }


def test_lines_know_the_block_they_end_in() -> None:
    root = fromstring("<div>a<p>b<br>c</p><ul><li>d</li></ul>e</div>")

    assert [(line.text, block.tag) for line, block in placed_lines(root)] == [
        ("a", "div"),
        ("b", "p"),
        ("c", "p"),
        ("d", "li"),
        ("e", "div"),
    ]


def test_what_follows_the_root_is_not_in_it() -> None:
    root = fromstring("<div><p>a</p>b</div>")

    assert [line.text for line in lines_of(root[0])] == ["a"]


def test_plain_text_has_lines_as_well() -> None:
    assert as_lines("One,  two\n\n \nthree") == [
        Line("One, two", ("One", "two")),
        Line("three", ("three",)),
    ]
    assert words_of("it's 2 \u6c49") == ("it", "s", "2", "\u6c49")
