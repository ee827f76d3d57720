"""Whatever comes over the wire: nothing escapes as an exception, and what is told can be stored.

A few seconds in every run; `FUZZ_EXAMPLES=20000` makes it a long one.
"""

import asyncio
import gzip
import os
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import brotli
import pytest_asyncio
from backports import zstd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from feedmill.errors import UrlRefusedError
from feedmill.models.base import Model
from feedmill.web import headers
from feedmill.web.addresses import check_url
from feedmill.web.answers import Answer, Refusal
from feedmill.web.charsets import decode_text
from feedmill.web.client import WebClient, WebLimits, open_web
from feedmill.web.decoding import decode_body
from feedmill.web.locations import joined
from feedmill.web.robots_rules import our_rules, read_rules
from support.web import get, web_settings
from support.wire import Wire, open_wire

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
fuzz = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
SITE = "https://site.example/a/b?c"
PACKERS: list[Callable[[bytes], bytes]] = [
    # What it makes of a body must not depend on the time of day.
    partial(gzip.compress, mtime=0),
    zlib.compress,
    brotli.compress,
    zstd.compress,
]

# As header values arrive: UTF-8, or halves of characters for bytes that are none.
anything = st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape"))


def mixed(*tokens: str) -> st.SearchStrategy[str]:
    """Texts of pieces that mean something, in senseless order, with senseless text between."""
    return st.lists(st.sampled_from(tokens) | anything, max_size=8).map("".join)


urls = mixed(
    "http://", "https://", "//", "file:", "user:pw@", "127.0.0.1", "[::1]", "[", "0x7f.1", "2130706433",
    "site.example", "ü.example", "xn--", ".", "..", ":80", ":99999", ":", "/", "\\", "?", "#", "%zz", "%00", " ",
)  # fmt: skip


@fuzz
@given(urls)
def test_any_text_is_an_address_or_is_not(text: str) -> None:
    try:
        checked = check_url(text)
    except UrlRefusedError:
        return
    assert check_url(checked) == checked
    assert checked.isascii()
    assert urlsplit(checked).scheme in {"http", "https"}


@fuzz
@given(urls)
def test_any_location_leads_to_an_address_or_nowhere(location: str) -> None:
    try:
        check_url(joined(SITE, location))
    except UrlRefusedError:
        return


signs = mixed(
    "noai", "noindex", ",", ":", ";", "=", "*", "feedmill", "max-snippet", "unavailable_after", "ai-input=no", " ", "1",
)  # fmt: skip
times = mixed(
    "0", "-1", "9" * 30, "Sat, 01 Mar 2025 13:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "+9999", "max-age=",
    "s-maxage", ",", '"', "31 Dec 9999 23:59:59", "-2359", "GMT", " ", "\t", "1e9", "²", "٣", '"d";r=0;t=',
)  # fmt: skip
links = mixed(
    "<",
    ">",
    "; rel=",
    "hub",
    "self",
    '"',
    ",",
    "http://[::1",
    "https://hub.example/",
    "/x",
    ";",
    "rel",
)
texts = {
    "Content-Type": mixed("text/html", ";", "charset=", "utf-8", '"', "'", " "),
    "ETag": anything,
    "Last-Modified": times,
    "Retry-After": times,
    "Cache-Control": times,
    "Expires": times,
    "Age": times,
    "Date": times,
    "RateLimit": times,
    "X-RateLimit-Remaining": times,
    "X-RateLimit-Reset": times,
    "Link": links,
    "X-Robots-Tag": signs,
    "Content-Signal": signs,
    "TDM-Reservation": signs,
}
header_sets = st.lists(
    st.sampled_from(list(texts)).flatmap(lambda name: st.tuples(st.just(name), texts[name])),
    max_size=8,
).map(CIMultiDict)


@fuzz
@given(header_sets)
def test_any_headers_have_a_meaning(said: CIMultiDict[str]) -> None:
    content_type = said.get("Content-Type", "")
    answer = Answer(
        url=SITE,
        redirected=False,
        status=200,
        media_type=headers.media_type(content_type),
        charset=headers.charset(content_type),
        validators=headers.validators(said, SITE),
        retry_after=headers.retry_after(said, NOW),
        max_age=headers.max_age(said, NOW),
        spent_for=headers.spent_for(said, NOW),
        hub=headers.hub(said, SITE),
        withheld=headers.withheld(said),
        body=b"",
    )

    assert_sane(answer)


@fuzz
@given(st.binary() | st.binary().map(lambda raw: b"<?xml " + raw), st.none() | anything)
def test_any_bytes_are_text(body: bytes, charset: str | None) -> None:
    assert isinstance(decode_text(body, charset), str)


encodings = st.lists(
    st.sampled_from(["gzip", "deflate", "br", "zstd", "identity", "x-gzip", ""]), max_size=4
).map(",".join)


@st.composite
def mutilated(draw: st.DrawFn) -> bytes:
    """Something compressed that was damaged afterwards, or never was compressed."""
    body = draw(st.binary() | st.binary().map(lambda raw: raw * 50))
    for pack in draw(st.lists(st.sampled_from(PACKERS), max_size=3)):
        body = pack(body)
    return damaged(draw, body)


def damaged(draw: st.DrawFn, body: bytes) -> bytes:
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(body)))
        body = body[:at] + draw(st.binary(max_size=4)) + body[at + draw(st.integers(0, 4)) :]
    return body[: draw(st.integers(0, len(body)))] if draw(st.booleans()) else body


@fuzz
@given(mutilated(), encodings | anything, st.booleans())
def test_any_body_is_unpacked_or_refused(body: bytes, encoding: str, whole: bool) -> None:
    unpacked = decode_body(body, encoding, 1_000, whole=whole)

    if isinstance(unpacked, Refusal):
        unpacked.model_dump_json()
    elif unpacked is not body:
        assert len(unpacked) <= 1_000


rules = mixed(
    "User-agent", ":", "*", "feedmill", "\n", "\r", "Disallow", "Allow", "/", "$", "%", "%zz", "#", "Crawl-delay", "1e999",
    "Request-rate", "0/0", "1/10m", "-1", "Visit-time", "Content-Signal", "ai-input=no", "Sitemap", "\ufeff", " ",
)  # fmt: skip


@fuzz
@given(rules, urls)
def test_any_robots_txt_has_a_verdict(robots: str, url: str) -> None:
    ours = our_rules(robots)
    read = read_rules(ours)

    with suppress(UrlRefusedError):
        assert read.allows(check_url(joined(SITE, url))) in {True, False}
    assert read.crawl_delay is None or timedelta(0) < read.crawl_delay <= timedelta(minutes=1)
    ours.encode()
    assert "\0" not in ours


status_lines = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 302 Found", b"HTTP/1.1 100 Continue",
     b"HTTP/1.1 101 Up", b"HTTP/1.1 204 None", b"HTTP/1.1 99 X", b"HTTP/9.9 200 OK", b"HTTP/1.1 999 \xff", b"ICY 200 OK"]
)  # fmt: skip
framings = st.sampled_from(
    [b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: 99", b"Content-Length: -1", b"Content-Length: 5, 5",
     b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Connection: close", b"Connection: upgrade",
     b"Upgrade: h2c", b"Content-Encoding: gzip", b"Content-Encoding: br, gzip", b"Content-Encoding: \xff",
     b"Set-Cookie: a=\xff; Max-Age=zz", b"Location: /b", b"Location: http://[", b"Location: \xff", b"Trailer: X", b"\x00: x",
     b" folded", b"no colon", b"Retry-After: 1"]
)  # fmt: skip


@st.composite
def replies(draw: st.DrawFn) -> list[bytes]:
    """A reply that may be whole or not, in the pieces in which it is sent."""
    said = draw(header_sets)
    lines = [draw(status_lines), *draw(st.lists(framings, max_size=4))]
    lines += [
        f"{k}: {v}".encode("utf-8", "surrogateescape") for k, v in said.items() if _one_line(v)
    ]
    body = draw(
        st.sampled_from(
            [b"", b"hello", b"5\r\nhello\r\n0\r\n\r\n", b"ffffffffffffffff\r\n", b"zz\r\n"]
        )
        | mutilated()
    )
    reply = damaged(draw, b"\r\n".join(lines) + b"\r\n\r\n" + body)
    cut = draw(st.integers(0, len(reply)))
    return [reply[:cut], reply[cut:]]


def _one_line(value: str) -> bool:
    return "\n" not in value and not any(
        "\ud800" <= c <= "\udbff" or "\udd00" <= c <= "\udfff" for c in value
    )


@pytest_asyncio.fixture
async def hasty() -> AsyncIterator[WebClient]:
    async with open_web(web_settings(), WebLimits(total_seconds=0.3, redirects=2)) as client:
        yield client


class Liar:
    """A server that sends whatever it was given last."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    async def __call__(
        self, wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while await wire.hear(reader):
            for part in self.parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            if len(self.parts[0]) % 2:
                return


@pytest_asyncio.fixture
async def lies() -> AsyncIterator[tuple[Liar, str]]:
    liar = Liar()
    async with open_wire(liar) as wire:
        yield liar, wire.url("/a")


@fuzz
@given(replies())
async def test_any_bytes_of_a_server_are_a_reply(
    hasty: WebClient, lies: tuple[Liar, str], parts: list[bytes]
) -> None:
    liar, url = lies
    liar.parts = parts

    reply = await get(hasty, url, max_bytes=1_000)

    assert isinstance(reply, Answer | Refusal)
    assert_sane(reply)


def assert_sane(reply: Model) -> None:
    """It fits into the store and into history, and keeps to its bounds."""
    as_json = reply.model_dump_json(exclude={"body"})
    assert "\\u0000" not in as_json
    if not isinstance(reply, Answer):
        return
    for wait in (reply.retry_after, reply.max_age, reply.spent_for):
        assert wait is None or timedelta(0) <= wait <= timedelta(days=31)
    assert len(reply.body) <= 1_000
    assert reply.status == 200 or reply.body == b""
    assert check_url(reply.url, web_settings().allowed_networks) == reply.url
