"""Whatever the bytes: nothing escapes, and what comes back can be stored and shown."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedmill.models.feeds import Enclosure, FeedSnapshot, SnapshotEntry
from feedmill.web.plain import storable
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed
from feedmill_ingestion.reference import read_with_feedparser
from feedmill_ingestion.snapshots import MOST_ENTRIES
from feedmill_ingestion.xml_documents import (
    DocumentRefusedError,
    parse_with_slips,
    parse_xml,
    repaired,
)
from feedmill_ingestion.xml_feed import read_xml_feed
from support.corpus import corpus, corpus_file

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
URL = "https://site.example/blog/feed.xml"

PODCAST = b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE rss [<!ENTITY a "b">]>
<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
 xmlns:media="http://search.yahoo.com/mrss/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel xml:base="https://x.example/">
<title>P&eacute;</title><link>/</link><ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod>
<skipHours><hour>1</hour></skipHours><skipDays><day>Monday</day></skipDays><item>
<title>One &amp;lt;</title><guid isPermaLink="false">1</guid><enclosure url="/1.mp3" length="9"
 type="audio/mpeg"/><itunes:duration>1:00</itunes:duration><media:group><media:content url="/1"
 medium="image"/><media:thumbnail url="/2"/></media:group><author>a@x.example (A)</author>
<content:encoded><![CDATA[<p>text <script>x</script>]]></content:encoded>
<podcast:transcript url="/1.vtt" type="text/vtt" language="en" rel="captions"/>
<pubDate>Thu, 01 May 2025 10:00:00 +0200</pubDate></item><item><title>Two</title></item>
</channel></rss>"""
RDF = b"""<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>R</title></channel><item rdf:about="1"><title>One</title><link>1</link>
<dc:date>2025-05-01</dc:date></item></rdf:RDF>"""
OLD_ATOM = b"""<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title mode="base64">QQ==</title>
<entry><id>1</id><content type="application/xhtml+xml"><div xmlns="http://www.w3.org/1999/xhtml">a
<b>c</b></div></content><issued>2025-05-01T10:00:00Z</issued></entry></feed>"""
JSON_FEED = b"""{"version": "https://jsonfeed.org/version/1.1", "title": "J", "hubs": [{"type":
"WebSub", "url": "https://hub.example/"}], "items": [{"id": "1", "url": "/1", "authors": [{"name":
"A"}], "content_html": "<p>text</p>", "attachments": [{"url": "/1.mp3", "size_in_bytes": 1e3}]}]}"""
SEEDS = [corpus_file(feed.path) for feed in corpus()] + [PODCAST, RDF, OLD_ATOM, JSON_FEED]

# What has meaning to a parser somewhere.
TOKENS = [
    b"<", b">", b"</", b"/>", b"&", b";", b'"', b"'", b"=", b"\0", b"\xff", b"\xc3", b"\x85", b"\n",
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?xml ", b"?>", b"<!DOCTYPE ", b"<!ENTITY ", b"<!",
    b"&nbsp;", b"&#0;", b"&#55357;", b"&#x110000;", b"&#146;", b"&bogus;", b"<item>", b"</item>",
    b"<entry>", b"<channel>", b"</rss>", b"</feed>", b"<guid>", b"<link>", b"<a:b>", b" a:b='1'",
    b" xmlns='x'", b" xml:base='http://['", b" type='xhtml'", b" mode='base64'", b" rel='hub'",
    b"javascript:", b"http://[", b"//", b"{", b"[", b"null", b"1e999", b"\\ud800", b"-1", b"9" * 30,
    b"<image>", b"<source>", b"<title>", b"<svg>", b"<math>", b"encoding='utf-7'",
]  # fmt: skip
CHARSETS = ["utf-8", "iso-8859-1", "utf-16", "utf-32", "gbk", "shift_jis", "punycode", "x" * 99]


@st.composite
def mutated_feeds(draw: st.DrawFn) -> bytes:
    body = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 8))):
        at = draw(st.integers(0, len(body)))
        end = min(at + draw(st.sampled_from([0, 0, 1, 5, 50, 500])), len(body))
        put = draw(st.one_of(st.sampled_from(TOKENS), st.binary(max_size=4), st.just(body[at:end])))
        times = draw(st.sampled_from([1, 1, 1, 2, 50]))
        body = body[:at] + put * times + body[end:]
    encoding = draw(st.sampled_from([None, None, None, "utf-16", "utf-32-le", "cp037"]))
    return body.decode("utf-8", "ignore").encode(encoding, "ignore") if encoding else body


def check(body: bytes, charset: str | None) -> None:
    parsed = parse_feed(body, charset=charset, url=URL, now=NOW)

    if isinstance(parsed, FeedUnreadable):
        assert parsed.detail
        return
    assert len(parsed.entries) <= MOST_ENTRIES
    assert len({entry.guid for entry in parsed.entries}) == len(parsed.entries)
    assert FeedSnapshot.model_validate_json(parsed.model_dump_json()) == parsed
    assert is_line(parsed.title, 500)
    assert all(is_on_the_web(url) for url in (parsed.site_url, parsed.hub_url, parsed.self_url))
    assert set(parsed.hints.skip_hours) < set(range(24))
    assert set(parsed.hints.skip_days) < set(range(7))
    assert 0 <= parsed.hints.interval_seconds <= 365 * 86_400
    for entry in parsed.entries:
        check_entry(entry)


def check_entry(entry: SnapshotEntry) -> None:
    assert storable(entry.guid) == entry.guid
    assert len(entry.guid.encode()) <= 1_000
    assert is_line(entry.title, 500)
    assert is_line(entry.author or "", 200)
    assert len(entry.teaser) <= 5_000
    assert all(is_line(line, 5_000) for line in entry.teaser.split("\n"))
    assert is_on_the_web(entry.url)
    assert is_on_the_web(entry.image_url)
    assert entry.published_at is None or entry.published_at < NOW + timedelta(days=1)
    assert len(entry.enclosures) <= 20
    for enclosure in entry.enclosures:
        check_enclosure(enclosure)
    assert len(entry.transcripts) <= 10
    assert all(is_on_the_web(transcript.url) for transcript in entry.transcripts)


def check_enclosure(enclosure: Enclosure) -> None:
    assert is_on_the_web(enclosure.url)
    assert len(enclosure.media_type) <= 121
    assert 0 < (enclosure.size_bytes or 1) < 1 << 63
    assert 0 < (enclosure.duration_seconds or 1) < 1 << 31


def is_line(text: str, characters: int) -> bool:
    return storable(text) == text == text.strip() and len(text) <= characters and "\n" not in text


def is_on_the_web(url: str | None) -> bool:
    if url is None:
        return True
    parts = urlsplit(url)
    plain = storable(url) == url and not set(url) & set(" \t\r\n")
    return parts.scheme in {"http", "https"} and parts.netloc != "" and plain and len(url) <= 2_000


charsets = st.one_of(st.none(), st.sampled_from(CHARSETS), st.text(max_size=8))
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(st.binary(max_size=200), charsets)
def test_any_bytes(body: bytes, charset: str | None) -> None:
    check(body, charset)


@settings(quick, max_examples=500)
@given(mutated_feeds(), charsets)
def test_any_feed_that_something_happened_to(body: bytes, charset: str | None) -> None:
    check(body, charset)


@quick
@given(st.text(max_size=100), st.sampled_from(["title", "guid", "link", "pubDate", "description"]))
def test_any_text_in_any_element(text: str, element: str) -> None:
    check(
        f"<rss><channel><item><{element}>{text}</{element}></item></channel></rss>".encode(
            "utf-8", "replace"
        ),
        None,
    )


@quick
@given(mutated_feeds())
def test_no_entry_is_lost_that_feedparser_would_have_found(body: bytes) -> None:
    document = body.decode("utf-8", "ignore")
    try:
        tree = parse_xml(document)
        tree = parse_with_slips(repaired(document)) if tree is None else tree
        ours = None if tree is None else read_xml_feed(tree)
        theirs = None if ours is None else read_with_feedparser(document)
    except DocumentRefusedError:
        return
    if ours is not None and theirs is not None:
        assert len(ours.entries) >= len(theirs.entries)
