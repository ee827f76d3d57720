"""What the formats can say, read by our own reader and by feedparser alike."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from feedmill.models.feeds import Enclosure, FeedSnapshot, PollingHints, SnapshotEntry
from feedmill_ingestion.json_feed import read_json_feed
from feedmill_ingestion.reference import read_with_feedparser
from feedmill_ingestion.shown import ShownFeed
from feedmill_ingestion.snapshots import snapshot
from feedmill_ingestion.xml_documents import parse_xml
from feedmill_ingestion.xml_feed import read_xml_feed

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
URL = "https://site.example/blog/feed.xml"

NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
    "xhtml": "http://www.w3.org/1999/xhtml",
}
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())

Reader = Callable[[str], ShownFeed | None]


def read_fast(document: str) -> ShownFeed | None:
    tree = parse_xml(document)
    return None if tree is None else read_xml_feed(tree)


@pytest.fixture(params=[read_fast, read_with_feedparser], ids=["ours", "feedparser"])
def reader(request: pytest.FixtureRequest) -> Reader:
    read: Reader = request.param
    return read


def shown_by(reader: Reader, document: str) -> FeedSnapshot:
    shown = reader(document)
    assert shown is not None
    return snapshot(shown, url=URL, now=NOW)


def rss(item: str = "", *, channel: str = "", version: str = 'version="2.0"') -> str:
    return f"<rss {version} {DECLARED}><channel>{channel}<item>{item}</item></channel></rss>"


def atom(entry: str = "", *, feed: str = "", namespace: str = NAMESPACES["atom"]) -> str:
    return f'<feed xmlns="{namespace}" {DECLARED}>{feed}<entry>{entry}</entry></feed>'


def rdf(item: str, *, channel: str = "", about: str = "https://x.example/1") -> str:
    return (
        f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {DECLARED}><channel>{channel}</channel>'
        f'<image><title>no title</title></image><item rdf:about="{about}">{item}</item></rdf:RDF>'
    )


def only(shown: FeedSnapshot) -> SnapshotEntry:
    (entry,) = shown.entries
    return entry


MAY = datetime(2025, 5, 1, 10, tzinfo=UTC)
PAGE = "https://site.example/1"


@pytest.mark.parametrize(
    ("document", "entry"),
    [
        pytest.param(
            rss(
                "<title>T</title><link>/1</link><guid>g</guid><description>d</description>"
                "<pubDate>Thu, 01 May 2025 10:00:00 GMT</pubDate><author>a@x.example (Ann)</author>"
            ),
            SnapshotEntry(
                guid="g", url=PAGE, title="T", author="Ann", published_at=MAY, teaser="d"
            ),
            id="RSS 2.0",
        ),
        pytest.param(
            rss(
                "<title>T</title><link>/1</link><dc:date>2025-05-01T10:00:00Z</dc:date>",
                version='version="0.91" xmlns="http://backend.userland.com/rss091"',
            ),
            SnapshotEntry(guid=PAGE, url=PAGE, title="T", published_at=MAY),
            id="RSS 0.91, in a namespace",
        ),
        pytest.param(
            rdf("<title>T</title><link>/1</link><dc:date>2025-05-01T10:00:00Z</dc:date>"),
            SnapshotEntry(guid="https://x.example/1", url=PAGE, title="T", published_at=MAY),
            id="RSS 1.0",
        ),
        pytest.param(
            atom(
                '<title>T</title><link href="/1"/><id>g</id><summary>d</summary>'
                "<author><name>Ann</name><email>a@x.example</email></author>"
                "<author><name>Bob</name></author>"
                "<published>2025-05-01T10:00:00Z</published><updated>2025-05-02</updated>"
            ),
            SnapshotEntry(
                guid="g", url=PAGE, title="T", author="Ann, Bob", published_at=MAY, teaser="d"
            ),
            id="Atom 1.0",
        ),
        pytest.param(
            atom(
                '<title mode="escaped" type="text/html">T &amp;amp; U</title>'
                '<link rel="alternate" type="text/html" href="/1"/><id>g</id>'
                "<issued>2025-05-01T12:00:00+02:00</issued><modified>2025-05-02</modified>",
                namespace="http://purl.org/atom/ns#",
            ),
            SnapshotEntry(guid="g", url=PAGE, title="T & U", published_at=MAY),
            id="Atom 0.3",
        ),
        pytest.param(
            rss("<guid>g</guid><dcterms:created>2025-05-01T10:00:00Z</dcterms:created>"),
            SnapshotEntry(guid="g", published_at=MAY),
            id="RSS with a date that is hard to find",
        ),
    ],
)
def test_entries_of_every_format(reader: Reader, document: str, entry: SnapshotEntry) -> None:
    assert only(shown_by(reader, document)) == entry


@pytest.mark.parametrize(
    ("feed", "url"),
    [
        pytest.param(rss("<guid>https://x.example/1</guid>"), "https://x.example/1", id="a guid"),
        pytest.param(rss("<guid>tag:1</guid>"), None, id="a guid that is no address"),
        pytest.param(
            rss('<guid isPermaLink="false">https://x.example/1</guid>'), None, id="only a guid"
        ),
        pytest.param(
            rss("<guid>https://x.example/1</guid><link>/1</link>"), PAGE, id="a link outranks it"
        ),
        pytest.param(
            atom('<link rel="self" href="/a"/><link href="/1"/><link rel="edit" href="/b"/>'),
            PAGE,
            id="the link that leads to the page",
        ),
        pytest.param(
            atom('<link type="text/html" href="/1"/><link type="application/json" href="/2"/>'),
            PAGE,
            id="the form for readers",
        ),
        pytest.param(atom("<link>/1</link>"), PAGE, id="RSS in Atom"),
        pytest.param(rss('<atom:link href="/1"/>'), PAGE, id="Atom in RSS"),
        pytest.param(
            rss("<link>/1</link><image><link>/2</link></image><source><link>/3</link></source>"),
            PAGE,
            id="links of other things",
        ),
    ],
)
def test_the_page_of_an_entry(reader: Reader, feed: str, url: str | None) -> None:
    assert only(shown_by(reader, feed)).url == url


@pytest.mark.parametrize(
    ("document", "url", "guid"),
    [
        pytest.param(
            atom('<id>g:1</id><link href="1.html"/>').replace(
                "<feed ", '<feed xml:base="https://x.example/a/" '
            ),
            "https://x.example/a/1.html",
            "g:1",
            id="of the feed",
        ),
        pytest.param(
            atom('<id>g:1</id><link href="1.html"/>')
            .replace("<feed ", '<feed xml:base="https://x.example/a/" ')
            .replace("<entry", '<entry xml:base="b/"'),
            "https://x.example/a/b/1.html",
            "g:1",
            id="of feed and entry",
        ),
        pytest.param(
            rss('<guid>g:1</guid><link xml:base="https://x.example/">1.html</link>'),
            "https://x.example/1.html",
            "g:1",
            id="of the element",
        ),
    ],
)
def test_what_links_are_relative_to(reader: Reader, document: str, url: str, guid: str) -> None:
    entry = only(shown_by(reader, document))

    assert (entry.url, entry.guid) == (url, guid)


@pytest.mark.parametrize(
    ("document", "title"),
    [
        pytest.param(rss("<title>1 &lt; 2</title>"), "1 < 2", id="RSS, plain"),
        pytest.param(rss("<title>&lt;i&gt;T&lt;/i&gt;</title>"), "T", id="RSS, markup"),
        pytest.param(rss("<title>AT&amp;amp;T</title>"), "AT&T", id="RSS, escaped twice"),
        pytest.param(
            rss("<title>The &lt;blink> of &lt;/blink></title>"),
            "The <blink> of </blink>",
            id="RSS, about what is no markup",
        ),
        pytest.param(rss("<title>a <b>naked</b> T</title>"), "a naked T", id="RSS, naked"),
        pytest.param(atom("<title>&lt;i&gt;</title>"), "<i>", id="Atom, plain"),
        pytest.param(atom('<title type="html">&lt;i&gt;T</title>'), "T", id="Atom, markup"),
        pytest.param(
            atom('<title type="xhtml"><xhtml:div>a &lt; <xhtml:b>T</xhtml:b></xhtml:div></title>'),
            "a < T",
            id="Atom, XHTML",
        ),
        pytest.param(
            atom('<title type="application/xhtml+xml">&lt;p&gt;</title>'), "<p>", id="XHTML, bare"
        ),
        pytest.param(
            atom('<title mode="base64">RXhhbXBsZSA8Yj5BdG9tPC9iPg==</title>'),
            "Example <b>Atom</b>",
            id="Atom 0.3, base64",
        ),
        pytest.param(
            atom('<title type="application/octet-stream">RXhhbXBsZQ==</title>'),
            "Example",
            id="Atom 1.0, base64",
        ),
        pytest.param(
            atom('<title mode="base64">no base64</title>'), "no base64", id="what is none"
        ),
        pytest.param(rss("<title>caf\xc3\xa9</title>"), "café", id="utf-8 encoded twice"),
        pytest.param(rss("<title>it&#146;s</title>"), "it\u2019s", id="Windows's apostrophe"),
        pytest.param(
            rss("<title/><title>T</title><title>U</title>"), "T", id="the first of several"
        ),
        pytest.param(rss("<dc:title>T</dc:title>"), "T", id="Dublin Core"),
        pytest.param(
            rss("<media:title>M</media:title><title>T</title>"), "T", id="a picture's is not it"
        ),
        pytest.param(rss("<media:title>M</media:title>"), "M", id="unless there is no other"),
    ],
)
def test_titles(reader: Reader, document: str, title: str) -> None:
    assert only(shown_by(reader, document)).title == title


def test_titles_of_other_things_are_not_an_entrys() -> None:
    item = "<source><title>S</title></source><image><title>I</title></image><x><title>X</title></x>"

    assert only(shown_by(read_fast, rss(item))).title == ""


def test_a_base_that_is_no_address_is_none() -> None:
    document = rss('<link xml:base="https://[">1.html</link>')

    assert only(shown_by(read_fast, document)).url == "https://site.example/blog/1.html"


@pytest.mark.parametrize(
    ("document", "teaser"),
    [
        pytest.param(
            rss(
                "<description>short</description>"
                "<content:encoded>&lt;p&gt;a long&lt;p&gt;text</content:encoded>"
            ),
            "a long\ntext",
            id="the longer one",
        ),
        pytest.param(
            rss("<description>a longer one</description><itunes:summary>s</itunes:summary>"),
            "a longer one",
            id="or the other",
        ),
        pytest.param(
            atom(
                '<summary>s</summary><content type="xhtml"><xhtml:p>a<xhtml:br/>b</xhtml:p></content>'
            ),
            "a\nb",
            id="XHTML",
        ),
        pytest.param(
            atom('<content type="html"><div>&lt;p&gt;a&lt;/p&gt;b</div></content>'),
            "a\nb",
            id="HTML in an element that is none of it",
        ),
        pytest.param(
            rss("<description>a <script/>b<p/>c &amp; d</description>"), "a b\nc & d", id="naked"
        ),
        pytest.param(
            atom('<content type="image/png">iVBORw0KGgo=</content>'), "", id="a picture is no text"
        ),
        pytest.param(
            rss("<media:group><media:description>c</media:description></media:group>"),
            "c",
            id="a caption",
        ),
    ],
)
def test_teasers(reader: Reader, document: str, teaser: str) -> None:
    assert only(shown_by(reader, document)).teaser == teaser


def test_a_caption_is_no_teaser_where_the_entry_has_a_text() -> None:
    caption = "<media:content url='/a.jpg'><media:description>a long caption</media:description></media:content>"

    assert (
        only(shown_by(read_fast, rss(f"<description>text</description>{caption}"))).teaser == "text"
    )


@pytest.mark.parametrize(
    ("item", "author"),
    [
        ("<author>a@x.example (Ann Author)</author>", "Ann Author"),
        ("<author>Ann Author &lt;a@x.example&gt;</author>", "Ann Author"),
        ("<dc:creator>Ann</dc:creator><dc:creator>Bob</dc:creator>", "Ann, Bob"),
        ("<dc:creator>Ann</dc:creator><author>Ann</author>", "Ann"),
        ("<author>a@x.example</author>", "a@x.example"),
        ("<author>mailto:a@x.example Ann</author>", "Ann"),
        ("<itunes:author>Ann</itunes:author>", "Ann"),
        ("<author/>", None),
        ("", None),
    ],
)
def test_authors(reader: Reader, item: str, author: str | None) -> None:
    assert only(shown_by(reader, rss(item))).author == author


def test_the_voice_of_an_episode_is_no_second_author() -> None:
    item = "<itunes:author>Show</itunes:author><dc:creator>Ann</dc:creator>"

    assert only(shown_by(read_fast, rss(item))).author == "Ann"


EPISODE = Enclosure(url="https://x.example/1.mp3", media_type="audio/mpeg", size_bytes=12_345)


@pytest.mark.parametrize(
    ("item", "enclosures"),
    [
        pytest.param(
            '<enclosure url="https://x.example/1.mp3" type="audio/mpeg" length="12345"/>',
            [EPISODE],
            id="RSS",
        ),
        pytest.param(
            '<atom:link rel="enclosure" href="https://x.example/1.mp3" type="audio/mpeg" '
            'length="12345"/>',
            [EPISODE],
            id="Atom",
        ),
        pytest.param(
            '<enclosure url="https://x.example/1.mp3" type="audio/mpeg" length="12345"/>'
            "<itunes:duration>1:02:03</itunes:duration>",
            [EPISODE.model_copy(update={"duration_seconds": 3_723})],
            id="a podcast",
        ),
        pytest.param(
            '<media:group><media:content url="https://x.example/1.mp3" type="audio/mpeg" '
            'fileSize="12345" duration="60"/></media:group>',
            [EPISODE.model_copy(update={"duration_seconds": 60})],
            id="Media RSS",
        ),
        pytest.param(
            '<media:content url="/1.mp3" type="audio/mpeg" duration="60"/>'
            '<enclosure url="/1.mp3" length="7"/>',
            [
                Enclosure(
                    url="https://site.example/1.mp3",
                    media_type="audio/mpeg",
                    size_bytes=7,
                    duration_seconds=60,
                )
            ],
            id="one file, named twice",
        ),
        pytest.param(
            '<enclosure url="javascript:a()"/><enclosure url="ftp://x.example/"/><enclosure/>'
            '<enclosure url="/1" type="nonsense" length="-1"/>',
            [Enclosure(url="https://site.example/1")],
            id="what is no file and what is not known of one",
        ),
        pytest.param(
            "".join(f'<enclosure url="/{number}"/>' for number in range(30)),
            [Enclosure(url=f"https://site.example/{number}") for number in range(20)],
            id="no more than twenty",
        ),
    ],
)
def test_enclosures(reader: Reader, item: str, enclosures: list[Enclosure]) -> None:
    assert only(shown_by(reader, rss(item))).enclosures == tuple(enclosures)


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("3600", 3_600),
        ("60:00", 3_600),
        ("1:00:00", 3_600),
        ("00:59", 59),
        (" 12.5 ", 12),
        ("0", None),
        ("1:2:3:4", None),
        ("an hour", None),
        ("-5", None),
        ("9" * 30, None),
        ("999999999", None),
    ],
)
def test_durations(duration: str, seconds: int | None) -> None:
    item = f'<enclosure url="/1"/><itunes:duration>{duration}</itunes:duration>'

    (enclosure,) = only(shown_by(read_fast, rss(item))).enclosures
    assert enclosure.duration_seconds == seconds


@pytest.mark.parametrize(
    ("length", "size"), [("1", 1), ("0", None), ("", None), ("1 MB", None), ("9" * 40, None)]
)
def test_sizes(length: str, size: int | None) -> None:
    (enclosure,) = only(
        shown_by(read_fast, rss(f'<enclosure url="/1" length="{length}"/>'))
    ).enclosures
    assert enclosure.size_bytes == size


@pytest.mark.parametrize(
    ("item", "image"),
    [
        ('<media:thumbnail url="/1.jpg"/><media:content medium="image" url="/2.jpg"/>', "/1.jpg"),
        ('<media:content medium="image" url="/2.jpg"/>', "/2.jpg"),
        ('<media:group><media:content type="image/png" url="/2.jpg"/></media:group>', "/2.jpg"),
        ('<media:content url="/1.mp4"><media:thumbnail url="/2.jpg"/></media:content>', "/2.jpg"),
        ('<itunes:image href="/3.jpg"/>', "/3.jpg"),
        ('<enclosure url="/4.jpg" type="image/jpeg"/>', "/4.jpg"),
        ('<media:thumbnail url="data:x"/><media:thumbnail url="/5.jpg"/>', "/5.jpg"),
        ('<media:thumbnail/><media:content medium="video" url="/2.mp4"/>', None),
    ],
)
def test_pictures(reader: Reader, item: str, image: str | None) -> None:
    url = None if image is None else f"https://site.example{image}"

    assert only(shown_by(reader, rss(item))).image_url == url


def test_a_picture_of_an_entry_in_plain_rss() -> None:
    item = "<image><url>/1.jpg</url><title>t</title><link>/</link></image>"

    assert only(shown_by(read_fast, rss(item))).image_url == "https://site.example/1.jpg"


@pytest.mark.parametrize(
    ("channel", "hints"),
    [
        ("", PollingHints()),
        ("<ttl>90</ttl>", PollingHints(interval_seconds=5_400)),
        ("<ttl> 90\n</ttl>", PollingHints(interval_seconds=5_400)),
        ("<ttl>soon</ttl>", PollingHints()),
        ("<ttl>-1</ttl>", PollingHints()),
        (f"<ttl>{'9' * 9}</ttl>", PollingHints(interval_seconds=365 * 86_400)),
        (f"<ttl>{'9' * 5_000}</ttl>", PollingHints()),
        ("<sy:updatePeriod>hourly</sy:updatePeriod>", PollingHints(interval_seconds=3_600)),
        (
            "<sy:updatePeriod>\n\tdaily </sy:updatePeriod><sy:updateFrequency> 4</sy:updateFrequency>",
            PollingHints(interval_seconds=21_600),
        ),
        (
            "<sy:updateFrequency>2</sy:updateFrequency>",
            PollingHints(interval_seconds=43_200),
        ),
        (
            "<sy:updatePeriod>weekly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            PollingHints(interval_seconds=7 * 86_400),
        ),
        ("<sy:updatePeriod>often</sy:updatePeriod>", PollingHints()),
        (
            "<ttl>60</ttl><sy:updatePeriod>daily</sy:updatePeriod>",
            PollingHints(interval_seconds=86_400),
        ),
        (
            f"<skipHours>{' '.join(f'<hour>{hour}</hour>' for hour in (23, 24, 7, 7, 25, 'x'))}</skipHours>",
            PollingHints(skip_hours=(0, 7, 23)),
        ),
        (
            "<skipDays><day>Sunday</day><day> saturday</day><day>Someday</day></skipDays>",
            PollingHints(skip_days=(5, 6)),
        ),
        (
            f"<skipHours>{''.join(f'<hour>{hour}</hour>' for hour in range(24))}</skipHours>",
            PollingHints(),
        ),
    ],
)
def test_hints(reader: Reader, channel: str, hints: PollingHints) -> None:
    assert shown_by(reader, rss(channel=channel)).hints == hints


@pytest.mark.parametrize(
    ("document", "hub", "self_url"),
    [
        pytest.param(
            rss(
                channel='<atom:link rel="hub" href="https://hub.example/"/><atom:link rel="self" href="/f"/>'
            ),
            "https://hub.example/",
            "https://site.example/f",
            id="RSS",
        ),
        pytest.param(
            atom(feed='<link rel="HUB" href="https://hub.example/"/><link rel="self" href="/f"/>'),
            "https://hub.example/",
            "https://site.example/f",
            id="Atom",
        ),
        pytest.param(
            rdf("", channel='<atom:link rel="hub" href="https://hub.example/"/>'),
            "https://hub.example/",
            None,
            id="RSS 1.0",
        ),
        pytest.param(
            atom(
                feed='<link rel="hub" href="https://a.example/"/><link rel="hub" href="https://b.example/"/>'
            ),
            "https://a.example/",
            None,
            id="the first of several",
        ),
        pytest.param(
            atom('<link rel="hub" href="https://hub.example/"/><link rel="self" href="/1"/>'),
            None,
            None,
            id="an entry's are not the feed's",
        ),
        pytest.param(atom(feed='<link rel="hub" href="javascript:a()"/>'), None, None, id="no hub"),
    ],
)
def test_hubs(reader: Reader, document: str, hub: str | None, self_url: str | None) -> None:
    shown = shown_by(reader, document)

    assert (shown.hub_url, shown.self_url) == (hub, self_url)


def test_json_feed_says_as_much() -> None:
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "feed_url": "/feed.json",
        "hubs": [
            "nonsense",
            {"type": "rssCloud", "url": "https://cloud.example/"},
            {"type": "WebSub", "url": "https://hub.example/"},
        ],
        "items": [
            {
                "id": "1",
                "image": "/1.jpg",
                "attachments": [
                    {
                        "url": "https://x.example/1.mp3",
                        "mime_type": "audio/mpeg",
                        "size_in_bytes": 12_345,
                        "duration_in_seconds": 60,
                    },
                    {"url": "file:///etc/passwd"},
                ],
            },
            {"id": "2", "banner_image": "/2.jpg", "attachments": "nonsense", "authors": "nonsense"},
        ],
    }

    shown = read_json_feed(json.dumps(document))

    assert isinstance(shown, ShownFeed)
    assert snapshot(shown, url=URL, now=NOW) == FeedSnapshot(
        hub_url="https://hub.example/",
        self_url="https://site.example/feed.json",
        entries=(
            SnapshotEntry(
                guid="1",
                image_url="https://site.example/1.jpg",
                enclosures=(EPISODE.model_copy(update={"duration_seconds": 60}),),
            ),
            SnapshotEntry(guid="2", image_url="https://site.example/2.jpg"),
        ),
    )


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("<urlset/>", id="another format"),
        pytest.param(rss("<title>T</title><more><item/></more>"), id="an entry in a strange place"),
        pytest.param(
            "<rss><channel><CHANNEL><Item/></CHANNEL></channel></rss>", id="spelt in another way"
        ),
    ],
)
def test_what_is_in_doubt_is_left_to_the_reference(document: str) -> None:
    assert read_fast(document) is None


@pytest.mark.parametrize(
    "uri",
    [
        NAMESPACES["media"],
        "http://search.yahoo.com/mrss",
        "HTTP://SEARCH.YAHOO.COM/MRSS/",
        "http://www.rssboard.org/media-rss",
    ],
)
def test_a_misspelt_namespace_is_known_by_its_prefix(uri: str) -> None:
    document = rss('<media:thumbnail url="/1.jpg"/>').replace(NAMESPACES["media"], uri)

    assert only(shown_by(read_fast, document)).image_url == "https://site.example/1.jpg"


def test_a_known_namespace_is_known_by_any_prefix() -> None:
    document = rss("<m:thumbnail url='/1.jpg'/>").replace("xmlns:media", "xmlns:m")

    assert only(shown_by(read_fast, document)).image_url == "https://site.example/1.jpg"
