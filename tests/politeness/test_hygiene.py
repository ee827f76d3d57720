"""C21 to C26 and C34: what a request looks like on the wire, and where patience with an answer ends."""

import gzip
import time
import zlib
from collections.abc import Callable

import brotli
import pytest
from backports import zstd
from sqlalchemy import update
from temporalio.testing import ActivityEnvironment

from feedmill import __version__
from feedmill.models.feeds import FeedFailed, FeedPolled, PollFeeds, PollOutcome, Validators
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.store.tables import feeds
from feedmill.web.answers import Answer, Refusal
from feedmill.web.client import WebClient, WebLimits, open_web
from feedmill_ingestion.polling import Poller
from support.origin import Origin, open_origin
from support.web import get, web_settings
from support.wire import Talk, deaf, open_wire, redirecting, saying, serving

RSS = "application/rss+xml; charset=utf-8"
BODY = (
    '<rss version="2.0"><channel><title>T</title>'
    + "".join(f"<item><guid>{n}</guid><title>Entry {n}</title></item>" for n in range(50))
    + "</channel></rss>"
).encode()

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


async def add(store: Store, url: str) -> int:
    async with store.transaction() as tx:
        return await tx.feeds.add(url)


async def poll(poller: Poller, store: Store, feed_id: int) -> PollOutcome:
    async with store.transaction() as tx:
        now = await tx.now()
    request = PollFeeds(feed_ids=(feed_id,), asked_at=now)
    polled = await ActivityEnvironment().run(poller.poll_feeds, request)
    outcome: PollOutcome = polled.outcomes[0]
    return outcome


async def test_c21_adding_a_feed_is_one_get_with_nothing_in_it_that_is_not_needed(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed.xml", BODY, content_type=RSS)
    feed_id = await add(store, origin.url("/feed.xml"))

    assert isinstance(await poll(poller, store, feed_id), FeedPolled)

    (request,) = origin.requests
    assert (request.method, request.path) == ("GET", "/feed.xml")
    assert set(request.headers) == {"Host", "Accept", "Accept-Encoding", "User-Agent"}


async def test_c21_no_cookie_ever_comes_back(
    poller: Poller, client: WebClient, store: Store, origin: Origin
) -> None:
    cookie = {"Set-Cookie": "id=1; Path=/; Max-Age=3600"}
    origin.serve("/feed.xml", BODY, content_type=RSS, etag='"1"', headers=cookie)
    origin.serve("/from", status=302, headers={**cookie, "Location": "/feed.xml"})
    feed_id = await add(store, origin.url("/feed.xml"))

    for _ in range(2):
        await poll(poller, store, feed_id)
    await get(client, origin.url("/from"))

    assert len(origin.requests) == 4
    assert not any("Cookie" in request.headers for request in origin.requests)


async def test_c21_nobody_is_told_where_we_come_from(client: WebClient, origin: Origin) -> None:
    async with open_origin() as other:
        other.redirect("/a", origin.url("/b"))
        await get(client, other.url("/a"))

    assert origin.paths == ["/b"]
    assert "Referer" not in origin.requests[0].headers


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feed",
        "/feed/",
        "/feed?format=rss",
        "/feed?b=2&a=1&a=",
        "/feed?q=a+b%20c&x=[1]&y={2}",
        "/a%20b%2Fc%2fd/%7Euser/~user",
        "/%E3%81%82/%e3%81%82",
        "/a//b/./c/../d",
        "/a;v=1,2/@b:c!$&'()*",
        "/?http://other.example/?x=%zz%",
        "/index.php?p=feed&amp;t=rss",
        '/"<>^`|',
    ],
)
async def test_c22_the_address_is_asked_for_as_it_was_subscribed_to(
    poller: Poller, store: Store, path: str
) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    async with open_wire(serving(answer + BODY)) as wire:
        feed_id = await add(store, wire.url(path))
        assert isinstance(await poll(poller, store, feed_id), FeedPolled)

    assert [head.split(b"\r\n")[0] for head in wire.heads] == [f"GET {path} HTTP/1.1".encode()]


async def test_c23_a_feed_learns_who_asks_and_for_how_many(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.serve("/feed.xml", BODY, content_type=RSS)
    feed_id = await add(store, origin.url("/feed.xml"))
    async with store.transaction() as tx:
        for name in ("ada", "grace"):
            user_id = await tx.users.let_in(name, f"the token of {name}")
            await tx.feeds.subscribe(user_id, feed_id)

    await poll(poller, store, feed_id)

    (request,) = origin.requests
    assert request.headers["User-Agent"] == (
        f"Feedmill/{__version__} (+https://github.com/feedmill/feedmill; 2 subscribers)"
    )


async def test_c24_feed_types_are_preferred(poller: Poller, store: Store, origin: Origin) -> None:
    feed_id = await add(store, origin.url("/feed.xml"))

    await poll(poller, store, feed_id)

    accepted = origin.requests[0].headers["Accept"].split(", ")
    assert set(accepted[:3]) == {
        "application/atom+xml",
        "application/rss+xml",
        "application/feed+json",
    }
    assert accepted[-1] == "*/*;q=0.1"


async def test_c24_every_encoding_that_is_named_is_understood(
    client: WebClient, origin: Origin
) -> None:
    origin.serve("/")
    await get(client, origin.url("/"))
    named = origin.requests[0].headers["Accept-Encoding"].split(", ")
    assert set(named) == set(PACKERS)

    for encoding in named:
        packed = PACKERS[encoding](BODY)
        assert packed != BODY
        origin.serve(f"/{encoding}", packed, headers={"Content-Encoding": encoding})
        reply = await get(client, origin.url(f"/{encoding}"))
        assert isinstance(reply, Answer)
        assert reply.body == BODY


HASTY = WebLimits(
    total_seconds=3,
    connect_seconds=0.5,
    silence_seconds=0.6,
    grace_seconds=0.3,
    least_bytes_per_second=1_000,
    redirects=5,
)
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("talk", "reason", "seconds"),
    [
        pytest.param(saying(), Reason.CONNECT_FAILED, 0, id="no answer"),
        pytest.param(saying(b"", pause_seconds=5), Reason.TIMED_OUT, 0.6, id="no first byte"),
        pytest.param(
            saying(HEAD, b"", pause_seconds=5), Reason.TIMED_OUT, 0.6, id="silence in the head"
        ),
        pytest.param(
            saying(HEAD, *[b"X-Y: z\r\n"] * 99, pause_seconds=0.1),
            Reason.TIMED_OUT,
            3,
            id="a head that drips",
        ),
        pytest.param(
            saying(HEAD + b"Content-Length: 9\r\n\r\n", b"a", b"", pause_seconds=5),
            Reason.TIMED_OUT,
            0.6,
            id="silence in the body",
        ),
        pytest.param(
            saying(HEAD + b"Content-Length: 999\r\n\r\n", *[b"a"] * 99, pause_seconds=0.1),
            Reason.TIMED_OUT,
            0.4,
            id="a body that drips",
        ),
        pytest.param(
            saying(HEAD + b"Content-Length: 10001\r\n\r\n"), Reason.TOO_LARGE, 0, id="a large body"
        ),
        pytest.param(
            saying(HEAD + b"\r\n", *[b"a" * 5_000] * 9), Reason.TOO_LARGE, 0, id="no length"
        ),
        pytest.param(
            saying(HEAD + b"A: " + b"a" * 33_000 + b"\r\n\r\n"),
            Reason.TOO_LARGE,
            0,
            id="a large header",
        ),
        pytest.param(
            saying(HEAD + b"A: a\r\n" * 129 + b"\r\n"), Reason.TOO_LARGE, 0, id="many headers"
        ),
        pytest.param(redirecting("/"), Reason.TOO_MANY_REDIRECTS, 0, id="a loop"),
    ],
)
async def test_c26_patience_ends(talk: Talk, reason: Reason, seconds: float) -> None:
    async with open_wire(talk) as wire, open_web(web_settings(), HASTY) as client:
        began = time.monotonic()
        reply = await get(client, wire.url("/"))
        took = time.monotonic() - began

    assert isinstance(reply, Refusal)
    assert reply.reason is reason
    assert seconds - 0.1 <= took <= seconds + 1.5


async def test_c26_a_host_that_takes_no_connection_is_not_waited_for() -> None:
    with deaf("127.0.0.1") as port:
        async with open_web(web_settings(), HASTY) as client:
            began = time.monotonic()
            reply = await get(client, f"http://127.0.0.1:{port}/")
            took = time.monotonic() - began

    assert isinstance(reply, Refusal)
    assert reply.reason is Reason.TIMED_OUT
    assert took < 2


async def test_c26_redirects_are_followed_five_times(client: WebClient, origin: Origin) -> None:
    for hop in range(7):
        origin.redirect(f"/{hop}", f"/{hop + 1}")
    origin.serve("/6")

    near, far = await get(client, origin.url("/1")), await get(client, origin.url("/0"))

    assert isinstance(near, Answer)
    assert isinstance(far, Refusal)
    assert far.reason is Reason.TOO_MANY_REDIRECTS


def chunked(*parts: bytes) -> bytes:
    return b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(part), part) for part in parts
    )


def packed(encoding: str, body: bytes) -> bytes:
    return f"Content-Encoding: {encoding}\r\n".encode() + (
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY[:-1], id="a byte is missing"),
        pytest.param(chunked(BODY), id="the last chunk is missing"),
        pytest.param(chunked(BODY)[:-40], id="half a chunk"),
        *(
            pytest.param(packed(name, packer(BODY)[:-4]), id=name)
            for name, packer in PACKERS.items()
        ),
    ],
)
async def test_c34_a_body_that_was_cut_short_is_no_success(
    poller: Poller, store: Store, answer: bytes
) -> None:
    told = HEAD + b'Content-Type: text/xml\r\nETag: "new"\r\n'
    async with open_wire(saying(told + answer)) as wire:
        feed_id = await add(store, wire.url("/feed"))
        before = Validators(etag='"old"', url=wire.url("/feed"))
        async with store.transaction() as tx:
            await tx.connection.execute(
                update(feeds).values(etag=before.etag, validators_url=before.url)
            )
        outcome = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedFailed)
    assert outcome.reason is Reason.TRUNCATED
    async with store.transaction() as tx:
        feed = (await tx.feeds.get([feed_id]))[feed_id]
    assert feed.validators == before
    assert feed.body_hash is None


@pytest.mark.parametrize("name", PACKERS)
async def test_c34_the_same_body_whole_is_one(poller: Poller, store: Store, name: str) -> None:
    answer = HEAD + b"Content-Type: text/xml\r\n" + packed(name, PACKERS[name](BODY))
    async with open_wire(saying(answer)) as wire:
        feed_id = await add(store, wire.url("/feed"))
        outcome = await poll(poller, store, feed_id)

    assert isinstance(outcome, FeedPolled)
    assert len(outcome.waiting_entry_ids) == 50
