"""Where hubs call: what they get, and that nobody else gets anything."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession
from prometheus_client import REGISTRY
from temporalio.client import Client

from feedmill.contracts.callbacks import callback
from feedmill.models.hubs import HubState, HubSubscription
from feedmill.store import Store
from feedmill_gateway.postman import Postman
from feedmill_gateway.routes import websub
from feedmill_gateway.runs import Runs
from support.hub import Hub, open_hub
from support.hubs import FEED, add_announced, standing, stands
from support.live_gateway import RunningGateway

RSS = b"<rss/>"
UNGUESSED = "A" * 43


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    async with open_hub() as opened:
        yield opened


@pytest_asyncio.fixture
async def asked(store: Store, gateway: RunningGateway) -> HubSubscription:
    """A hub that was asked a moment ago, and has not confirmed yet."""
    return await ask(store)


async def ask(store: Store, url: str = FEED) -> HubSubscription:
    feed_id = await add_announced(store, url)
    async with store.transaction() as tx:
        now = await tx.now()
    later = now + timedelta(hours=1)
    await stands(store, [feed_id], asked_at=now, failures=1, renew_at=later)
    return await standing(store, feed_id)


async def promise(store: Store, url: str = FEED) -> HubSubscription:
    """Return how a feed stands with a hub that has promised to push."""
    known = await ask(store, url)
    until = known.renew_at + timedelta(days=5)
    await stands(store, [known.feed_id], state=HubState.ACTIVE, failures=0, promised_until=until)
    return await standing(store, known.feed_id)


def address(gateway: RunningGateway, known: HubSubscription) -> str:
    return callback(f"{gateway.url}/", known.token)


def signature(hub: Hub, known: HubSubscription, body: bytes = RSS) -> dict[str, str]:
    return {"Content-Type": "text/xml", "X-Hub-Signature": hub.signature(body, known.secret)}


async def waiting(store: Store) -> list[bytes]:
    async with store.transaction() as tx:
        ids = await tx.pushes.waiting(shard=0, shards=1, limit=100)
        found = [await tx.pushes.get(push_id) for push_id in ids]
    return [each.body for each in found if each]


def pushes(outcome: str) -> float:
    return REGISTRY.get_sample_value("feedmill_pushes_total", {"outcome": outcome}) or 0


async def test_a_hub_hears_its_challenge_and_nothing_else(
    store: Store, gateway: RunningGateway, asked: HubSubscription, web: ClientSession
) -> None:
    challenge = "<script>alert(1)</script> + ä\n"
    query = {
        "hub.mode": "subscribe",
        "hub.topic": FEED,
        "hub.challenge": challenge,
        "hub.lease_seconds": "864000",
    }

    answer = await web.get(f"/websub/{asked.token}", params=query)

    assert answer.status == 200
    assert (await answer.read()).decode() == challenge
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in answer.headers
    found = await standing(store, asked.feed_id)
    assert (found.state, found.failures) == (HubState.ACTIVE, 0)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "token", [UNGUESSED, "A", "a%00b", "%ff", "x" * 5_000, "é" * 43, "A" * 42 + "%0a"]
)
async def test_who_does_not_know_the_address_learns_nothing(
    idle_web: ClientSession, method: str, token: str
) -> None:
    query = {"hub.mode": "subscribe", "hub.topic": FEED, "hub.challenge": "c"}
    headers = {"X-Hub-Signature": "sha256=00"}

    answer = await idle_web.request(
        method, f"/websub/{token}", params=query, data=RSS, headers=headers
    )

    assert (answer.status, await answer.read()) in [(404, b""), (410, b"")]
    assert answer.status == (404 if method == "GET" else 410)


async def test_a_topic_nobody_asked_for_looks_like_no_address_at_all(
    gateway: RunningGateway, asked: HubSubscription, web: ClientSession
) -> None:
    query = {"hub.mode": "subscribe", "hub.topic": f"{FEED}/", "hub.challenge": "c"}

    wrong = await web.get(f"/websub/{asked.token}", params=query)
    nobodys = await web.get(f"/websub/{UNGUESSED}", params=query)

    assert wrong.status == nobodys.status == 404
    assert await wrong.read() == await nobodys.read() == b""
    assert _said(wrong) == _said(nobodys)


def _said(answer: ClientResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.lower() != "date"}


async def test_a_hub_that_denies_is_believed(
    store: Store, gateway: RunningGateway, asked: HubSubscription, hub: Hub
) -> None:
    answer = await hub.call(address(gateway, asked), mode="denied", topic=FEED, reason="full")

    found = await standing(store, asked.feed_id)
    assert answer == (200, "")
    assert (found.state, found.detail) == (HubState.REFUSED, "denied full")


async def test_what_a_hub_sends_is_taken_at_once_and_read_later(
    store: Store, gateway: RunningGateway, hub: Hub
) -> None:
    known, received = await promise(store), pushes("received")

    answer = await hub.deliver(address(gateway, known), RSS, signature(hub, known))

    assert answer == 202
    async with store.transaction() as tx:
        (push_id,) = await tx.pushes.waiting(shard=0, shards=1, limit=9)
        push = await tx.pushes.get(push_id)
    assert push is not None
    assert (push.feed_id, push.content_type, push.body) == (known.feed_id, "text/xml", RSS)
    assert pushes("received") == received + 1


@pytest.mark.parametrize(
    ("outcome", "sent"),
    [
        pytest.param("unsigned", {}, id="not signed"),
        pytest.param("forged", {"X-Hub-Signature": f"sha256={'0' * 64}"}, id="forged"),
        pytest.param("forged", {"X-Hub-Signature": "md5=0"}, id="with what can be broken"),
    ],
)
async def test_what_the_hub_did_not_sign_is_dropped_and_nobody_told(
    store: Store, gateway: RunningGateway, hub: Hub, outcome: str, sent: dict[str, str]
) -> None:
    known, before = await promise(store), pushes(outcome)

    answer = await hub.deliver(address(gateway, known), RSS, sent)

    assert answer == 202
    assert await waiting(store) == []
    assert pushes(outcome) == before + 1


async def test_a_signature_is_good_for_one_body_of_one_feed(
    store: Store, gateway: RunningGateway, hub: Hub
) -> None:
    known, other = await promise(store), await promise(store, f"{FEED}/2")

    await hub.deliver(address(gateway, known), b"<rss>?</rss>", signature(hub, known))
    await hub.deliver(address(gateway, other), RSS, signature(hub, known))

    assert await waiting(store) == []


@pytest.mark.parametrize("state", [HubState.ASKED, HubState.REFUSED, HubState.LEAVING])
async def test_who_has_not_promised_does_not_fill_the_store(
    store: Store, gateway: RunningGateway, hub: Hub, state: HubState
) -> None:
    known = await promise(store)
    await stands(store, [known.feed_id], state=state)

    answer = await hub.deliver(address(gateway, known), RSS, signature(hub, known))

    assert answer == 202
    assert await waiting(store) == []


async def test_a_push_may_be_large_but_not_endless(
    store: Store, gateway: RunningGateway, hub: Hub
) -> None:
    known = await promise(store)
    fits, too_large = b"x" * 5_000_000, b"x" * 5_000_001

    answers = [
        await hub.deliver(address(gateway, known), body, signature(hub, known, body))
        for body in (fits, too_large)
    ]

    assert answers == [202, 413]
    assert [len(body) for body in await waiting(store)] == [5_000_000]


async def test_what_comes_without_a_length_is_counted_too(
    store: Store, gateway: RunningGateway, hub: Hub, web: ClientSession
) -> None:
    known = await promise(store)

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100_000

    answer = await web.post(f"/websub/{known.token}", data=endless(), headers=signature(hub, known))

    assert answer.status == 413
    assert await waiting(store) == []


async def test_who_sends_much_before_it_is_read_has_the_newest_kept(
    store: Store, gateway: RunningGateway, hub: Hub
) -> None:
    known = await promise(store)

    for number in range(10):
        body = b"%d" % number
        await hub.deliver(address(gateway, known), body, signature(hub, known, body))

    assert await waiting(store) == [b"7", b"8", b"9"]


async def test_who_sends_too_slowly_is_cut_off(
    store: Store,
    gateway: RunningGateway,
    hub: Hub,
    web: ClientSession,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(websub, "_PUSH_SECONDS", 0.3)
    known = await promise(store)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.05)

    answer = await web.post(
        f"/websub/{known.token}", data=dripping(), headers=signature(hub, known)
    )

    assert answer.status == 408
    assert await waiting(store) == []


async def test_the_callbacks_are_no_part_of_the_reference(idle_web: ClientSession) -> None:
    document = await (await idle_web.get("/openapi.json")).json()

    assert not any("websub" in path for path in document["paths"])


class Shards(Runs):
    """Counts how often each shard is told."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, shards=3)
        self.told: list[int] = []

    async def tell_of_pushes(self, shard: int) -> None:
        self.told.append(shard)


async def test_a_shard_is_told_once_for_all_that_comes_at_once(temporal: Client) -> None:
    shards = Shards(temporal)
    postman = Postman(shards)

    for feed_id in range(1, 100):
        if feed_id % 3 != 2:
            postman.tell(feed_id)
    await asyncio.sleep(0.8)
    postman.tell(3)
    await asyncio.sleep(0.8)

    assert sorted(shards.told) == [0, 0, 1]
