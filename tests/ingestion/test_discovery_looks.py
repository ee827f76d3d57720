import pytest

from feedmill_ingestion.discovery_looks import is_elsewhere, likely_paths, looks_like_feed


@pytest.mark.parametrize(
    "path",
    [
        "/feed", "/feed/", "/rss", "/blog/rss/", "/atom", "/rss2", "/feeds/posts", "/feeds/all/",
        "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/index.rdf", "/blog.rss", "/news.atom",
        "/feed.json", "/blog-feed.xml", "/all.atom.xml", "/rss.php", "/feed.aspx",
        "/?feed=rss2", "/?format=rss", "/blog?format=feed&type=rss", "/index.php?alt=rss", "/x?type=atom",
    ],
)  # fmt: skip
def test_addresses_that_feeds_have(path: str) -> None:
    assert looks_like_feed(f"https://example.org{path}")


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "/feedback", "/feedback.xml", "/newsfeed-explained", "/atoms", "/anatomy.xml",
        "/sitemap.xml", "/data.json", "/rss-reader-reviews.html", "/feed/2026/01/a-post",
        "/x?feed=", "/x?q=rss", "/x?format=pdf", "/subscribe?url=https://example.org/feed",
        "/add/https%3A%2F%2Fexample.org%2Frss",
    ],
)  # fmt: skip
def test_addresses_that_only_remind_of_feeds(path: str) -> None:
    assert not looks_like_feed(f"https://example.org{path}")


@pytest.mark.parametrize("host", ["feeds.feedburner.com", "feeds.bbci.co.uk", "rss.example.org"])
def test_some_hosts_have_nothing_but_feeds(host: str) -> None:
    assert looks_like_feed(f"https://{host}/anything")
    assert not looks_like_feed(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "page", "elsewhere"),
    [
        pytest.param("https://a.org/x", "http://a.org/", False, id="the same host"),
        pytest.param("https://www.a.org/x", "https://a.org/", False, id="with its usual name"),
        pytest.param("https://feeds.a.org/x", "https://www.a.org/", False, id="below"),
        pytest.param("https://a.org/x", "https://blog.a.org/", False, id="above"),
        pytest.param("https://b.org/x", "https://a.org/", True, id="another"),
        pytest.param("https://ba.org/x", "https://a.org/", True, id="one that ends alike"),
    ],
)
def test_what_lies_outside_a_site(url: str, page: str, elsewhere: bool) -> None:
    assert is_elsewhere(url, page) is elsewhere


ROOT = ["/feed", "/rss", "/feed.xml", "/atom.xml", "/rss.xml", "/index.xml", "/feeds/posts/default"]


def below(folder: str) -> list[str]:
    return [f"{folder}/feed", f"{folder}/feed.xml", f"{folder}/atom.xml", *ROOT[:5]]


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        pytest.param("/", ROOT, id="the front page"),
        pytest.param("", ROOT, id="the front page, barely"),
        pytest.param("/about.html", ROOT, id="a page"),
        pytest.param("/a-post", ROOT, id="a post"),
        pytest.param("/2026/01/a-post", ROOT, id="a post by its date"),
        pytest.param("/blog", below("/blog"), id="a section"),
        pytest.param("/blog/", below("/blog"), id="a section's folder"),
        pytest.param("/blog/2026/a-post?x=y", below("/blog"), id="a post of a section"),
        pytest.param("/en/blog/a-post", below("/en/blog"), id="a section of a language"),
        pytest.param("/~ann/cats.html", below("/~ann"), id="a person's folder"),
        pytest.param("/project/", below("/project"), id="some folder"),
        pytest.param("/project/docs/a/b.html", below("/project"), id="a page in some folder"),
    ],
)
def test_where_to_look_on_a_site_that_names_no_feed(path: str, paths: list[str]) -> None:
    site = "https://example.org:8443"

    assert likely_paths(site + path) == tuple(site + each for each in paths)
