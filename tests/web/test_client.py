import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from prometheus_client import REGISTRY

from feedmill import __version__
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Answer, Deferred, Refusal
from feedmill.web.client import WebClient, open_web
from support.origin import Origin
from support.web import always, get, web_settings
from support.wire import OK, Wire, open_wire, saying

MALFORMED_DATE = "Sat, 1 Jan 2022 00:00:00 +0000 (about)"


def reason(reply: object) -> Reason:
    assert isinstance(reply, Refusal), reply
    return reply.reason


async def test_an_answer_is_told_whole(client: WebClient, origin: Origin) -> None:
    origin.serve(
        "/feed.xml",
        b"<rss/>",
        content_type='Application/RSS+xml; charset="ISO-8859-1"',
        etag='W/"a-b--gzip"',
        last_modified=MALFORMED_DATE,
        headers={"Cache-Control": "public, max-age=600", "Age": "60"},
    )

    answer = await get(client, origin.url("/feed.xml"))

    assert answer == Answer(
        url=origin.url("/feed.xml"),
        redirected=False,
        status=200,
        media_type="application/rss+xml",
        charset="iso-8859-1",
        validators=Validators(
            etag='W/"a-b--gzip"', last_modified=MALFORMED_DATE, url=origin.url("/feed.xml")
        ),
        retry_after=None,
        max_age=timedelta(seconds=540),
        body=b"<rss/>",
    )


async def test_a_request_says_who_asks_and_nothing_else(client: WebClient, origin: Origin) -> None:
    origin.serve("/a", headers={"Set-Cookie": "id=1; Path=/"})
    origin.serve("/a?x=1&y=[2]&z=%2f")

    for path in ("/a", "/a?x=1&y=[2]&z=%2f"):
        await client.get(
            origin.url(path), purpose="page", accept="text/html", max_bytes=10, admit=always
        )

    assert [dict(request.headers) for request in origin.requests] == 2 * [
        {
            "Host": origin.base.removeprefix("http://"),
            "Accept": "text/html",
            "Accept-Encoding": "gzip, deflate, br, zstd",
            "User-Agent": f"Feedmill/{__version__} (+https://github.com/feedmill/feedmill)",
        }
    ]
    assert origin.paths == ["/a", "/a?x=1&y=[2]&z=%2f"]


async def test_validators_go_back_byte_for_byte(client: WebClient, origin: Origin) -> None:
    origin.serve("/feed.xml", b"<rss/>", etag='W/"a-b--gzip"', last_modified=MALFORMED_DATE)

    answer = await client.get(
        origin.url("/feed.xml"),
        purpose="feed",
        accept="*/*",
        max_bytes=10,
        admit=always,
        validators=Validators(
            etag='W/"a-b--gzip"', last_modified=MALFORMED_DATE, url=origin.url("/feed.xml")
        ),
    )

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (304, b"")
    sent = origin.requests[0].headers
    assert sent["If-None-Match"] == 'W/"a-b--gzip"'
    assert sent["If-Modified-Since"] == MALFORMED_DATE


async def test_validators_are_not_carried_to_where_a_redirect_leads(
    client: WebClient, origin: Origin
) -> None:
    origin.redirect("/old", "/new?page=1")
    origin.serve("/new?page=1", b"<rss/>", etag='"1"')

    answer = await client.get(
        origin.url("/old"),
        purpose="feed",
        accept="*/*",
        max_bytes=10,
        admit=always,
        validators=Validators(etag='"1"', url=origin.url("/old")),
    )

    assert isinstance(answer, Answer)
    assert (answer.status, answer.redirected) == (200, True)
    assert answer.url == origin.url("/new?page=1")
    assert "If-None-Match" not in origin.asked("/new?page=1")[0].headers


async def test_where_a_redirect_leads_is_asked_with_its_own_validators(
    client: WebClient, origin: Origin
) -> None:
    origin.redirect("/old", "/new")
    origin.serve("/new", b"<rss/>", etag='"1"')

    answer = await client.get(
        origin.url("/old"),
        purpose="feed",
        accept="*/*",
        max_bytes=10,
        admit=always,
        validators=Validators(etag='"1"', url=origin.url("/new")),
    )

    assert isinstance(answer, Answer)
    assert (answer.status, answer.url) == (304, origin.url("/new"))
    assert "If-None-Match" not in origin.asked("/old")[0].headers


@pytest.mark.parametrize(
    ("statuses", "for_good"),
    [((301,), True), ((308, 301), True), ((301, 302), False), ((307,), False), ((303,), False)],
)
async def test_a_page_has_moved_only_if_every_redirect_says_so(
    client: WebClient, origin: Origin, statuses: tuple[int, ...], for_good: bool
) -> None:
    for hop, status in enumerate(statuses):
        origin.redirect(f"/{hop}", f"/{hop + 1}", status=status)
    end = origin.url(f"/{len(statuses)}")
    origin.serve(f"/{len(statuses)}")

    answer = await get(client, origin.url("/0"))

    assert isinstance(answer, Answer)
    assert (answer.url, answer.redirected) == (end, True)
    assert answer.moved_to == (end if for_good else None)


@pytest.mark.parametrize(
    ("subscribers", "named"), [(None, ""), (1, "; 1 subscriber"), (1_200, "; 1200 subscribers")]
)
async def test_a_feed_is_told_how_many_it_is_asked_for(
    client: WebClient, origin: Origin, subscribers: int | None, named: str
) -> None:
    await client.get(
        origin.url("/a"),
        purpose="feed",
        accept="*/*",
        max_bytes=10,
        admit=always,
        subscribers=subscribers,
    )

    (request,) = origin.requests
    assert request.headers["User-Agent"] == (
        f"Feedmill/{__version__} (+https://github.com/feedmill/feedmill{named})"
    )


async def test_every_request_of_a_chain_waits_for_a_slot(client: WebClient, origin: Origin) -> None:
    origin.redirect("/old", "/new")
    until = datetime(2030, 1, 1, tzinfo=UTC)
    asked: list[tuple[str, bool]] = []

    @asynccontextmanager
    async def admit(url: str, *, patient: bool) -> AsyncIterator[datetime | None]:
        asked.append((url, patient))
        yield until if url.endswith("/new") else None

    reply = await client.get(
        origin.url("/old"), purpose="feed", accept="*/*", max_bytes=10, admit=admit
    )

    assert reply == Deferred(until=until, begun=True)
    assert asked == [(origin.url("/old"), False), (origin.url("/new"), True)]
    assert origin.paths == ["/old"]


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        pytest.param("/a", Reason.TOO_MANY_REDIRECTS, id="to itself"),
        pytest.param("/b", Reason.TOO_MANY_REDIRECTS, id="in a circle"),
        pytest.param("file:///etc/passwd", Reason.URL_INVALID, id="to a file"),
        pytest.param("//169.254.169.254/", Reason.ADDRESS_FORBIDDEN, id="to a metadata service"),
        pytest.param("http://[::1", Reason.URL_INVALID, id="to nonsense"),
        pytest.param("http://user:password@127.0.0.1/", Reason.URL_INVALID, id="with a password"),
    ],
)
async def test_a_redirect_that_is_not_followed(
    client: WebClient, origin: Origin, location: str, expected: Reason
) -> None:
    origin.redirect("/a", location)
    origin.redirect("/b", "/a")

    assert reason(await get(client, origin.url("/a"))) == expected
    assert len(origin.requests) == len(set(origin.paths))


@pytest.mark.parametrize(
    ("hops", "outcome"), [(5, 200), (6, Reason.TOO_MANY_REDIRECTS)], ids=["most", "one too many"]
)
async def test_redirects_are_followed_so_far(
    client: WebClient, origin: Origin, hops: int, outcome: object
) -> None:
    for hop in range(hops):
        origin.redirect(f"/{hop}", f"{hop + 1}")
    origin.serve(f"/{hops}")

    reply = await get(client, origin.url("/0"))

    assert (reply.status if isinstance(reply, Answer) else reason(reply)) == outcome
    assert len(origin.requests) == 6


async def test_a_redirect_with_spaces_is_followed_as_browsers_do(
    client: WebClient, origin: Origin
) -> None:
    origin.redirect("/a", " /b c ")
    origin.serve("/b%20c", "found")

    answer = await get(client, origin.url("/a"))

    assert isinstance(answer, Answer)
    assert answer.body == b"found"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (b"/caf\xc3\xa9?q=\xc3\xbc", "/caf%C3%A9?q=%C3%BC"),
        (b"/caf\xe9", "/caf%E9"),
        (b"/a%2fb%2F", "/a%2fb%2F"),
        (b"?page=2", "/from?page=2"),
        (b"/a#top", "/a"),
    ],
)
async def test_a_location_is_followed_byte_for_byte(
    client: WebClient, location: bytes, path: str
) -> None:
    moved = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"

    async def talk(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await wire.hear(reader):
            writer.write(moved if head.startswith(b"GET /from ") else OK)

    async with open_wire(talk) as wire:
        reply = await get(client, wire.url("/from"))

    assert isinstance(reply, Answer)
    assert wire.heads[1].startswith(f"GET {path} HTTP/1.1\r\n".encode())
    assert reply.url == wire.url(path)


@pytest.mark.parametrize("odd", ["/a?", "/a//b/./c/../d", "/%7e%7Eä?x=%zz&y=%", "/a;b=c,d?e|f"])
async def test_an_absolute_location_is_left_as_it_is(
    client: WebClient, origin: Origin, odd: str
) -> None:
    origin.redirect("/from", origin.url(odd))

    reply = await get(client, origin.url("/from"))

    assert isinstance(reply, Answer)
    assert reply.url == origin.url(odd).replace("ä", "%C3%A4")


async def test_every_request_of_a_chain_may_be_forbidden_before_it_is_admitted(
    client: WebClient, origin: Origin
) -> None:
    origin.redirect("/old", "/new")
    no = Refusal(reason=Reason.ROBOTS_DISALLOWED)
    asked: list[str] = []

    async def permit(url: str) -> Refusal | None:
        asked.append(url)
        return no if url.endswith("/new") else None

    @asynccontextmanager
    async def admit(url: str, *, patient: bool) -> AsyncIterator[None]:
        assert asked == [url]
        yield

    reply = await client.get(
        origin.url("/old"), purpose="page", accept="*/*", max_bytes=9, admit=admit, permit=permit
    )

    assert reply == no
    assert asked == [origin.url("/old"), origin.url("/new")]
    assert origin.paths == ["/old"]


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_of_a_body_that_need_not_be_whole_the_beginning_is_kept(
    client: WebClient, origin: Origin, encoding: str
) -> None:
    body = b"0123456789" * 100
    packed = gzip.compress(body) if encoding else body
    origin.serve("/a", packed, headers={"Content-Encoding": encoding} if encoding else {})

    reply = await client.get(
        origin.url("/a"), purpose="robots", accept="*/*", max_bytes=995, admit=always, whole=False
    )

    assert isinstance(reply, Answer)
    assert reply.body == body[:995]


@pytest.mark.parametrize("status", [204, 304, 401, 403, 404, 410, 429, 500, 503])
async def test_a_status_is_an_answer_and_its_page_is_not_read(
    client: WebClient, origin: Origin, status: int
) -> None:
    origin.fail("/a", status, retry_after="120")

    answer = await get(client, origin.url("/a"), max_bytes=3)

    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (status, b"")
    assert answer.retry_after == timedelta(seconds=120)


async def test_a_redirect_to_nowhere_is_an_answer(client: WebClient, origin: Origin) -> None:
    origin.fail("/a", 302)

    answer = await get(client, origin.url("/a"))

    assert isinstance(answer, Answer)
    assert answer.status == 302


async def test_bodies_end_somewhere(client: WebClient, origin: Origin) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    origin.serve("/promised", b"a" * 10_001)
    origin.serve("/fits", b"a" * 10_000)
    origin.serve("/bomb", bomb, headers={"Content-Encoding": "gzip"})
    origin.flood("/flood")
    origin.drip("/drip")
    origin.hang("/hang")
    origin.cut("/length", b"<rss>", promised_bytes=100)
    origin.cut("/chunks", b"<rss>", promised_bytes=None)

    assert isinstance(await get(client, origin.url("/fits")), Answer)
    assert reason(await get(client, origin.url("/promised"))) == Reason.TOO_LARGE
    assert reason(await get(client, origin.url("/flood"))) == Reason.TOO_LARGE
    assert reason(await get(client, origin.url("/bomb"), max_bytes=100_000)) == Reason.TOO_LARGE
    assert await get(client, origin.url("/drip")) == Refusal(
        reason=Reason.TIMED_OUT, detail="the answer drips"
    )
    assert reason(await get(client, origin.url("/hang"))) == Reason.TIMED_OUT
    assert reason(await get(client, origin.url("/length"))) == Reason.TRUNCATED
    assert reason(await get(client, origin.url("/chunks"))) == Reason.TRUNCATED


async def test_time_counts_over_the_whole_chain(client: WebClient, origin: Origin) -> None:
    async def slow(_: web.Request) -> web.StreamResponse:
        # Less than the longest silence; only the sum of several is too long.
        await asyncio.sleep(0.7)
        return web.Response(status=302, headers={"Location": f"/{len(origin.requests)}"})

    for hop in range(5):
        origin.script(f"/{hop}", slow)

    assert reason(await get(client, origin.url("/0"))) == Reason.TIMED_OUT


async def test_headers_may_be_long_but_not_endless(client: WebClient, origin: Origin) -> None:
    origin.serve("/long", headers={"Content-Security-Policy": "a" * 20_000})
    origin.serve("/longer", headers={"Content-Security-Policy": "a" * 60_000})

    assert isinstance(await get(client, origin.url("/long")), Answer)
    assert reason(await get(client, origin.url("/longer"))) == Reason.TOO_LARGE


async def test_what_is_no_web_server_is_a_refusal(client: WebClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unanswered:
        port = unanswered.getsockname()[1]
        silent = await get(client, f"http://127.0.0.1:{port}/")
    closed = await get(client, f"http://127.0.0.1:{port}/")
    unknown = await get(client, "http://no-such-host.invalid/")

    assert reason(silent) == Reason.TIMED_OUT
    assert reason(closed) == Reason.CONNECT_FAILED
    assert reason(unknown) == Reason.HOST_UNKNOWN


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.0.0.2", "[::ffff:127.0.0.1]", "0x7f.1"]
)
async def test_a_name_or_address_that_leads_inside_is_never_connected_to(
    origin: Origin, host: str
) -> None:
    port = origin.base.rpartition(":")[2]
    # Some network is allowed, so names pass the first look and only the guard is left.
    async with open_web(web_settings(allowed="10.0.0.0/8")) as guarded:
        reply = await get(guarded, f"http://{host}:{port}/")

    assert reason(reply) == Reason.ADDRESS_FORBIDDEN
    assert origin.requests == []


async def test_what_is_no_tls_is_refused(client: WebClient, origin: Origin) -> None:
    reply = await get(client, origin.url("/").replace("http://", "https://"))

    assert reason(reply) == Reason.TLS_FAILED


async def test_requests_are_measured_by_how_they_ended(client: WebClient, origin: Origin) -> None:
    origin.serve("/ok")
    origin.redirect("/loop", "/loop")

    def count(outcome: str) -> float:
        labels = {"purpose": "feed", "outcome": outcome}
        return REGISTRY.get_sample_value("feedmill_http_request_seconds_count", labels) or 0

    before = count("ok"), count("too_many_redirects")
    await get(client, origin.url("/ok"))
    await get(client, origin.url("/loop"))

    assert (count("ok"), count("too_many_redirects")) == (before[0] + 1, before[1] + 1)


async def test_connections_are_kept(client: WebClient, origin: Origin) -> None:
    peers: set[object] = set()

    async def remember(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="hello")

    origin.script("/a", remember)

    for _ in range(3):
        await get(client, origin.url("/a"))

    assert len(peers) == 1


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"Content-Type: text/ht\xe9ml", id="a type that is no text"),
        pytest.param(b"Content-Encoding: \xe9", id="an encoding that is no text"),
        pytest.param(b"Cache-Control: max-age=" + b"9" * 5_000, id="a number without end"),
        pytest.param(b"Age: " + b"9" * 5_000, id="an age without end"),
        pytest.param(b"Retry-After: " + b"9" * 5_000, id="a wait without end"),
    ],
)
async def test_no_header_breaks_the_client_or_what_is_stored(
    client: WebClient, header: bytes
) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + header
    async with open_wire(saying(head + b"\r\n\r\nhi")) as wire:
        reply = await get(client, wire.url("/"))

    assert isinstance(reply, Answer | Refusal)
    reply.model_dump_json()


async def test_a_redirect_to_a_port_that_does_not_exist_is_refused(
    client: WebClient, origin: Origin
) -> None:
    origin.redirect("/", "http://127.0.0.1:99999/")

    assert reason(await get(client, origin.url("/"))) is Reason.URL_INVALID


FORM = {"hub.mode": "subscribe", "hub.topic": "https://a.example/ä?b=c&d"}


@pytest.mark.parametrize(
    ("status", "asked"),
    [
        pytest.param(307, ["/hub", "/new"], id="sent on"),
        pytest.param(308, ["/hub", "/new"], id="sent on for good"),
        pytest.param(301, ["/hub"], id="moved, but not with what was posted"),
        pytest.param(303, ["/hub"], id="the answer is elsewhere"),
    ],
)
async def test_a_form_is_posted_again_only_where_a_redirect_says_so(
    client: WebClient, origin: Origin, status: int, asked: list[str]
) -> None:
    posted: list[dict[str, object]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        posted.append(dict(await request.post()))
        return web.Response(status=202)

    origin.redirect("/hub", "/new", status)
    origin.script("/new", answer)

    reply = await client.post_form(origin.url("/hub"), FORM, purpose="hub", admit=always)

    assert isinstance(reply, Answer)
    assert reply.status == (202 if len(asked) > 1 else status)
    assert [(seen.method, seen.path) for seen in origin.requests] == [
        ("POST", path) for path in asked
    ]
    assert posted == [FORM] * (len(asked) - 1)
