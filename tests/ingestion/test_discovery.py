import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedmill.models.feeds import FeedLink
from feedmill.web.plain import storable
from feedmill_ingestion.discovery import find_feeds

PAGE = "https://example.org/blog/post.html"
RSS = "application/rss+xml"
ATOM = "application/atom+xml"
JSON = "application/feed+json"


def page(head: str = "", body: str = "") -> str:
    return (
        f"<!doctype html><html><head><title>A page</title>{head}</head><body>{body}</body></html>"
    )


def link(href: str, rel: str = "alternate", kind: str = RSS, title: str = "") -> str:
    return f'<link rel="{rel}" type="{kind}" href="{href}" title="{title}">'


def urls(markup: bytes | str, url: str = PAGE) -> list[str]:
    return [found.url for found in find_feeds(markup, url=url)]


def test_a_declared_feed_has_an_address_a_title_and_a_type() -> None:
    markup = page(link("https://example.org/feed", kind=ATOM, title="All  posts &amp; notes"))

    assert find_feeds(markup, url=PAGE) == (
        FeedLink(url="https://example.org/feed", title="All posts & notes", media_type=ATOM),
    )


@pytest.mark.parametrize(
    ("href", "address"),
    [
        pytest.param("https://example.org/feed", "https://example.org/feed", id="absolute"),
        pytest.param("//feeds.example.org/all", "https://feeds.example.org/all", id="no scheme"),
        pytest.param("/feed", "https://example.org/feed", id="from the root"),
        pytest.param("feed.xml", "https://example.org/blog/feed.xml", id="from the folder"),
        pytest.param("../feed.xml", "https://example.org/feed.xml", id="from above"),
        pytest.param("?feed=rss2", "https://example.org/blog/post.html?feed=rss2", id="a query"),
        pytest.param("  /feed\n", "https://example.org/feed", id="blanks around"),
        pytest.param("/my\nfeed", "https://example.org/myfeed", id="a line break within"),
        pytest.param("/my feed", "https://example.org/my%20feed", id="a space within"),
        pytest.param("/feed#top", "https://example.org/feed", id="a fragment"),
        pytest.param("feed://example.org/a", "https://example.org/a", id="a reader's scheme"),
        pytest.param("FEED:http://example.org/a", "http://example.org/a", id="in front of another"),
        pytest.param("pcast://example.org/a", "https://example.org/a", id="a podcatcher's scheme"),
        pytest.param("/feed?a=1&amp;b=2", "https://example.org/feed?a=1&b=2", id="escaped"),
        pytest.param("http://例え.jp/feed", "http://例え.jp/feed", id="another script"),
    ],
)
def test_addresses_are_read_as_browsers_do(href: str, address: str) -> None:
    assert urls(page(link(href))) == [address]


@pytest.mark.parametrize(
    "href",
    [
        pytest.param("", id="nothing"),
        pytest.param("  ", id="blanks"),
        pytest.param("javascript:feed()", id="a script"),
        pytest.param("data:application/rss+xml,<rss/>", id="the feed itself"),
        pytest.param("file:///etc/feed", id="a file"),
        pytest.param("ftp://example.org/feed", id="another protocol"),
        pytest.param("mailto:feed@example.org", id="a mail"),
        pytest.param("http:///feed", id="no host"),
        pytest.param("http://[::1/feed", id="half an address"),
        pytest.param("/" + 3_000 * "a", id="a page in an address"),
    ],
)
def test_what_cannot_be_asked_is_no_feed(href: str) -> None:
    assert urls(page(link(href))) == []


@pytest.mark.parametrize(
    ("base", "address"),
    [
        pytest.param('<base href="https://other.org/x/">', "https://other.org/x/feed", id="whole"),
        pytest.param('<base href="/x/">', "https://example.org/x/feed", id="relative"),
        pytest.param(
            '<base target="_top"><base href="/x/"><base href="/y/">',
            "https://example.org/x/feed",
            id="the first with an address",
        ),
        pytest.param('<base href="data:x">', "https://example.org/blog/feed", id="a useless one"),
    ],
)
def test_a_page_may_say_where_its_links_start(base: str, address: str) -> None:
    assert urls(page(base + link("feed"))) == [address]


@pytest.mark.parametrize(
    ("rel", "kind", "href"),
    [
        pytest.param("alternate", RSS, "/a", id="RSS"),
        pytest.param("alternate", ATOM, "/a", id="Atom"),
        pytest.param("alternate", JSON, "/a", id="JSON Feed"),
        pytest.param("alternate", "application/rdf+xml", "/a", id="RDF"),
        pytest.param("ALTERNATE", "Application/RSS+XML", "/a", id="shouted"),
        pytest.param("home alternate", RSS, "/a", id="several relations"),
        pytest.param("alternate", "application/rss+xml; charset=utf-8", "/a", id="a parameter"),
        pytest.param("alternate", "application/rss", "/a", id="half a type"),
        pytest.param("alternate", "text/atom+xml", "/a", id="another half"),
        pytest.param("alternate", "application/x-rss+xml", "/a", id="an old type"),
        pytest.param("alternate", "", "/rss.xml", id="no type, but the name"),
        pytest.param("alternate", "text/xml", "/index.xml", id="any XML, but the name"),
        pytest.param("alternate", "application/json", "/feed.json", id="any JSON, but the name"),
        pytest.param("feed", "", "/a", id="the other relation"),
        pytest.param("alternate feed", "text/html", "/news", id="both, about a page"),
    ],
)
def test_feeds_are_declared_in_many_ways(rel: str, kind: str, href: str) -> None:
    assert urls(page(link(href, rel=rel, kind=kind))) == [f"https://example.org{href}"]


@pytest.mark.parametrize(
    ("rel", "kind", "href"),
    [
        pytest.param("alternate", "", "/de/feed-the-birds", id="a translation"),
        pytest.param("alternate", "text/html", "/amp/post", id="another page"),
        pytest.param("alternate", "application/json", "/wp-json/wp/v2/posts/7", id="an API"),
        pytest.param("alternate", "application/json+oembed", "/oembed?format=feed", id="oEmbed"),
        pytest.param("alternate", "text/xml+oembed", "/feed", id="oEmbed in XML"),
        pytest.param("alternate", "application/activity+json", "/feed", id="ActivityPub"),
        pytest.param("stylesheet", "text/css", "/feed", id="a style"),
        pytest.param("alternate stylesheet", "text/css", "/feed.xml", id="another style"),
        pytest.param("self", RSS, "/feed", id="another relation"),
        pytest.param("feed", "image/png", "/feed", id="a picture"),
        pytest.param("", RSS, "/feed", id="no relation"),
        pytest.param("search", "application/opensearchdescription+xml", "/s.xml", id="a search"),
    ],
)
def test_other_relations_are_no_feeds(rel: str, kind: str, href: str) -> None:
    assert urls(page(link(href, rel=rel, kind=kind))) == []


@pytest.mark.parametrize(
    ("anchor", "found"),
    [
        pytest.param('<a href="/feed">Follow us</a>', True, id="a name"),
        pytest.param('<a href="/x/rss.xml">All</a>', True, id="a file"),
        pytest.param('<a href="/?feed=atom">All</a>', True, id="a query"),
        pytest.param('<a href="/node/7/all">RSS</a>', True, id="only a label"),
        pytest.param('<a href="/node/7/all" title="RSS feed"><img></a>', True, id="only a title"),
        pytest.param('<a href="https://other.org/7">RSS</a>', False, id="a label elsewhere"),
        pytest.param('<a href="/rss-explained">What is RSS?</a>', False, id="about feeds"),
        pytest.param('<a href="/feedback">Feedback</a>', False, id="feedback"),
        pytest.param('<a href="">RSS</a>', False, id="nowhere"),
        pytest.param('<a name="rss">RSS</a>', False, id="no link"),
        pytest.param('<a href="#rss">RSS</a>', False, id="a place on the page"),
        pytest.param(
            '<a href="https://feedly.com/i/subscription/feed/https://example.org/feed">+</a>',
            False,
            id="somebody's page about the feed",
        ),
    ],
)
def test_links_are_judged_by_their_looks(anchor: str, found: bool) -> None:
    assert bool(urls(page(body=anchor))) is found


def test_what_is_declared_comes_before_what_is_linked() -> None:
    markup = page(
        link("https://feeds.elsewhere.org/a") + link("/b"),
        '<a href="/all">RSS</a><a href="https://other.org/feed">x</a><a href="/c.rss">x</a>',
    )

    assert urls(markup) == [
        "https://example.org/b",
        "https://feeds.elsewhere.org/a",
        "https://example.org/c.rss",
        "https://other.org/feed",
        "https://example.org/all",
    ]


def test_comments_come_last() -> None:
    markup = page(
        link("/comments/feed", title="A site » Comments Feed")
        + link("/blog/post/feed", title="A site » A post Comments Feed")
        + link("/kommentare.xml", title="Kommentare")
        + link("/feed", title="A site » Feed"),
        '<a href="/news/rss">News</a>',
    )

    assert urls(markup)[:2] == ["https://example.org/feed", "https://example.org/news/rss"]
    assert len(urls(markup)) == 5


def test_otherwise_the_pages_order_stands_and_json_follows() -> None:
    markup = page(link("/j", kind=JSON) + link("/r", kind=RSS) + link("/a", kind=ATOM))

    assert urls(markup) == [f"https://example.org/{name}" for name in "raj"]


@pytest.mark.parametrize("home", ["https://example.org/", "https://www.example.org/"])
@pytest.mark.parametrize("own", ["https://example.org/f", "https://feeds.example.org/f"])
def test_the_sites_own_feeds_may_live_beside_it(home: str, own: str) -> None:
    markup = page(link("https://elsewhere.org/f") + link(own))

    assert urls(markup, home) == [own, "https://elsewhere.org/f"]


def test_a_feed_is_named_once_and_by_its_best_link() -> None:
    markup = page(link("/feed", title="Posts"), '<a href="/feed">RSS</a><a href="/feed">Atom</a>')

    assert [found.title for found in find_feeds(markup, url=PAGE)] == ["Posts"]


def test_the_page_itself_is_no_feed_of_its_own() -> None:
    assert urls(page(body='<a href="/feed/">RSS</a>'), "https://example.org/feed/") == []


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        pytest.param(
            "<link rel=alternate type=text/rss href=/f title=Füße>".encode(), None, id="UTF-8"
        ),
        pytest.param(
            "<link rel=alternate type=text/rss href=/f title=Füße>".encode("cp1252"),
            "iso-8859-1",
            id="by the header",
        ),
        pytest.param(
            "<meta charset=utf-16><link rel=alternate type=text/rss href=/f title=Füße>".encode(
                "utf-16"
            ),
            None,
            id="by its mark",
        ),
    ],
)
def test_bytes_are_read_by_what_is_said_of_them(body: bytes, charset: str | None) -> None:
    (found,) = find_feeds(body, url=PAGE, charset=charset)

    assert found.title == "Füße"


def test_a_type_is_told_without_its_parameters() -> None:
    (found,) = find_feeds(page(link("/f", kind=" Text/XML+RSS ; charset=x")), url=PAGE)

    assert found.media_type == "text/xml+rss"


def test_titles_are_plain_and_short() -> None:
    title = "<b>loud</b>\x00\x1b" + 100 * " words"
    (found,) = find_feeds(page(link("/feed", title=title)), url=PAGE)

    assert found.title.startswith("<b>loud</b> words")
    assert len(found.title) <= 200
    assert found.title.endswith("…")


def test_a_link_without_a_title_is_called_by_its_text() -> None:
    (found,) = find_feeds(page(body="<a href=/feed> All <b>the\nnews</b></a>"), url=PAGE)

    assert found.title == "All the news"


def test_pages_name_thousands_of_feeds_and_thirty_are_enough() -> None:
    markup = page("".join(link(f"/{number}") for number in range(3_000)))

    assert urls(markup) == [f"https://example.org/{number}" for number in range(30)]


def test_what_follows_the_head_cannot_hide_it() -> None:
    assert urls(page(link("/feed"), 200_000 * "<div>")) == ["https://example.org/feed"]


PIECES = [
    "<link ", "<a ", "<base ", "href=", "rel=alternate ", "type=text/rss ", "title=", '"', "'", ">", "/>",
    "</a>", "<!--", "<![CDATA[", "&#x26;", "&#xd800;", "//", "http://", "feed:",
]  # fmt: skip
MARKUP = st.lists(st.sampled_from(PIECES) | st.text(max_size=5)).map("".join)


@given(MARKUP, st.sampled_from(["https://example.org/", "http://[::1]:8080/a", "http://ü.org"]))
def test_no_page_makes_it_fail(markup: str, url: str) -> None:
    for found in find_feeds(markup, url=url):
        assert urlsplit(found.url)[0] in {"http", "https"}
        assert found.title == storable(found.title)


@given(st.binary())
def test_nor_do_other_bytes(body: bytes) -> None:
    find_feeds(body, url=PAGE)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="nothing"),
        pytest.param("   ", id="blanks"),
        pytest.param("\x00\x00", id="zeros"),
        pytest.param("no markup", id="no markup"),
        pytest.param("{}", id="JSON"),
        pytest.param("<rss version='2.0'><channel/></rss>", id="a feed"),
        pytest.param("<?xml version='1.0' encoding='utf-7'?><html/>", id="an odd declaration"),
        pytest.param("<!-- <link rel=alternate type=text/rss href=/f> -->", id="a comment"),
        pytest.param(
            "<script>'<link rel=alternate type=text/rss href=/f>'</script>", id="a script"
        ),
        pytest.param(b"\xff\xfe\x00", id="half a character"),
    ],
)
def test_what_is_no_page_names_no_feed(body: bytes | str) -> None:
    assert urls(body) == []


@pytest.mark.parametrize(
    "markup",
    [
        pytest.param(200_000 * "<div>", id="depth"),
        pytest.param(500_000 * "<a ", id="tags without an end"),
        pytest.param(200_000 * "<a href=/feed>", id="links in links"),
        pytest.param(200_000 * "<link rel=alternate type=text/rss href=/f>", id="declarations"),
        pytest.param(f"<a {200_000 * 'x=y '}href=/feed>", id="attributes"),
        pytest.param(f'<link rel="{500_000 * "a "}" href="/f">', id="relations"),
        pytest.param(f'<base href="{2_000_000 * "/"}">{1_000 * "<a href=rss>"}', id="a long base"),
        pytest.param(300_000 * "<base href=//a>", id="bases"),
        pytest.param(1_000_000 * "&#x26;", id="references"),
        pytest.param("<!DOCTYPE html [" + 100_000 * "<!ENTITY a 'b'>" + "]>", id="entities"),
        pytest.param("<svg>" * 1_000 + "<![CDATA[" * 1_000, id="other languages"),
        pytest.param(f"<a href='/{'rss.' * 490}xm'>x</a>" * 5_000, id="almost feeds"),
        pytest.param(f"<a href='http://{'a.' * 900}b/feed'>x</a>" * 5_000, id="long hosts"),
    ],
)
def test_hostile_pages_take_no_more_time_than_large_ones(markup: str) -> None:
    started = time.process_time()

    found = find_feeds(markup, url=PAGE)

    assert time.process_time() - started < 3
    assert len(found) <= 30
