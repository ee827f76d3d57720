"""Documents that are no XML: mended where a mistake can only mean one thing, else feedparser's."""

from datetime import UTC, datetime

import pytest

from feedmill.models.feeds import FeedSnapshot, SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed
from feedmill_ingestion.reference import read_with_feedparser
from feedmill_ingestion.xml_documents import (
    DocumentRefusedError,
    parse_with_slips,
    parse_xml,
    repaired,
    root_of,
    whole,
)

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
GUID = "<guid>g</guid>"


def rss(inside: str) -> str:
    return f"<rss version='2.0'><channel><item>{inside}</item></channel></rss>"


def read(body: str) -> tuple[SnapshotEntry, ...]:
    parsed = parse_feed(body.encode(), charset=None, url="https://x.example/", now=NOW)
    assert isinstance(parsed, FeedSnapshot), parsed
    return parsed.entries


@pytest.mark.parametrize(
    ("inside", "title"),
    [
        pytest.param("<title>Caf&eacute; &amp;c</title>", "Café &c", id="HTML's entities"),
        pytest.param("<title>&AMP; &Lt;</title>", "& ≪", id="entities few know"),
        pytest.param("<title>&unknown; entity</title>", "&unknown; entity", id="nobody's"),
        pytest.param("<title>AT&T & <![CDATA[Q&A]]></title>", "AT&T & Q&A", id="ampersands"),
        pytest.param("<title>1 < 2 <3</title>", "1 < 2 <3", id="less than"),
        pytest.param("<title>a\x0bb&#11;c&#xFFFE;d</title>", "abcd", id="controls"),
        pytest.param("<title>&#xD83D;&#xDE00; &#8217;</title>", "😀 \u2019", id="half an emoji"),
        pytest.param("<title>&#x110000;&#1114112;a</title>", "a", id="beyond Unicode"),
        pytest.param("<title>&#99999999999;</title>", "\ufffd", id="far beyond Unicode"),
        pytest.param("<media:title>T</media:title>", "T", id="a prefix without a namespace"),
        pytest.param("<title media:x='y'>T</title>", "T", id="of an attribute"),
        pytest.param("<title>T</titel>", "T", id="an end that is misspelt"),
        pytest.param("<title>T</title><x a='1' a='2'/>", "T", id="an attribute, twice"),
        pytest.param("<title>T&nbsp;</title><!-- <![CDATA[ & --><x/>", "T", id="in a comment"),
    ],
)
def test_mistakes_that_can_only_mean_one_thing(inside: str, title: str) -> None:
    document = rss(GUID + inside)

    assert parse_xml(document) is None
    assert parse_with_slips(repaired(document)) is not None
    assert [(entry.guid, entry.title) for entry in read(document)] == [("g", title)]


@pytest.mark.parametrize(
    "inside",
    [
        pytest.param("<description>a<br>b</description>", id="an element without an end"),
        pytest.param("<description><b><i>a</b></i> b</description>", id="ends that are crossed"),
        pytest.param("<description>a</p> b</description>", id="an end without a beginning"),
        pytest.param("<description a=b>a b</description>", id="an attribute without quotes"),
        pytest.param("<description a>a b</description>", id="an attribute without a value"),
    ],
)
def test_mistakes_that_could_mean_several_things_are_left_to_feedparser(inside: str) -> None:
    document = rss(f"{inside}{GUID}<title>T</title>") + "\n"

    assert parse_with_slips(repaired(document)) is None
    assert [(entry.guid, entry.title) for entry in read(document)] == [("g", "T")]


def test_no_entry_is_lost_behind_a_mistake() -> None:
    items = "".join(f"<title>T<br></title><guid>{n}</guid></item><item>" for n in range(20))

    entries = read(rss(items + "<guid>last</guid>"))

    assert [entry.guid for entry in entries] == [*map(str, range(20)), "last"]


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            f"<feed></rss><entry><title>T</title>{GUID}</entry></feed>", id="an end too many"
        ),
        pytest.param(
            f"<rss><channel></items><item>{GUID}<title>T</title></item></channel></rss>",
            id="an end without a beginning",
        ),
        pytest.param(
            f"<rss><channel><item>{GUID}<title>T</title><p></q></p></item></channel></rss>",
            id="both ends",
        ),
        pytest.param(
            f"<rss><channel a='1' a='2'/></rss><rss><item>{GUID}<title>T</title></item></rss>",
            id="two documents",
        ),
    ],
)
def test_an_end_too_many_ends_nothing(document: str) -> None:
    assert parse_with_slips(document) is None
    assert [(entry.guid, entry.title) for entry in read(document)] == [("g", "T")]


def test_many_slips_are_no_slips() -> None:
    assert parse_with_slips(f"<rss>{'<a></b>' * 20}</rss>") is not None
    assert parse_with_slips(f"<rss>{'<a></b>' * 21}</rss>") is None


@pytest.mark.parametrize("text", ["", "no document", "<!-- nothing -->"])
def test_what_has_no_root_has_no_slips(text: str) -> None:
    assert parse_with_slips(text) is None


@pytest.mark.parametrize(
    ("document", "ended"),
    [
        ("<rss><a/></rss>", "<rss><a/></rss>"),
        ("<rss><a/></rss> <p>more", "<rss><a/></rss>"),
        ("<rss><a/></RSS\n>", "<rss><a/></RSS\n>"),
        ("<rss><a/></rss", "<rss><a/></rss>"),
        ("<rss>a</rss>b</rss>", "<rss>a</rss>b</rss>"),
        ("<x:rss><a/></x:rss>", "<x:rss><a/></x:rss>"),
        ("<rss><a/>", None),
        ("<rss><a/></rs", None),
        ("<rss><a/></rssx>", None),
        ("<rss><![CDATA[</rss>", None),
        ("<rss><!--</rss>", None),
    ],
)
def test_where_a_document_ends(document: str, ended: str | None) -> None:
    assert whole(document, "rss") == ended


@pytest.mark.parametrize(
    ("text", "start", "root"),
    [
        ("<rss/>", 0, "rss"),
        ("<?xml version='1.0'?>\n<!-- <feed> --><!DOCTYPE rss [<!ENTITY a '>'>]><RSS>", 69, "rss"),
        ("<rdf:RDF>", 0, "rdf"),
        ("Warning: <b>x</b> <atom:feed>", 18, "feed"),
        ("<br/> <feeds> <feed >", 14, "feed"),
        ("<html><feed>", 0, "html"),
        ("<!doctype HTML><p><feed>", 15, "p"),
        ("x" * 20_001 + "<feed>", 0, ""),
        ("", 0, ""),
    ],
)
def test_where_a_document_begins(text: str, start: int, root: str) -> None:
    assert root_of(text) == (start, root)


def test_where_even_feedparser_fails_there_is_an_outcome() -> None:
    # A blank that is none to XML splits the name that it makes of a namespace.
    body = "<entry xmlns:a='b\xa0c' xmlns='d'><a:e/></entry>"

    with pytest.raises(DocumentRefusedError, match="beyond repair: ValueError"):
        read_with_feedparser(body)
    assert parse_feed(body.encode(), charset=None, url="https://x.example/", now=NOW) == (
        FeedUnreadable(
            reason=Reason.PARSER_FAILED,
            detail="beyond repair: ValueError('too many values to unpack (expected 2)')",
        )
    )
