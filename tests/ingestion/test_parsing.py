import json
from datetime import UTC, datetime, timedelta

import pytest

from feedmill.models.feeds import FeedSnapshot, SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed
from support.corpus import CorpusFeed, corpus, corpus_file

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
URL = "https://site.example/blog/feed.xml"


def parse(body: bytes | str, charset: str | None = None) -> FeedSnapshot | FeedUnreadable:
    content = body.encode() if isinstance(body, str) else body
    return parse_feed(content, charset=charset, url=URL, now=NOW)


def read(body: bytes | str, charset: str | None = None) -> FeedSnapshot:
    parsed = parse(body, charset)
    assert isinstance(parsed, FeedSnapshot), parsed
    return parsed


def rss(*items: str, channel: str = "") -> str:
    shown = "".join(f"<item>{item}</item>" for item in items)
    return f'<?xml version="1.0"?><rss version="2.0"><channel>{channel}{shown}</channel></rss>'


def only(snapshot: FeedSnapshot) -> SnapshotEntry:
    (entry,) = snapshot.entries
    return entry


@pytest.mark.parametrize("feed", corpus(), ids=lambda feed: feed.title)
def test_feeds_are_understood_whole(feed: CorpusFeed) -> None:
    snapshot = parse_feed(
        corpus_file(feed.path), charset="utf-8", url=f"https://corpus.example{feed.path}", now=NOW
    )

    assert isinstance(snapshot, FeedSnapshot)
    assert snapshot == FeedSnapshot(
        title=feed.title,
        site_url=f"https://corpus.example{feed.site_path}",
        entries=tuple(
            SnapshotEntry(
                guid=shown.guid,
                url=f"https://corpus.example{entry.path}",
                title=entry.title,
                author=entry.author,
                published_at=entry.published_at,
                teaser=entry.summary,
            )
            for entry, shown in zip(feed.entries, snapshot.entries, strict=True)
        ),
        self_url=f"https://corpus.example{feed.path}",
    )


def test_json_feed_is_understood_whole() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Notes & queries",
        "home_page_url": "/",
        "items": [
            {
                "id": 7,
                "url": "7.html",
                "title": "Use <b> sparingly",
                "content_html": "<p>One.</p><p>Two.</p>",
                "date_published": "2025-05-01T08:00:00+02:00",
                "authors": [{"name": "A. Writer"}, {"name": "B. Writer"}],
            },
            {"id": "8", "external_url": "https://x.example/", "content_text": "a < b\n\nc"},
            {"id": None, "summary": "no identity", "date_modified": "2025-05-02T00:00:00"},
            "not an item",
        ],
    }

    snapshot = read(json.dumps(feed))

    assert snapshot == FeedSnapshot(
        title="Notes & queries",
        site_url="https://site.example/",
        entries=(
            SnapshotEntry(
                guid="7",
                url="https://site.example/blog/7.html",
                title="Use <b> sparingly",
                author="A. Writer, B. Writer",
                published_at=datetime(2025, 5, 1, 6, tzinfo=UTC),
                teaser="One.\nTwo.",
            ),
            SnapshotEntry(guid="8", url="https://x.example/", teaser="a < b\nc"),
            SnapshotEntry(
                guid=snapshot.entries[2].guid,
                published_at=datetime(2025, 5, 2, tzinfo=UTC),
                teaser="no identity",
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "stored"),
    [("a\\u0000b", "ab"), ("\\ud83d", None), (" a\\n", "a"), ("\\ud83d\\ude00", "😀")],
)
def test_what_only_json_can_say_is_stored_as_far_as_it_can_be(
    written: str, stored: str | None
) -> None:
    entry = only(
        read(
            f"""{{"version": "https://jsonfeed.org/version/1", "items": [{{
            "id": "{written}", "title": "{written}", "content_text": "{written}"}}]}}"""
        )
    )

    assert entry.guid == stored or (stored is None and entry.guid.startswith("sha256:"))
    assert entry.title == entry.teaser == (stored or "")


def test_the_older_json_feed_names_one_author() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1",
        "items": [{"id": "1", "author": {"name": "A. Writer"}}],
    }

    assert only(read(json.dumps(feed))).author == "A. Writer"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(b"", "an empty document", id="nothing"),
        pytest.param(b" \n\xef\xbb\xbf", "an empty document", id="blanks"),
        pytest.param(b"<!doctype html><title>Hi</title>", "an HTML page", id="half an HTML page"),
        pytest.param(b"\n<!-- x --><HTML><body>", "an HTML page", id="an HTML page"),
        pytest.param(b"%PDF-1.7 ...", "a PDF document", id="PDF"),
        pytest.param(b"\x89PNG\r\n\x1a\n\0\0", "no XML", id="an image"),
        pytest.param(b"just text", "no XML", id="text"),
        pytest.param(
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "a document that starts with <svg>",
            id="other XML",
        ),
        pytest.param(b'{"a": 1}', "JSON, but no JSON Feed", id="other JSON"),
        pytest.param(b"[1, 2]", "JSON, but no JSON Feed", id="a JSON list"),
        pytest.param(b'{"version": "https://json', "JSON that cannot be read", id="half of JSON"),
        pytest.param(b"[" * 500_000, "JSON that cannot be read", id="JSON without a bottom"),
        pytest.param(
            b"<urlset><url><loc>https://x.example/</loc></url></urlset>",
            "a document that starts with <urlset>",
            id="a sitemap",
        ),
        pytest.param(
            b"<!DOCTYPE html><main><pre>&lt;rss>", "an HTML page", id="an HTML page about feeds"
        ),
    ],
)
def test_what_is_no_feed_is_named(body: bytes, detail: str) -> None:
    assert parse(body) == FeedUnreadable(reason=Reason.NOT_A_FEED, detail=detail)


JSON_FEED = b"""{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1"}]}"""


@pytest.mark.parametrize(
    "body",
    [corpus_file("/almanac/feed.xml"), corpus_file("/bench/atom.xml"), JSON_FEED],
    ids=["rss", "atom", "json"],
)
def test_a_feed_cut_short_is_not_taken_for_a_short_feed(body: bytes) -> None:
    assert isinstance(parse(body), FeedSnapshot)

    for length in range(len(body) - len(b"</rss>"), len(body) // 2, -37):
        parsed = parse(body[:length])
        assert isinstance(parsed, FeedUnreadable), body[:length][-80:]
        assert parsed.reason == Reason.TRUNCATED


@pytest.mark.parametrize(
    "rest",
    [
        '<item><atom:link rel="self"/>',
        "<item><description><![CDATA[</channel></rss>",
        "<!-- </channel></rss>",
        "<item><title>&lt;/rss&gt;</title></item></channel>",
    ],
)
def test_the_end_of_something_else_is_no_end(rest: str) -> None:
    body = rss("<guid>a</guid>").removesuffix("</channel></rss>") + rest

    assert parse(body) == FeedUnreadable(reason=Reason.TRUNCATED, detail="the <rss> has no end")


def test_what_is_sure_to_follow_is_not_missed() -> None:
    assert only(read(rss("<guid>a</guid>").removesuffix(">"))).guid == "a"


@pytest.mark.parametrize(
    "body",
    [
        rss(),
        '<feed xmlns="http://www.w3.org/2005/Atom"/>',
        '{"version": "https://jsonfeed.org/version/1", "items": null}',
    ],
    ids=["rss", "atom", "json"],
)
def test_an_empty_feed_is_a_feed(body: str) -> None:
    assert read(body) == FeedSnapshot()


@pytest.mark.parametrize(
    ("item", "guid", "url"),
    [
        pytest.param("<guid>a</guid><link>/1</link>", "a", "https://site.example/1", id="guid"),
        pytest.param(
            "<link> 1 2.html </link>",
            "https://site.example/blog/1%202.html",
            "https://site.example/blog/1%202.html",
            id="link",
        ),
        pytest.param(
            "<guid>https://x.example/1</guid>",
            "https://x.example/1",
            "https://x.example/1",
            id="a guid that is a link",
        ),
        pytest.param("<guid>a</guid><link>javascript:alert(1)</link>", "a", None, id="no web link"),
        pytest.param(
            f"<guid>a</guid><link>/{'x' * 3_000}</link>", "a", None, id="a link that is no link"
        ),
    ],
)
def test_identity(item: str, guid: str, url: str | None) -> None:
    entry = only(read(rss(item)))

    assert (entry.guid, entry.url) == (guid, url)


def test_an_entry_with_nothing_but_text_is_known_by_its_text() -> None:
    first = read(rss("<description>one</description>", "<title>two</title>"))
    second = read(rss("<title>two</title>", "<description>one</description>"))

    assert {entry.guid for entry in first.entries} == {entry.guid for entry in second.entries}
    assert len({entry.guid for entry in first.entries}) == 2


def test_an_endless_guid_is_hashed() -> None:
    entry = only(read(rss(f"<guid>{'ü' * 600}</guid>")))

    assert len(entry.guid) == len("sha256:") + 64


def test_a_guid_used_twice_for_one_link_is_one_entry() -> None:
    item = "<guid>a</guid><link>/1</link>"

    entries = read(rss(f"{item}<title>newer</title>", item)).entries

    assert [(entry.guid, entry.title) for entry in entries] == [("a", "newer")]


def test_a_guid_used_for_several_links_is_several_entries() -> None:
    entries = read(
        rss("<guid>a</guid><link>/1</link>", "<guid>a</guid><link>/2</link>", "<guid>b</guid>")
    ).entries

    assert [entry.guid for entry in entries] == [
        "a https://site.example/1",
        "a https://site.example/2",
        "b",
    ]


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("&lt;b&gt;Bold&lt;/b&gt; claim", "Bold claim"),
        ("<![CDATA[Fish &amp; chips <i>now</i>]]>", "Fish & chips now"),
        ("AT&T", "AT&T"),
        ("Caf&eacute; &nbsp;&unknown; d&#233;", "Café &unknown; dé"),
        ("a\n   b", "a b"),
        ("nul \x00 and \x1b bell", "nul and bell"),
        ("word " * 200, ("word " * 99).strip() + "…"),
        ("", ""),
    ],
)
def test_titles_are_one_plain_line(title: str, shown: str) -> None:
    assert only(read(rss(f"<guid>a</guid><title>{title}</title>"))).title == shown


def test_a_title_that_atom_calls_text_means_what_it_says() -> None:
    feed = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>a</id>'
        '<title type="text">Use &lt;b&gt; &amp;amp; less</title></entry></feed>'
    )

    assert only(read(feed)).title == "Use <b> &amp; less"


def test_the_longer_of_summary_and_content_is_the_teaser() -> None:
    content = "".join(f"&lt;p&gt;Paragraph {n}.&lt;/p&gt;" for n in range(3))
    item = f"<guid>a</guid><description>Short.</description><c:encoded>{content}</c:encoded>"
    feed = rss(item).replace("<rss", '<rss xmlns:c="http://purl.org/rss/1.0/modules/content/"')

    assert only(read(feed)).teaser == "Paragraph 0.\nParagraph 1.\nParagraph 2."


def test_teasers_carry_no_scripts_and_end_somewhere() -> None:
    long = "&lt;script&gt;alert(1)&lt;/script&gt;" + "word " * 10_000

    teaser = only(read(rss(f"<guid>a</guid><description>{long}</description>"))).teaser

    assert teaser.startswith("word word")
    assert 4_900 < len(teaser) <= 5_000


@pytest.mark.parametrize(
    ("date", "published_at"),
    [
        ("Thu, 01 May 2025 10:00:00 +0200", datetime(2025, 5, 1, 8, tzinfo=UTC)),
        ("2025-05-01T10:00:00Z", datetime(2025, 5, 1, 10, tzinfo=UTC)),
        ("2025-06-02T00:00:00Z", datetime(2025, 6, 2, tzinfo=UTC)),
        ("2025-07-01T00:00:00Z", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("yesterday", None),
    ],
)
def test_dates_are_believed_within_reason(date: str, published_at: datetime | None) -> None:
    entry = only(read(rss(f"<guid>a</guid><pubDate>{date}</pubDate>")))

    assert entry.published_at == published_at


def test_the_newest_five_hundred_are_kept_in_the_order_shown() -> None:
    def item(number: int) -> str:
        date = NOW - timedelta(days=number)
        return f"<guid>{number}</guid><pubDate>{date.isoformat()}</pubDate>"

    oldest_first = read(rss(*(item(number) for number in reversed(range(600)))))
    undated = read(rss(*(f"<guid>{number}</guid>" for number in range(600))))

    assert [e.guid for e in oldest_first.entries] == [str(n) for n in reversed(range(500))]
    assert [e.guid for e in undated.entries] == [str(n) for n in range(500)]


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        pytest.param(rss("<guid>é</guid>").encode("cp1252"), "iso-8859-1", id="header"),
        pytest.param(rss("<guid>é</guid>").encode(), None, id="utf-8 by default, text/xml or not"),
        pytest.param(
            rss("<guid>é</guid>").replace("?>", ' encoding="iso-8859-1"?>').encode("cp1252"),
            None,
            id="declaration",
        ),
        pytest.param(rss("<guid>é</guid>").encode("utf-16"), None, id="utf-16"),
    ],
)
def test_encodings(body: bytes, charset: str | None) -> None:
    assert only(read(body, charset)).guid == "é"


@pytest.mark.parametrize("wrapping", ["{}", "<!-- <![CDATA[ -->{}<!-- ]]> -->"])
@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
        '<!DOCTYPE rss [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/rss.dtd">',
    ],
    ids=["nested", "file", "external"],
)
def test_entities_expand_to_nothing_and_fetch_nothing(doctype: str, wrapping: str) -> None:
    body = rss("<guid>a</guid><title>&c;</title>").replace('<?xml version="1.0"?>', doctype)

    title = only(read(wrapping.format(body))).title

    assert "ha" not in title
    assert "root:" not in title


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "\n<!-- made in 0.3 s -->\n"),
        ("<!-- cached -->\n", ""),
        ("", "<script>count()</script>"),
        ("", "</rss>"),
        ("\ufeff\n\n", "\n\0\0"),
        ("<br />\n<b>Warning</b>: Undefined &quot;x&quot; in feed.php\n", ""),
        ("Notice: x < y in feed.php", "done"),
        ('<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x">', ""),
        ("<?xml-stylesheet href='a.css'?><?x <rss> ?>", ""),
    ],
)
def test_what_stands_around_a_feed_does_no_harm(before: str, after: str) -> None:
    assert only(read(before + rss("<guid>a</guid>") + after)).guid == "a"
    without_declaration = rss("<guid>a</guid>").removeprefix('<?xml version="1.0"?>')
    assert only(read(before + without_declaration + after)).guid == "a"


def test_rdf_is_a_feed() -> None:
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/"><channel><title>Old</title></channel>'
        '<item rdf:about="x"><title>One</title><link>https://x.example/1</link></item></rdf:RDF>'
    )

    assert read(body) == FeedSnapshot(
        title="Old",
        entries=(SnapshotEntry(guid="x", url="https://x.example/1", title="One"),),
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        pytest.param("&#55357;&#56832;", "😀", id="a pair, decimal"),
        pytest.param("&#xD83D;&#xde00;", "😀", id="a pair, hexadecimal"),
        pytest.param("a&#55357;b", "ab", id="half a character"),
        pytest.param("&#128512;", "😀", id="the character itself"),
    ],
)
def test_halves_of_characters_cost_no_entry(written: str, shown: str) -> None:
    parts = f"<title>{written}</title><guid>g{written}</guid><description>{written}</description>"

    snapshot = read(rss(parts, "<title>Healthy</title><guid>2</guid>"))

    first, second = snapshot.entries
    assert (first.title, first.guid, first.teaser) == (shown, f"g{shown}", shown)
    assert second.title == "Healthy"
