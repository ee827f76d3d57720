"""What nobody honest sends ends in a named outcome, and soon."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from feedmill.models.feeds import FeedSnapshot
from feedmill.models.outcomes import Reason
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed, read_feed
from feedmill_ingestion.shown import ShownFeed
from feedmill_ingestion.xml_documents import parse_xml

NOW = datetime(2025, 6, 1, 12, tzinfo=UTC)
# Ten times what it takes on a slow machine; a mistake costs minutes.
SECONDS = 10.0

TOO_DEEP = "nested too deeply, or with parts too long"
TOO_WRONG = "too many mistakes to mend"
TOO_LARGE = "too large to be mended"

LAUGHS = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
ITEM = "<item><title>T</title><guid>{}</guid><pubDate>1 May 2025</pubDate></item>"

# Made when it is needed: a collection of all of them would fill the memory.
Body = Callable[[], str | bytes]


def many_items() -> str:
    return "".join(ITEM.format(number) for number in range(60_000))


def attributes(form: str) -> str:
    return " ".join(form.format(number) for number in range(50_000))


def rss(inside: str, doctype: str = "") -> str:
    return f'{doctype}<rss version="2.0"><channel>{inside}</channel></rss>'


def parse(body: str | bytes, charset: str | None = None) -> FeedSnapshot | FeedUnreadable:
    content = body.encode() if isinstance(body, str) else body
    started = time.process_time()
    parsed = parse_feed(content, charset=charset, url="https://site.example/feed", now=NOW)
    assert time.process_time() - started < SECONDS
    return parsed


@pytest.mark.parametrize(
    ("doctype", "entity"),
    [
        pytest.param(f'<!DOCTYPE rss [<!ENTITY a0 "ha">{LAUGHS}]>', "a11", id="nested"),
        pytest.param(f'<!DOCTYPE rss [<!ENTITY a "{"ha" * 100_000}">]>', "a", id="long"),
        pytest.param('<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>', "a", id="a file"),
        pytest.param('<!DOCTYPE rss [<!ENTITY a PUBLIC "x" "http://[::1]:1/">]>', "a", id="a page"),
        pytest.param(
            '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:1/">%p;<!ENTITY a "ha">]>',
            "a",
            id="a parameter",
        ),
        pytest.param('<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/rss.dtd">', "a", id="a DTD"),
        pytest.param('<!DOCTYPE rss [<!ATTLIST item a CDATA "]>">]>', "a", id="a false end"),
    ],
)
def test_no_entity_is_expanded_or_fetched(doctype: str, entity: str) -> None:
    parsed = parse(rss(f"<item><title>&{entity};</title></item>", doctype))

    assert isinstance(parsed, FeedSnapshot)
    assert [entry.title for entry in parsed.entries] == [f"&{entity};"]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        pytest.param(lambda: rss(f"<item>{'<a>' * 200_000}</item>"), TOO_DEEP, id="a deep element"),
        pytest.param(
            lambda: rss(f"<item>{'<a>' * 200_000}{'</a>' * 200_000}</item>"),
            TOO_DEEP,
            id="with its ends",
        ),
        pytest.param(lambda: rss(f"<a b=1/>{'<a>' * 200_000}"), TOO_DEEP, id="deep, and no XML"),
        pytest.param(lambda: rss(f"<item><title>{'x' * 11_000_000}"), TOO_DEEP, id="a long text"),
        pytest.param(
            lambda: rss(f"<item a='{'x' * 11_000_000}'/>"), TOO_DEEP, id="a long attribute"
        ),
        pytest.param(
            lambda: rss(f"<item {attributes('a{}=1')}/>"), TOO_LARGE, id="loose attributes"
        ),
        pytest.param(lambda: rss("&" * 5_000_000), TOO_WRONG, id="ampersands"),
        pytest.param(lambda: rss("< " * 5_000_000), TOO_WRONG, id="brackets"),
        pytest.param(lambda: rss("&a;" * 1_000_000), TOO_WRONG, id="entities"),
        pytest.param(lambda: rss("<a:b/>" * 200_000 + "<c>"), TOO_LARGE, id="prefixes"),
        pytest.param(lambda: rss(many_items() + "<br>"), TOO_LARGE, id="many entries, and no XML"),
        pytest.param(
            lambda: rss("<a>" + "x" * 9_000_000 + "<b>"), TOO_LARGE, id="much text, and no XML"
        ),
    ],
)
def test_what_is_too_much_is_refused(body: Body, detail: str) -> None:
    assert parse(body()) == FeedUnreadable(reason=Reason.PARSER_FAILED, detail=detail)


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        pytest.param(lambda: rss(many_items()), 500, id="60,000 entries"),
        pytest.param(lambda: rss(many_items() + "&nbsp;"), 500, id="60,000 entries, to be mended"),
        pytest.param(
            lambda: rss("<item {0}><guid {0}>a</guid></item>".format(attributes('a{}="1"'))),
            1,
            id="attributes",
        ),
        pytest.param(lambda: rss("<item/>" * 1_000_000), 1, id="empty entries"),
        pytest.param(
            lambda: rss(f"<item><title>{'&#55357;' * 300_000}</title></item>"), 1, id="halves"
        ),
        pytest.param(
            lambda: rss("<item>" + '<enclosure url="/a"/>' * 100_000 + "</item>"),
            1,
            id="enclosures",
        ),
        pytest.param(
            lambda: rss(f"<item>{'<author>a@b</author>' * 50_000}</item>"), 1, id="authors"
        ),
        pytest.param(
            lambda: rss(f"<item><author>{'a@' * 300_000}</author></item>"), 1, id="an author"
        ),
        pytest.param(
            lambda: rss(f"<item>{'<description>a</description>' * 50_000}</item>"), 1, id="texts"
        ),
        pytest.param(
            lambda: rss(f"<item><description><![CDATA[{'<div>' * 200_000}]]></description></item>"),
            1,
            id="deep markup",
        ),
        pytest.param(
            lambda: rss(f"<item><description>{'&lt;b&gt;' * 500_000}</description></item>"),
            1,
            id="deep markup, escaped",
        ),
        pytest.param(
            lambda: rss(f"<item><pubDate>{'Mon, ' * 500_000}</pubDate></item>"), 1, id="a date"
        ),
        pytest.param(
            lambda: rss(
                "".join(f"<item><guid>{n}{'g' * 5_000}</guid></item>" for n in range(1_000))
            ),
            500,
            id="long guids",
        ),
    ],
)
def test_much_is_read_as_far_as_it_is_kept(body: Body, entries: int) -> None:
    parsed = parse(body())

    assert isinstance(parsed, FeedSnapshot)
    assert len(parsed.entries) == entries


@pytest.mark.parametrize(
    "body",
    [
        rss("<item/>" * 50_001),
        f'{{"version": "jsonfeed.org/version/1", "items": [{"{}," * 50_001}{{}}]}}',
    ],
    ids=["XML", "JSON"],
)
def test_of_very_many_entries_the_first_are_read(body: str) -> None:
    shown = read_feed(body.encode())

    assert isinstance(shown, ShownFeed)
    assert len(shown.entries) == 50_000


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "http://127.0.0.1:1/"])
def test_a_doctype_that_was_overlooked_does_no_harm(uri: str) -> None:
    root = parse_xml(f'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y SYSTEM "{uri}">]><a>&x;&y;</a>')

    assert root is None or not root.text


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(lambda: "\0" * 20_000_000, Reason.NOT_A_FEED, id="nothing at all"),
        pytest.param(lambda: "<" * 20_000_000, Reason.NOT_A_FEED, id="beginnings"),
        pytest.param(lambda: "<!--" * 5_000_000, Reason.NOT_A_FEED, id="comments"),
        pytest.param(lambda: "<?" * 5_000_000, Reason.NOT_A_FEED, id="instructions"),
        pytest.param(lambda: "<!doctype[" * 1_000_000, Reason.NOT_A_FEED, id="declarations"),
        pytest.param(
            lambda: "<!doctype a[" + "]" * 5_000_000, Reason.NOT_A_FEED, id="a declaration"
        ),
        pytest.param(lambda: "<urlset>" + "<url/>" * 2_000_000, Reason.NOT_A_FEED, id="other XML"),
        pytest.param(lambda: "<html>" + "<p>" * 5_000_000, Reason.NOT_A_FEED, id="a long page"),
        pytest.param(lambda: "<rss>" + "<![CDATA[" * 1_000_000, Reason.TRUNCATED, id="literals"),
        pytest.param(lambda: "<rss>" + "<a " * 2_000_000, Reason.TRUNCATED, id="no end"),
        pytest.param(lambda: "<rss>" + "</rss  " * 300_000, Reason.PARSER_FAILED, id="false ends"),
        pytest.param(lambda: '{"a":' * 500_000, Reason.NOT_A_FEED, id="deep JSON"),
        pytest.param(
            lambda: "[" * 100_000 + "]" * 100_000, Reason.NOT_A_FEED, id="deep JSON, ended"
        ),
        pytest.param(lambda: "[1" + "1" * 1_000_000 + "]", Reason.NOT_A_FEED, id="a long number"),
        pytest.param(
            lambda: b"\x1f\x8b\x08\x00" + bytes(range(256)) * 1_000, Reason.NOT_A_FEED, id="gzip"
        ),
    ],
)
def test_what_is_no_feed_is_known_soon(body: Body, reason: Reason) -> None:
    parsed = parse(body())

    assert isinstance(parsed, FeedUnreadable)
    assert parsed.reason == reason


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        pytest.param(b'<?xml version="1.0" encoding="utf-8"?>', None, id="declared wrong"),
        pytest.param(b"", "utf-8", id="wrong in the header"),
        pytest.param(b"", "utf-16", id="very wrong in the header"),
        pytest.param(b"", "punycode", id="absurd in the header"),
        pytest.param(b'<?xml encoding="\xff"?>', "\udcff", id="no name of any encoding"),
    ],
)
def test_a_wrong_encoding_costs_nothing(body: bytes, charset: str | None) -> None:
    parsed = parse(body + rss("<item><title>café “so”</title></item>").encode("cp1252"), charset)

    assert isinstance(parsed, FeedSnapshot)
    assert [entry.title for entry in parsed.entries] == ["café “so”"]


def test_what_a_document_begins_with_is_told_no_longer_than_people_read() -> None:
    read = read_feed(b"<" + b"a" * 100_000 + b">")

    assert read == FeedUnreadable(
        reason=Reason.NOT_A_FEED, detail=f"a document that starts with <{'a' * 50}>"
    )
