"""The reader view: what of a page is the article, by its names and its shape."""

import pytest

from feedmill_fetch.lines import lines_of
from feedmill_fetch.page import parse
from feedmill_fetch.reader import reader_view
from feedmill_fetch.reader.passes import ReaderView

SENTENCE = "A sentence that is long enough, with a comma, to count as prose wherever it stands. "
PROSE = f"<p>{SENTENCE}</p>" * 8


def view(body: str, *, title: str = "", wants_byline: bool = False) -> ReaderView:
    page = parse(f"<html><body>{body}</body></html>")
    assert page is not None
    found = reader_view(page, title, wants_byline=wants_byline)
    assert found is not None
    return found


def text(body: str, *, title: str = "") -> list[str]:
    """Return the lines that are not the usual prose."""
    lines = (line.text for line in lines_of(view(body, title=title).article))
    return [line for line in lines if line != SENTENCE.strip()]


def tags(body: str, *wanted: str) -> list[str]:
    return [node.tag for node in view(body).article.iter(*wanted)]


@pytest.mark.parametrize(
    "around",
    [
        '<div class="sidebar">Elsewhere</div>',
        '<div id="related-posts">Elsewhere</div>',
        '<div role="navigation">Elsewhere</div>',
        '<div style="display: none">Elsewhere</div>',
        '<div style="visibility:hidden">Elsewhere</div>',
        "<div hidden>Elsewhere</div>",
        '<div aria-hidden="true">Elsewhere</div>',
        '<div aria-modal="true" role="dialog">Elsewhere</div>',
        "<footer>Elsewhere</footer>",
        "<aside>Elsewhere</aside>",
        '<ul class="share-this"><li>Elsewhere</li></ul>',
        "<form><input><input>Elsewhere</form>",
        "<div><ul>" + "<li><a href=/x>Elsewhere</a></li>" * 3 + "</ul><p>More of it</p></div>",
        "<div><p>Advertisement</p><br></div>",
        '<iframe src="https://ads.example/"></iframe>',
        "<script>Elsewhere</script><style>Elsewhere</style><template>Elsewhere</template>",
        "<button>Elsewhere</button><select><option>Elsewhere</option></select>",
        "<p> <br> </p>",
    ],
)
def test_what_is_no_article_is_left_out(around: str) -> None:
    assert text(f"<article>{PROSE}{around}{PROSE}</article>") == []


@pytest.mark.parametrize(
    ("part", "lines"),
    [
        ('<div class="article-sidebar">Kept by its good name</div>', 1),
        ("<table><tr><td><div class=sidebar>Within a table</div></table>", 1),
        ("<blockquote>Quoted</blockquote>", 1),
        ("<ul><li>One thing</li><li>Another</li></ul>", 2),
        ("<pre><code>x = 1\ny = 2</code></pre>", 2),
        ("<h2>Heading</h2><h3>Smaller</h3>", 2),
        ("<div><p>Nested</p></div>", 1),
        ("<section><div>Deeper</div></section>", 1),
        ("<table><tr><th>Name<th>Size<tr><td>a<td>1</table>", 2),
        ('<math aria-hidden="true" class="fallback-image"><mi>x</mi></math>', 1),
    ],
)
def test_what_belongs_to_an_article_stays(part: str, lines: int) -> None:
    assert len(text(f"<article>{PROSE}{part}{PROSE}</article>")) == lines


def test_the_headline_is_left_out_once() -> None:
    body = (
        f"<article><h1>The Title, as it is</h1>{PROSE}<h2>The title as it is</h2>{PROSE}</article>"
    )

    assert text(body, title="The title as it is") == ["The title as it is"]
    assert text(body, title="Something else altogether") == [
        "The Title, as it is",
        "The title as it is",
    ]


def test_headings_of_other_things_are_left_out() -> None:
    body = f'<article>{PROSE}<h2 class="promo">Buy</h2><h2>Part two</h2>{PROSE}</article>'

    assert text(body) == ["Part two"]


@pytest.mark.parametrize(
    ("markup", "byline"),
    [
        ('<p class="byline">By Ada Byron</p>', "By Ada Byron"),
        ('<a rel="author" href="/ada">Ada Byron</a>', "Ada Byron"),
        ('<p itemprop="author">by <b itemprop="name">Ada Byron</b> on Monday</p>', "Ada Byron"),
        (f'<p class="author">{"A long story about the author. " * 4}</p>', ""),
        ("<p>Ada Byron</p>", ""),
    ],
)
def test_whoever_wrote_it_is_named_beside_the_text(markup: str, byline: str) -> None:
    body = f"<article>{markup}{PROSE}</article>"

    found = view(body, wants_byline=True)

    assert found.byline == byline
    assert ("Ada Byron" in found.article.text_content()) is (not byline and "Ada" in markup)
    assert view(body).byline == ""


def test_two_line_breaks_mean_a_paragraph() -> None:
    body = f"<div>{SENTENCE}<br><br>{SENTENCE}<b>bold</b><br> <br>last one<br>\n</div>" + PROSE

    assert len(tags(body, "p")) == 11
    assert tags(body, "br") == []
    assert text(body) == [f"{SENTENCE}bold", "last one"]


def test_one_line_break_is_one() -> None:
    assert text(f"<div>{PROSE}<p>one<br>two</p></div>") == ["one", "two"]


def test_divisions_that_mean_paragraphs_become_some() -> None:
    body = f"<article><div>{SENTENCE}</div><div>loose <i>words</i><p>{SENTENCE}</p>and more</div>{PROSE}</article>"

    assert text(body) == ["loose words", "and more"]
    assert "div" not in {
        node.tag
        for node in view(body).article.iterdescendants()
        if node.text and node.text.startswith("A sentence")
    }


def test_an_article_in_several_parts_is_put_together() -> None:
    part = f'<div class="part">{PROSE}</div>'

    assert (
        len(
            view(f"<main>{part}<div class=ad-break>x</div>{part * 3}</main>").article.findall(
                ".//p"
            )
        )
        == 32
    )


def test_siblings_that_are_prose_belong_to_it() -> None:
    lone = f"<p>{SENTENCE}{SENTENCE}</p>"
    body = f"<div><p>Short, no end</p><p>Short, with one.</p>{lone}<article>{PROSE * 2}</article><span>x</span></div>"

    assert text(body) == ["Short, with one.", f"{SENTENCE}{SENTENCE}".strip()]


def test_a_page_that_strict_rules_leave_empty_is_read_less_strictly() -> None:
    hidden_by_its_name = f'<div class="comment">{PROSE}</div>'
    worthless_by_its_name = f'<div class="footer"><div class="sidebar">{PROSE}</div></div>'

    assert len(view(hidden_by_its_name).article.findall(".//p")) == 8
    assert len(view(worthless_by_its_name).article.findall(".//p")) == 8


def test_the_longest_try_wins_where_all_are_short() -> None:
    assert text("<div>Few words.<ul><li><a href=/>Home</a></ul></div>") == ["Few words.", "Home"]


@pytest.mark.parametrize("body", ["", " ", "<div></div>", "<script>x</script>", "<img src=a.png>"])
def test_a_page_without_text_has_no_reader_view(body: str) -> None:
    page = parse(f"<html><body>{body}</body></html>")

    assert page is not None
    assert reader_view(page, "", wants_byline=False) is None


@pytest.mark.parametrize(
    ("image", "source"),
    [
        ('<img src="a.png">', "a.png"),
        ('<img class="lazy" src="blank.gif" data-x="b.jpg">', "b.jpg"),
        ('<img data-big="b.webp?w=1">', "b.webp?w=1"),
        ('<img alt="c.jpg" data-x="b.jpg">', "b.jpg"),
        ('<img src="data:image/gif;base64,R0lGODlhAQAB" data-x="b.png">', "b.png"),
        ('<img src="data:image/svg+xml;base64,PHN2Zz4=" data-x="b.png">', "data:image/svg+xml;base64,PHN2Zz4="),
        ('<figure data-x="b.jpeg"></figure>', "b.jpeg"),
        ('<img src="small.png"><noscript><img src="large.png"></noscript>', "large.png"),
        ('<p><img data-x="t.jpg"></p><noscript><p><img src="large.png"></p></noscript>', "large.png"),
    ],
)  # fmt: skip
def test_images_come_from_where_a_script_would_take_them(image: str, source: str) -> None:
    found = view(f"<article>{PROSE}{image}{PROSE}</article>").article

    assert [each.get("src") for each in found.iter("img")] == [source]


def test_image_sets_are_found_as_well() -> None:
    found = view(f'<article>{PROSE}<img data-x="a.jpg 1x, b.jpg 2x"></article>').article

    assert [each.get("srcset") for each in found.iter("img")] == ["a.jpg 1x, b.jpg 2x"]


def test_images_that_are_nowhere_to_be_found_are_left_out() -> None:
    assert tags(f'<article>{PROSE}<img alt="x"></article>', "img") == []


@pytest.mark.parametrize(
    ("table", "kept"),
    [
        ("<table><caption>Facts</caption><tr><td>a<td>b<tr><td>c<td>d</table>", True),
        ("<table summary=Facts><tr><td>a<td>b</table>", True),
        ("<table><thead><tr><td>a<td>b</thead></table>", True),
        ("<table>" + "<tr><td>a<td>b" * 10 + "</table>", True),
        ("<table><tr><td>a<td>b<td>c<td>d<td>e<tr><td>a</table>", True),
        ("<table>" + "<tr><td colspan=6>a" * 2 + "</table>", True),
        ("<table role=presentation><tr><th>Ab</table>", False),
        ("<table datatable=0><tr><th>Ab</table>", False),
        ("<table><tr><td colspan=x><a href=/>Ab</a><tr><td>c</table>", False),
    ],
)
def test_tables_of_facts_are_told_from_layout(table: str, *, kept: bool) -> None:
    links = "<a href=/>Elsewhere</a>"
    body = f"<article>{PROSE}{table.replace('a<', f'{links}<')}{PROSE}</article>"

    assert (tags(body, "table") == ["table"]) is kept


@pytest.mark.parametrize(
    ("cell", "tag"), [("words <b>only</b>", "p"), ("<p>words</p><p>only</p>", "div")]
)
def test_a_table_of_one_cell_is_none(cell: str, tag: str) -> None:
    found = view(
        f"<article>{PROSE}<table><tr><td>{cell}</td></tr></table>{PROSE}</article>"
    ).article

    assert found.find(".//table") is None
    assert "words" in found.text_content()
    assert (found.find(".//article/div") is not None) is (tag == "div")


def test_players_stay_and_other_frames_go() -> None:
    player = '<iframe src="https://www.youtube.com/embed/x"></iframe>'
    other = '<iframe src="https://ads.example/x"></iframe><object data="x.swf"></object>'

    found = view(f"<article>{PROSE}<div>{player}</div>{other}{PROSE}</article>").article

    assert [node.get("src") for node in found.iter("iframe", "object", "embed")] == [
        "https://www.youtube.com/embed/x"
    ]


def test_a_list_of_pictures_is_a_gallery() -> None:
    gallery = "<ul>" + '<li><img src="a.jpg"></li>' * 3 + "</ul>"
    menu = "<ul>" + '<li><a href=/><img src="a.jpg"></a><a href=/>x</a></li>' * 3 + "</ul>"

    assert tags(f"<article>{PROSE}{gallery}{menu}{PROSE}</article>", "li") == ["li"] * 3


def test_walls_within_walls_are_taken_down() -> None:
    found = view(f"<div><div><section><div class=x>{PROSE}</div></section></div></div>").article

    assert len(list(found.iter("div", "section"))) == 2


def test_what_follows_a_removed_element_stays() -> None:
    kept = "after it"

    assert text(f"<article>{PROSE}<p>before <span hidden>x</span>{kept}</p></article>") == [
        f"before {kept}"
    ]
