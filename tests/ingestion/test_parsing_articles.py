"""Feeds that give whole articles: what of them is kept for those who read articles."""

from datetime import UTC, datetime
from xml.sax.saxutils import escape

import pytest

from feedmill.models.feeds import FeedSnapshot
from feedmill_ingestion import snapshots
from feedmill_ingestion.parsing import parse_feed

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
ARTICLE = "<p>The miller counted his <em>sacks</em> &amp; the wheel began to turn.</p>\n" * 12


def read(document: str) -> FeedSnapshot:
    parsed = parse_feed(document.encode(), charset=None, url="https://a.example/", now=NOW)
    assert isinstance(parsed, FeedSnapshot), parsed
    return parsed


def rss(*items: str) -> str:
    shown = "".join(f"<item><guid>{at}</guid>{item}</item>" for at, item in enumerate(items))
    return (
        '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>'
        f"<title>Mills</title>{shown}</channel></rss>"
    )


def whole(article: str) -> str:
    return f"<content:encoded><![CDATA[{article}]]></content:encoded>"


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(rss(f"<description>Short.</description>{whole(ARTICLE)}"), id="content"),
        pytest.param(rss(f"<description>{escape(ARTICLE)}</description>"), id="description"),
        pytest.param(
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>M</title><entry><id>1</id>'
            f'<summary>Short.</summary><content type="html">{escape(ARTICLE)}</content></entry>'
            "</feed>",
            id="Atom",
        ),
    ],
)
def test_a_whole_article_is_kept_as_it_came(document: str) -> None:
    (entry,) = read(document).entries

    assert entry.markup is not None
    assert entry.markup.strip() == ARTICLE.strip()
    assert entry.teaser.splitlines()[0] == "The miller counted his sacks & the wheel began to turn."


@pytest.mark.parametrize(
    "item",
    [
        pytest.param("<description>A summary of few words.</description>", id="summary"),
        pytest.param(whole(f"<img src='{'x' * 5_000}'>"), id="a picture"),
        pytest.param(whole("<p>" + "x" * 300_000 + "</p>"), id="more than an article"),
        pytest.param("<title>Nothing else</title>", id="nothing"),
    ],
)
def test_what_is_no_article_is_not_kept(item: str) -> None:
    (entry,) = read(rss(item)).entries

    assert entry.markup is None


def test_of_one_feed_so_much_is_kept_and_the_first_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_MOST_ARTICLES_CHARACTERS", 2 * len(ARTICLE) + 10)

    entries = read(rss(*[whole(ARTICLE)] * 4)).entries

    assert [entry.markup is not None for entry in entries] == [True, True, False, False]
    assert all(entry.teaser for entry in entries)


def test_what_the_store_would_refuse_is_left_out() -> None:
    (entry,) = read(
        rss(f"<description>{escape(ARTICLE)}&lt;p&gt;a&#x1;b&lt;/p&gt;</description>")
    ).entries

    assert entry.markup is None or "\x01" not in entry.markup
