import pytest

from feedmill_fetch.feed_text import read_feed_text, says_as_much

URL = "https://a.example/mills/1"
SENTENCE = (
    "The miller of house number {} counted his sacks of flour before the wheel began to turn again."
)
PARAGRAPHS = "".join(f"<p>{SENTENCE.format(number)}</p>" for number in range(10))


def is_whole(markup: str) -> bool:
    return read_feed_text(URL, title="", teaser="", markup=markup).is_whole


def test_markup_of_a_feed_becomes_an_article_that_is_safe_to_show() -> None:
    markup = (
        f"{PARAGRAPHS}<script>alert(1)</script><p onclick='x()'>And <a href='/more'>a link</a>, "
        "with <img src='wheel.jpg' width='600' height='400'></p>"
    )

    content = read_feed_text(URL, title="Mills", teaser="", markup=markup).content

    assert content is not None
    assert (content.url, content.title, content.extractor) == (URL, "Mills", "feed/1")
    assert "alert" not in content.html + content.text
    assert "onclick" not in content.html
    assert 'href="https://a.example/more"' in content.html
    assert 'src="https://a.example/mills/wheel.jpg"' in content.html
    assert content.text.splitlines()[0] == SENTENCE.format(0)
    assert content.word_count > 150


@pytest.mark.parametrize(
    ("end", "whole"),
    [
        ("", True),
        ("<p>He wanted nothing more.</p>", True),
        ("<p>The post <a>Mills</a> appeared first on <a>Water</a>.</p>", True),
        ("<p>Der Beitrag <a>Mühlen</a> erschien zuerst auf <a>Wasser</a>.</p>", True),
        ("<p><a>Read more</a></p>", False),
        ("<p><a>Continue reading →</a></p>", False),
        ("<p>And then he went &hellip;</p>", False),
        ("<p>And then he went [...]</p>", False),
        ("<p>And then [&hellip;]</p><p>The post <a>Mills</a> appeared first on Water.</p>", False),
        ("<p>Dann ging er. <a>Weiterlesen</a></p>", False),
        ("<p><a>Lire la suite »</a></p>", False),
        ("<p>続きを読む</p>", False),
    ],
)
def test_a_text_that_was_cut_says_so_at_its_end(end: str, whole: bool) -> None:
    assert is_whole(PARAGRAPHS + end) == whole


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param("<p>Short, but a text of some kind all the same. </p>" * 6, id="short"),
        pytest.param(f"<div>{PARAGRAPHS.replace('p>', 'b>')}</div>", id="one paragraph"),
        pytest.param("<img src='wheel.jpg'>", id="a picture"),
    ],
)
def test_what_is_short_or_of_one_piece_may_be_a_summary(markup: str) -> None:
    assert not is_whole(markup)


def test_what_blogs_add_to_every_text_is_no_part_of_it() -> None:
    markup = f"{PARAGRAPHS}<p>The post <a href='/'>Mills</a> appeared first on <a>Water</a>.</p>"

    content = read_feed_text(URL, title="", teaser="", markup=markup).content

    assert content is not None
    assert "appeared first" not in content.html + content.text


@pytest.mark.parametrize("markup", [None, "", "<p>Too little.</p>", "<<<>>>", "\x00"])
def test_without_markup_worth_the_name_the_teaser_stands_in(markup: str | None) -> None:
    teaser = "\n".join(SENTENCE.format(number) for number in range(5))

    text = read_feed_text(URL, title="", teaser=teaser, markup=markup)

    assert text.content is not None
    assert (text.content.text, text.content.extractor, text.is_whole) == (teaser, "feed", False)
    assert text.content.html.count("<p>") == 5


def test_too_little_is_no_article() -> None:
    assert read_feed_text(URL, title="", teaser="Few words.", markup="<p>Few</p>").content is None


def test_markup_nested_deeper_than_anybody_reads_is_survived() -> None:
    text = read_feed_text(URL, title="", teaser="", markup="<div>" * 20_000 + PARAGRAPHS)

    assert text.content is None or text.content.word_count > 0


ARTICLE = "\n".join(SENTENCE.format(number) for number in range(10))


@pytest.mark.parametrize(
    ("own", "article", "verdict"),
    [
        pytest.param(ARTICLE, ARTICLE, True, id="the same"),
        pytest.param(f"Before.\n{ARTICLE.upper()}\nAfter.", ARTICLE, True, id="the same and more"),
        pytest.param(ARTICLE[: len(ARTICLE) // 2], ARTICLE, False, id="half of it"),
        pytest.param("Something else entirely. " * 40, ARTICLE, False, id="something else"),
        pytest.param(ARTICLE, "A page that says little.", None, id="nothing to compare with"),
    ],
)
def test_a_feed_that_says_what_its_pages_say_is_known_by_their_words(
    own: str, article: str, verdict: bool | None
) -> None:
    assert says_as_much(own, article) is verdict


def test_addresses_in_a_plain_text_are_links() -> None:
    teaser = (
        "word " * 40 + "See https://a.example/x?a=1&utm_source=f, (http://b.example/) & <b>.\nEnd"
    )

    content = read_feed_text(URL, title="", teaser=teaser, markup=None).content

    assert content is not None
    rel = 'rel="noopener noreferrer nofollow ugc"'
    assert content.html.endswith(
        f'See <a href="https://a.example/x?a=1" {rel}>https://a.example/x?a=1&amp;utm_source=f</a>, '
        f'(<a href="http://b.example/" {rel}>http://b.example/</a>) &amp; &lt;b&gt;.</p><p>End</p>'
    )
    assert content.text == teaser


@pytest.mark.parametrize("least_words", [1, 3])
def test_how_much_is_enough_is_for_the_asker_to_say(least_words: int) -> None:
    def found(teaser: str, markup: str | None) -> bool:
        text = read_feed_text(URL, title="", teaser=teaser, markup=markup, least_words=least_words)
        return text.content is not None

    assert found("One two three.", None)
    assert found("", "<p>One <b>two</b> three.</p>")
    assert found("One two.", "<p>One two.</p>") is (least_words == 1)
