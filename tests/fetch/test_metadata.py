from datetime import UTC, datetime

import pytest

from feedmill_fetch.metadata import Metadata, person, read_metadata, withheld
from feedmill_fetch.metadata.times import parse_time, time_in
from feedmill_fetch.page import parse

URL = "https://site.example/2026/post.html"


def read(head: str, *, body: str = "x", html: str = "<html>", url: str = URL) -> Metadata:
    page = parse(f"{html}<head>{head}</head><body>{body}</body></html>")
    assert page is not None
    return read_metadata(page, url, url)


def described(fields: str, kind: str = '"NewsArticle"') -> str:
    return f'<script type="application/ld+json">{{"@type": {kind}, {fields}}}</script>'


ARTICLE = described(
    """
    "headline": "Mills grind", "author": [{"name": "Ada Byron"}, {"name": "Mary S."}],
    "publisher": {"name": "The Mill"}, "datePublished": "2026-11-24T09:00:00+01:00",
    "dateModified": "2026-11-24T10:00:00Z", "inLanguage": "en-GB",
    "image": {"url": "/mill.jpg"}, "isAccessibleForFree": "False"
    """
)


def test_everything_is_read_from_json_ld() -> None:
    assert read(ARTICLE) == Metadata(
        titles=("Mills grind",),
        byline="Ada Byron, Mary S.",
        site_name="The Mill",
        published_at=datetime(2026, 11, 24, 8, tzinfo=UTC),
        modified_at=datetime(2026, 11, 24, 10, tzinfo=UTC),
        language="en-GB",
        image_url="https://site.example/mill.jpg",
        canonical_url=None,
        free=False,
    )


def test_everything_is_read_from_open_graph() -> None:
    tags = {
        "og:title": "Mills &amp;amp; more",
        "article:author": "Ada Byron",
        "og:site_name": "The Mill",
        "article:published_time": "2026-11-24",
        "article:modified_time": "2026-11-25",
        "og:image": "//cdn.example/mill.jpg",
        "og:url": "/mills",
        "og:locale": "en_GB",
        "article:content_tier": "free",
    }

    assert read(
        "".join(f'<meta property="{n}" content="{v}">' for n, v in tags.items())
    ) == Metadata(
        titles=("Mills & more",),
        byline="Ada Byron",
        site_name="The Mill",
        published_at=datetime(2026, 11, 24, tzinfo=UTC),
        modified_at=datetime(2026, 11, 25, tzinfo=UTC),
        language="en-GB",
        image_url="https://cdn.example/mill.jpg",
        canonical_url="https://site.example/mills",
        free=True,
    )


def test_everything_is_read_from_microdata() -> None:
    body = """<article itemscope><h1 itemprop="headline">Mills grind</h1>
        <p itemprop="author">By <span itemprop="name">Ada Byron</span></p>
        <time itemprop="datePublished" datetime="2026-11-24T09:00Z">today</time>
        <meta itemprop="dateModified" content="2026-11-25"><img itemprop="image" src="/mill.jpg">
        </article><aside><p itemprop="author">Somebody Else</p></aside>"""

    found = read("", body=body)

    assert found.title == "Mills grind"
    assert found.byline == "Ada Byron"
    assert found.published_at == datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert found.modified_at == datetime(2026, 11, 25, tzinfo=UTC)
    assert found.image_url == "https://site.example/mill.jpg"


def test_a_page_that_says_nothing() -> None:
    assert read("") == Metadata()


@pytest.mark.parametrize(
    ("script", "title"),
    [
        ('[{"@type": "WebSite", "name": "S"}, {"@type": "BlogPosting", "headline": "A"}]', "A"),
        ('{"@graph": [{"@type": ["Thing", "TechArticle"], "headline": " A\\n b "}]}', "A b"),
        ('{"@type": "WebPage", "mainEntity": {"@type": "Article", "headline": "A"}}', "A"),
        ('{"@type": "WebPage", "name": "A"}', "A"),
        ('{"@type": "Organization", "name": "A"}', ""),
        ('<!-- /*<![CDATA[*/ {"@type": "Article", "name": "A"} /*]]>*/ -->', "A"),
        ('{"@type": "Article", "headline": "line\nbreak"}', "line break"),
        ('{"@type": "Article", "headline": {"no": "text"}}', ""),
        ('{"@type": "Article", "headline": "A",}', ""),
        ("[" * 100_000, ""),
        ('{"@type": 1}', ""),
        ("null", ""),
        ("", ""),
    ],
)
def test_json_ld_comes_in_many_shapes(script: str, title: str) -> None:
    assert read(f'<script type="application/ld+json">{script}</script>').title == title


def test_of_name_and_headline_the_one_in_the_title_is_it() -> None:
    both = described('"headline": "country in Oceania", "name": "New Zealand"', '"Article"')

    assert read(f"<title>New Zealand - Encyclopedia</title>{both}").title == "New Zealand"
    assert read(both).title == "country in Oceania"


@pytest.mark.parametrize(
    ("title", "body", "headline"),
    [
        ("Mills grind slowly all day | The Mill", "", "Mills grind slowly all day"),
        ("Mills grind all day - News - The Mill", "", "Mills grind all day - News"),
        ("The Mill \u2013 Mills grind all day long", "", "Mills grind all day long"),
        ("Mills | The Mill", "", "Mills | The Mill"),
        ("The Mill: How it grinds all day", "", "How it grinds all day"),
        ("The Mill: Grinding", "", "The Mill: Grinding"),
        ("What everybody should know of mills: grind them all day", "", "What everybody should know of mills: grind them all day"),
        ("A: B and C and D", "<h1>A: B and C and D</h1>", "A: B and C and D"),
        ("Mill", "<h1>Mills grind all day long</h1>", "Mills grind all day long"),
        ("Mills &raquo; All of them &raquo; How they grind", "", "Mills » All of them"),
        (" A \n B ", "", "A B"),
    ],
)  # fmt: skip
def test_titles_name_the_site_as_well(title: str, body: str, headline: str) -> None:
    assert read(f"<title>{title}</title>", body=body or "x").title == headline


def test_all_forms_of_the_headline_are_known() -> None:
    head = '<title>Mills grind slowly all day | M</title><meta name="title" content="Mills!">'

    assert read(head, body="<h1>Mills</h1>").titles == (
        "Mills!",
        "Mills grind slowly all day",
        "Mills",
    )


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("Ada Byron", "Ada Byron"),
        ("By Ada Byron", "Ada Byron"),
        ("von:  Ada\nByron |", "Ada Byron"),
        ("Byron", "Byron"),
        ("https://social.example/ada", ""),
        ("@ada", ""),
        ("<b>Ada</b>", ""),
        ("Ada Byron is a writer who lives by the sea with two cats and a mill", ""),
        ("", ""),
    ],
)
def test_names_are_told_from_what_else_stands_there(said: str, name: str) -> None:
    assert person(said) == name


@pytest.mark.parametrize(
    ("html", "language"),
    [
        ('<html lang="de">', "de"),
        ('<html lang="pt_BR">', "pt-BR"),
        ('<html xml:lang="fr">', "fr"),
        ('<html lang="the usual one">', None),
    ],
)
def test_languages(html: str, language: str | None) -> None:
    assert read("", html=html).language == language


@pytest.mark.parametrize(
    ("link", "url", "canonical"),
    [
        ("/a", URL, "https://site.example/a"),
        ("https://site.example/", URL, None),
        ("https://site.example", "https://site.example/", "https://site.example"),
        ("https://site.example/?p=1", URL, "https://site.example/?p=1"),
        ("javascript:x", URL, None),
        ("https://a.example/" + "x" * 2_000, URL, None),
    ],
)
def test_where_a_page_says_it_lives(link: str, url: str, canonical: str | None) -> None:
    assert read(f'<link rel="Canonical" href="{link}">', url=url).canonical_url == canonical


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T09:30:00Z", datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        ("2026-11-24T09:30:00.123+01:00", datetime(2026, 11, 24, 8, 30, 0, 123_000, tzinfo=UTC)),
        ("2026-11-24T09:30:00+0100", datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
        ("2026-11-24 09:30", datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        ("20261124", datetime(2026, 11, 24, tzinfo=UTC)),
        ("Tue, 24 Nov 2026 09:30:00 GMT", datetime(2026, 11, 24, 9, 30, tzinfo=UTC)),
        ("2026/11/24 9:30 Uhr", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-13-24", None),
        ("1970-01-01", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time


@pytest.mark.parametrize(
    ("url", "day"),
    [
        ("https://a.example/2026/11/24/mills", datetime(2026, 11, 24, tzinfo=UTC)),
        ("https://a.example/2026/1/2-mills", datetime(2026, 1, 2, tzinfo=UTC)),
        ("https://a.example/2026/99/24/mills", None),
        ("https://a.example/mills", None),
    ],
)
def test_some_addresses_name_the_day(url: str, day: datetime | None) -> None:
    assert time_in(url) == day
    assert read("", url=url).published_at == day


def test_a_time_that_the_page_marks_is_better_than_none() -> None:
    body = '<time datetime="2026-11-24">x</time><time datetime="2026-11-25">y</time>'

    assert read("", body=body).published_at == datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "sign"),
    [
        (
            '<meta name="robots" content="index, noai">',
            '<meta name="robots" content="index, noai">',
        ),
        ('<meta name="FEEDMILL" content="noai">', '<meta name="feedmill" content="noai">'),
        ('<meta name="tdm-reservation" content="1">', '<meta name="tdm-reservation" content="1">'),
        ('<meta name="tdm-reservation" content="0">', None),
        ('<meta name="other" content="noai">', None),
        ("", None),
    ],
)
def test_what_keeps_a_page_from_models(head: str, sign: str | None) -> None:
    page = parse(f"<html><head>{head}</head><body>x</body></html>")

    assert page is not None
    assert withheld(page) == sign
