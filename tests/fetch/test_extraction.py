import pytest

from feedmill.models.entries import Content
from feedmill_fetch.article import ARBITER
from feedmill_fetch.extraction import examine
from feedmill_fetch.feed_text import from_teaser
from support.corpus import CorpusEntry, CorpusFeed, corpus, corpus_file

URL = "https://site.example/post.html"
ARTICLE = "".join(
    f"<p>Paragraph {number} says something long enough, with a comma, to be taken for prose.</p>"
    for number in range(6)
)
PAGES = [(feed, entry) for feed in corpus() for entry in feed.entries]


def page(body: str, *, head: str = "", html: str = "<html>") -> bytes:
    return f"<!doctype html>{html}<head>{head}</head><body>{body}</body></html>".encode()


def found(body: bytes, *, charset: str | None = None, **known: str) -> Content:
    content = examine(body, charset=charset, url=URL, **known).content
    assert content is not None
    return content


@pytest.mark.parametrize(("feed", "entry"), PAGES, ids=[entry.path for _, entry in PAGES])
def test_articles_are_found_whole_and_alone(feed: CorpusFeed, entry: CorpusEntry) -> None:
    url = f"https://corpus.example{entry.path}"

    content = examine(
        corpus_file(entry.path), charset="utf-8", url=url, title=entry.title, teaser=entry.summary
    ).content

    assert content is not None
    assert entry.first_words in content.text
    assert content.text.endswith(entry.last_words)
    assert 5 <= len(content.text.splitlines()) <= 8
    assert 250 < content.word_count < 400
    assert not [words for words in feed.boilerplate if words in content.text + content.html]
    assert (content.url, content.title) == (url, entry.title)
    assert content.language in {"en", "en-GB"}
    assert content.extractor == ARBITER
    assert content.image_url is not None
    assert content.image_url.startswith("https://corpus.example/")
    assert "<h1>" not in content.html


def test_lazy_images_are_shown_from_where_they_are() -> None:
    body = page(
        f'<article>{ARTICLE}<img src="data:image/gif;base64,R0" data-src="/a.jpg">'
        f'<img src="/placeholder.gif" data-srcset="/b.jpg 2x"></article>',
        head='<base href="https://cdn.example/x/">',
    )

    html = found(body).html

    assert 'src="https://cdn.example/a.jpg"' in html
    assert 'srcset="https://cdn.example/b.jpg 2x"' in html
    assert "data:" not in html


@pytest.mark.parametrize(
    ("head", "known", "title"),
    [
        ("<title>A | Site</title>", "From the feed", "From the feed"),
        ('<title>A | Site</title><meta property="og:title" content=" A ">', "", "A"),
        ("<title>A\n | Site</title>", "", "A | Site"),
        ("", "", ""),
    ],
)
def test_titles(head: str, known: str, title: str) -> None:
    assert found(page(ARTICLE, head=head), title=known).title == title


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ('<html lang="de">', "de"),
        ('<html lang="pt_BR">', "pt-BR"),
        ('<html lang="zh-Hant-TW">', "zh-Hant-TW"),
        ('<html lang="">', None),
        ('<html lang="the usual one">', None),
        ("<html>", None),
    ],
)
def test_languages(html: str, language: str | None) -> None:
    assert found(page(ARTICLE, html=html)).language == language


@pytest.mark.parametrize(
    ("meta", "image"),
    [
        ('<meta property="og:image" content="/a.jpg">', "https://site.example/a.jpg"),
        ('<meta name="twitter:image" content="https://x.example/a">', "https://x.example/a"),
        ('<meta property="og:image" content="javascript:alert(1)">', None),
        ('<meta property="og:image" content="">', None),
        ("", None),
    ],
)
def test_lead_images(meta: str, image: str | None) -> None:
    assert found(page(ARTICLE, head=meta)).image_url == image


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0",
        b"<!-- nothing -->",
        page(""),
        page("<p>Please enable JavaScript to continue.</p>"),
        page("<nav>" + "<a href=/x>A link to somewhere else entirely</a> " * 30 + "</nav>"),
        page("<ul>" + "<li><a href=/x>Another headline, quite a long one</a></li>" * 30 + "</ul>"),
    ],
    ids=["empty", "NUL", "comment", "empty page", "notice", "menu", "list of articles"],
)
def test_no_article(body: bytes) -> None:
    assert examine(body, charset=None, url=URL).content is None


TEASER = "\n".join(["The feed says <all> of it & more, in words of its own."] * 4)


def test_the_feeds_own_text_stands_in_for_a_page_without_article() -> None:
    assert examine(page(""), charset=None, url=URL, title="T", teaser=TEASER).content == Content(
        url=URL,
        title="T",
        html="<p>The feed says &lt;all&gt; of it &amp; more, in words of its own.</p>" * 4,
        text=TEASER,
        word_count=48,
        reading_minutes=1,
        extractor="feed",
    )


def test_the_feeds_own_text_wins_over_a_preview_and_not_over_an_article() -> None:
    preview = page(f"<article>{ARTICLE}</article>")
    long = "word " * 400

    assert found(preview, teaser=long).extractor == "feed"
    assert found(preview, teaser=TEASER).extractor == ARBITER


@pytest.mark.parametrize(("words", "enough"), [(39, False), (40, True)])
def test_a_short_teaser_is_no_article(words: int, *, enough: bool) -> None:
    assert (from_teaser(URL, title="", teaser="word " * words) is not None) is enough


def test_the_header_the_page_and_the_bytes_decide_the_encoding() -> None:
    body = page(f"<article>{ARTICLE.replace('prose', 'Größe')}</article>").decode()

    for content in (
        found(body.encode()),
        found(body.encode("cp1252"), charset="iso-8859-1"),
        found(body.encode("cp1252")),
        found(body.replace("<head>", "<head><meta charset=utf-8>").encode(), charset="no-such"),
    ):
        assert "taken for Größe." in content.text


def test_a_deep_page_ends() -> None:
    deep = "<div>" * 20_000 + "text" + "</div>" * 20_000

    assert examine(page(deep), charset=None, url=URL).content is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(f"<title>A</title><article>{ARTICLE}</article>", id="article"),
        pytest.param(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>A</title><main>{ARTICLE}</main>",
            id="main",
        ),
        pytest.param(
            f"<title>A</title><article>{ARTICLE}</article>Loose.<div>After.</div>", id="and a body"
        ),
    ],
)
def test_pages_may_leave_out_the_tags_of_head_and_body(body: str) -> None:
    content = found(body.encode())

    assert content.title == "A"
    assert content.text.startswith("Paragraph 0 says something")
    assert "Paragraph 5" in content.text
