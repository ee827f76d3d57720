"""What happens between us and a site before there is an answer, and when there never is one."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import web

from feedmill.models.outcomes import Reason
from feedmill.web.answers import Answer, Refusal
from feedmill.web.client import WebClient, WebLimits, open_web
from feedmill.web.names import AddressInfo
from support.names import Names, v4, v6
from support.origin import Origin
from support.tls import Authority, server_side
from support.web import always, get, web_settings
from support.wire import OK, Talk, Wire, deaf, deserting, open_wire, saying, serving

LOOPBACK = "127.0.0.0/8,::1/128"


async def silence(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await wire.hear(reader)


@asynccontextmanager
async def knowing(names: Names) -> AsyncIterator[WebClient]:
    async with open_web(web_settings(LOOPBACK), look_up=names) as client:
        yield client


async def test_a_connection_that_went_stale_costs_no_outcome(client: WebClient) -> None:
    async with open_wire(deserting()) as wire:
        replies = [await get(client, wire.url(f"/{number}")) for number in range(3)]

    assert [reply.status for reply in replies if isinstance(reply, Answer)] == [200] * 3
    # The second was lost on the first connection, the third on the second.
    assert wire.connections == 3
    assert len(wire.heads) == 5


async def test_a_new_connection_is_no_reason_to_ask_twice(client: WebClient) -> None:
    async with open_wire(silence) as wire:
        reply = await get(client, wire.url("/"))

    assert reply == Refusal(reason=Reason.CONNECT_FAILED, detail="hung up without an answer")
    assert len(wire.heads) == 1


async def test_a_site_that_hangs_up_late_has_heard_the_question() -> None:
    limits = WebLimits(stale_seconds=0.1)
    async with open_wire(deserting(after=0.3)) as wire, open_web(web_settings(), limits) as client:
        await get(client, wire.url("/"))
        reply = await get(client, wire.url("/"))

    assert reply == Refusal(reason=Reason.CONNECT_FAILED, detail="hung up without an answer")
    assert len(wire.heads) == 2


async def test_an_answer_that_began_is_not_asked_for_again(client: WebClient) -> None:
    async with open_wire(deserting(b"HTTP/1.1 200 OK\r\nContent-Le")) as wire:
        await get(client, wire.url("/"))
        reply = await get(client, wire.url("/"))

    assert reply == Refusal(reason=Reason.TRUNCATED, detail="hung up in mid-answer")
    assert len(wire.heads) == 2


async def test_a_form_is_never_posted_twice(client: WebClient) -> None:
    async with open_wire(deserting()) as wire:
        await get(client, wire.url("/"))
        reply = await client.post_form(wire.url("/"), {"a": "b"}, purpose="hub", admit=always)

    assert reply == Refusal(reason=Reason.CONNECT_FAILED, detail="hung up without an answer")
    assert len(wire.heads) == 2


async def test_a_form_is_posted_as_one(client: WebClient, origin: Origin) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        return web.json_response({"type": request.content_type, "form": form})

    origin.script("/hub", answer)

    reply = await client.post_form(
        origin.url("/hub"), {"hub.mode": "subscribe", "x": "ü &="}, purpose="hub", admit=always
    )

    assert isinstance(reply, Answer)
    assert origin.requests[0].method == "POST"
    assert reply.body.decode() == (
        '{"type": "application/x-www-form-urlencoded", '
        '"form": {"hub.mode": "subscribe", "x": "\\u00fc &="}}'
    )


async def test_a_form_goes_to_no_private_address(client: WebClient) -> None:
    reply = await client.post_form("http://10.0.0.1/", {}, purpose="hub", admit=always)

    assert isinstance(reply, Refusal)
    assert reply.reason is Reason.ADDRESS_FORBIDDEN


@pytest.mark.parametrize(
    ("talk", "reason", "detail"),
    [
        pytest.param(
            saying(b"SSH-2.0-OpenSSH_9.9\r\n"), Reason.NOT_HTTP, "Bad status line", id="another"
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhi"),
            Reason.NOT_HTTP,
            "Content-Length overflow",
            id="a length beyond 64 bits",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhi"),
            Reason.NOT_HTTP,
            "Invalid character in Content-Length",
            id="a length below nothing",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nhi"),
            Reason.TOO_LARGE,
            "more than 10000 bytes",
            id="a length that nobody reads",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"),
            Reason.TOO_LARGE,
            "too many headers",
            id="headers without end",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 " + b"O" * 40_000 + b"\r\n\r\n"),
            Reason.TOO_LARGE,
            "a header is too long",
            id="a status line without end",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi\r\n"),
            Reason.NOT_HTTP,
            "Invalid character in chunk size",
            id="a chunk without size",
        ),
        pytest.param(
            saying(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
                b"zz\r\nhi\r\n",
                pause_seconds=0.1,
            ),
            # The library does not tell its reader; patience has to end it.
            Reason.TIMED_OUT,
            "",
            id="a later chunk without size",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n"),
            Reason.TRUNCATED,
            "cut short after 2 bytes",
            id="no last chunk",
        ),
        pytest.param(
            saying(b"HTTP/1.1 200 OK\r\n", *[b"X: y\r\n"] * 20, pause_seconds=0.4),
            Reason.TIMED_OUT,
            "",
            id="a head that drips",
        ),
        pytest.param(
            saying(*[b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 20, pause_seconds=0.4),
            Reason.TIMED_OUT,
            "",
            id="hints and no answer",
        ),
        pytest.param(
            saying(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 5_000),
            Reason.NOT_HTTP,
            "hints instead of an answer",
            id="nothing but hints",
        ),
    ],
)
async def test_a_server_that_does_not_keep_to_the_protocol_is_refused_by_name(
    talk: Talk, reason: Reason, detail: str
) -> None:
    async with (
        open_web(web_settings(), WebLimits(total_seconds=1)) as hasty,
        open_wire(talk) as wire,
    ):
        reply = await get(hasty, wire.url("/"))

    assert isinstance(reply, Refusal)
    assert reply.reason is reason
    assert reply.detail.startswith(detail)


async def test_an_answer_may_be_hinted_at(client: WebClient) -> None:
    async with open_wire(
        saying(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + OK)
    ) as wire:
        reply = await get(client, wire.url("/"))

    assert isinstance(reply, Answer)
    assert (reply.status, reply.body) == (200, b"hi")


@pytest.mark.parametrize("flaw", ["none", "expired", "wrong host", "unknown authority"])
async def test_what_is_wrong_with_a_certificate_is_told(
    flaw: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trusted = Authority(tmp_path, monkeypatch)
    issuer = trustme.CA() if flaw == "unknown authority" else trusted.ca
    certificate = issuer.issue_cert(
        "other.example" if flaw == "wrong host" else "feed.example",
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_after=datetime.now(UTC) + timedelta(days=-1 if flaw == "expired" else 1),
    )
    tls = server_side(certificate)

    async with open_wire(serving(), tls) as wire, knowing(Names(v4("127.0.0.1"))) as client:
        reply = await get(client, wire.url("/", host="feed.example"))

    if flaw == "none":
        assert isinstance(reply, Answer)
        return
    assert isinstance(reply, Refusal)
    assert reply.reason is Reason.TLS_FAILED
    assert {
        "expired": "certificate has expired",
        "wrong host": "certificate is not valid for 'feed.example'",
        "unknown authority": "unable to get local issuer certificate",
    }[flaw] in reply.detail
    assert wire.heads == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Reason.HOST_UNKNOWN),
        (socket.gaierror(socket.EAI_NODATA, "No address"), Reason.HOST_UNKNOWN),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Reason.LOOK_UP_FAILED),
        (socket.gaierror(socket.EAI_FAIL, "Non-recoverable failure"), Reason.LOOK_UP_FAILED),
        (UnicodeError("label too long"), Reason.HOST_UNKNOWN),
    ],
)
async def test_a_name_that_does_not_exist_is_told_from_a_name_server_in_trouble(
    error: Exception, reason: Reason
) -> None:
    async with knowing(Names(error)) as client:
        reply = await get(client, "http://feed.example:8080/")

    assert isinstance(reply, Refusal)
    assert reply.reason is reason


async def test_a_name_is_looked_up_once_for_a_while_whether_found_or_not() -> None:
    found, missing = Names(v4("127.0.0.1")), Names(socket.gaierror(socket.EAI_NONAME, "none"))
    async with open_wire(saying(OK)) as wire:
        for names in (found, missing):
            async with knowing(names) as client:
                for _ in range(3):
                    await get(client, wire.url("/", host="feed.example"))

    assert (found.asked, missing.asked) == (["feed.example"], ["feed.example"])
    assert wire.connections == 3


async def test_a_name_that_is_slow_to_find_holds_up_no_other() -> None:
    first = asyncio.Event()
    loop = asyncio.get_running_loop()

    def look_up(host: str, port: int) -> Sequence[AddressInfo]:
        if host == "slow.example":
            asyncio.run_coroutine_threadsafe(first.wait(), loop).result(5)
        return v4("127.0.0.1")(host, port)

    async with open_wire(serving()) as wire, open_web(web_settings(), look_up=look_up) as client:
        slow = asyncio.create_task(get(client, wire.url("/", host="slow.example")))
        quick = await get(client, wire.url("/", host="quick.example"))
        assert not slow.done()
        first.set()
        assert isinstance(await slow, Answer)

    assert isinstance(quick, Answer)


async def test_an_address_that_does_not_answer_is_not_waited_for_when_there_is_another() -> None:
    # Nobody listens on the first; IPv6 comes first where there is any.
    names = Names(v6("::1"), v4("127.0.0.2"), v4("127.0.0.1"))
    async with open_wire(serving()) as wire, knowing(names) as client:
        reply = await get(client, wire.url("/", host="feed.example"))

    assert isinstance(reply, Answer)


async def test_an_address_that_hangs_is_tried_beside_the_next() -> None:
    names = Names(v4("127.0.0.2"), v4("127.0.0.1"))
    async with open_wire(serving()) as wire, knowing(names) as client:
        with deaf("127.0.0.2", wire.port):
            began = time.monotonic()
            reply = await get(client, wire.url("/", host="feed.example"))

    assert isinstance(reply, Answer)
    # The other one would be waited for ten seconds.
    assert time.monotonic() - began < 5


async def test_there_is_room_for_many_connections() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, before[1]))
    try:
        async with open_web(web_settings()):
            assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= min(4_096, before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_a_client_that_was_closed_is_our_own_fault(origin: Origin) -> None:
    async with open_web(web_settings()) as closed:
        pass

    with pytest.raises(RuntimeError):
        await get(closed, origin.url("/"))


async def test_no_proxy_comes_between(
    client: WebClient, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_wire(serving()) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))
        origin.serve("/a", "here")
        reply = await get(client, origin.url("/a"))

    assert isinstance(reply, Answer)
    assert reply.body == b"here"
    assert proxy.connections == 0
