"""Videos and episodes: what their feeds say of them beside a text."""

import pytest

from feedmill.models.feeds import Enclosure, FeedSnapshot, SnapshotEntry, Transcript
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed
from feedmill_ingestion.reference import read_with_feedparser
from feedmill_ingestion.snapshots import snapshot
from ingestion.test_parsing_formats import NOW, URL, Reader, only, reader, shown_by

__all__ = ["reader"]

PODCASTING = "https://podcastindex.org/namespace/1.0"
YOUTUBE = "http://www.youtube.com/xml/schemas/2015"

VIDEO = f"""<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:yt="{YOUTUBE}" xmlns:media="http://search.yahoo.com/mrss/">
<entry><id>yt:video:a1B2c3D4e5_</id><yt:videoId>a1B2c3D4e5_</yt:videoId><yt:channelId>UC1</yt:channelId>
<title>How a mill works</title><link rel="alternate" href="https://www.youtube.com/watch?v=a1B2c3D4e5_"/>
<author><name>The Miller</name></author><published>2025-05-01T10:00:00+00:00</published>
<media:group><media:title>How a mill works</media:title>
<media:content url="https://www.youtube.com/v/a1B2c3D4e5_?version=3" type="application/x-shockwave-flash"
 width="640" height="390"/><media:thumbnail url="https://i.ytimg.com/vi/a1B2c3D4e5_/hqdefault.jpg"/>
<media:description>We walk through the mill &amp; its wheel.

0:00 The river
Plans: https://mills.example/plans  I &lt;3 mills</media:description>
<media:community><media:starRating count="5" average="5.00" min="1" max="5"/></media:community>
</media:group></entry></feed>"""


def parsed(document: str) -> FeedSnapshot:
    feed = parse_feed(document.encode(), charset=None, url=URL, now=NOW)
    assert not isinstance(feed, FeedUnreadable)
    return feed


def episode(inner: str, *, namespace: str = PODCASTING, prefix: str = "podcast") -> str:
    declared = f'xmlns:{prefix}="{namespace}"'
    return (
        f"<rss version='2.0' {declared}><channel><item><guid>1</guid>{inner}</item></channel></rss>"
    )


def test_a_video_keeps_its_id_its_picture_and_the_lines_of_its_description() -> None:
    entry = only(parsed(VIDEO))

    assert (entry.video_id, entry.author) == ("a1B2c3D4e5_", "The Miller")
    assert entry.teaser.split("\n") == [
        "We walk through the mill & its wheel.",
        "0:00 The river",
        "Plans: https://mills.example/plans I <3 mills",
    ]
    assert entry.image_url == "https://i.ytimg.com/vi/a1B2c3D4e5_/hqdefault.jpg"
    # It names a player that nothing can open any more.
    assert entry.enclosures == ()


def test_a_description_in_html_is_read_as_html() -> None:
    document = VIDEO.replace(
        "<media:description>", '<media:description type="html">&lt;p>One&lt;/p>'
    )

    assert only(parsed(document)).teaser.startswith("One\nWe walk")


def test_the_reference_knows_the_video_too() -> None:
    shown = read_with_feedparser(VIDEO)

    assert shown is not None
    assert only(snapshot(shown, url=URL, now=NOW)).video_id == "a1B2c3D4e5_"


@pytest.mark.parametrize(
    "shown", ["", "short", "a1B2c3D4e5_x", "a1B2c3D4e5/", "ä1B2c3D4e5_", "a1B2 3D4e5_"]
)
def test_what_is_no_id_of_a_video_is_none(shown: str) -> None:
    document = VIDEO.replace("videoId>a1B2c3D4e5_<", f"videoId>{shown}<")

    assert only(parsed(document)).video_id is None


@pytest.mark.parametrize(
    ("inner", "transcript"),
    [
        pytest.param(
            '<podcast:transcript url="https://x.example/1.vtt" type="text/vtt" language="en-GB" rel="captions"/>',
            Transcript(
                url="https://x.example/1.vtt",
                media_type="text/vtt",
                language="en-GB",
                is_captions=True,
            ),
            id="in full",
        ),
        pytest.param(
            '<podcast:transcript url="/1.json" type="Application/JSON; charset=utf-8"/>',
            Transcript(url="https://site.example/1.json", media_type="application/json"),
            id="relative, and with a parameter",
        ),
        pytest.param(
            '<podcast:transcript url="/1" type="words" language="the Queen&#39;s" rel="x"/>',
            Transcript(url="https://site.example/1"),
            id="nonsense beside an address",
        ),
    ],
)
def test_transcripts(reader: Reader, inner: str, transcript: Transcript) -> None:
    assert only(shown_by(reader, episode(inner))).transcripts == (transcript,)


@pytest.mark.parametrize(
    "inner",
    [
        "<podcast:transcript/>",
        '<podcast:transcript type="text/vtt">words</podcast:transcript>',
        '<podcast:transcript url="javascript:alert(1)"/>',
        '<podcast:transcript url="ftp://x.example/1.vtt"/>',
    ],
)
def test_a_transcript_that_the_web_does_not_have_is_none(reader: Reader, inner: str) -> None:
    assert only(shown_by(reader, episode(inner))).transcripts == ()


def test_of_many_transcripts_some_are_kept_and_each_once() -> None:
    inner = (
        '<podcast:transcript url="/1" type="text/vtt"/><podcast:transcript url="/1"/>'
        + "".join(f'<podcast:transcript url="/{number}"/>' for number in range(2, 30))
    )

    kept = only(parsed(episode(inner))).transcripts

    assert [each.url[-2:] for each in kept] == [f"/{number}" for number in range(1, 10)]
    assert kept[0].media_type == "text/vtt"


@pytest.mark.parametrize(
    ("namespace", "prefix"),
    [
        (PODCASTING, "podcast"),
        (PODCASTING, "p"),
        ("https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md", "pi"),
        ("https://misspelt.example/", "podcast"),
    ],
)
def test_the_namespace_of_podcasts_is_known_however_it_is_named(
    namespace: str, prefix: str
) -> None:
    inner = f'<{prefix}:transcript url="/1"/>'

    found = only(parsed(episode(inner, namespace=namespace, prefix=prefix))).transcripts

    assert found == (Transcript(url="https://site.example/1"),)


def test_an_episode_says_all_of_it_at_once() -> None:
    inner = (
        '<enclosure url="/1.mp3" type="audio/mpeg" length="12345"/><itunes:duration>1:00:05'
        '</itunes:duration><podcast:transcript url="/1.srt" type="application/srt"/>'
    )
    document = episode(inner).replace(
        "<rss", '<rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    )

    assert only(parsed(document)) == SnapshotEntry(
        guid="1",
        enclosures=(
            Enclosure(
                url="https://site.example/1.mp3",
                media_type="audio/mpeg",
                size_bytes=12_345,
                duration_seconds=3_605,
            ),
        ),
        transcripts=(Transcript(url="https://site.example/1.srt", media_type="application/srt"),),
    )
