"""C35: hubs are asked, believed and left as WebSub wants it, and never trusted alone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from xml.sax.saxutils import escape

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import PollShard, poll_shard_id
from feedmill.models.entries import EntryToFetch
from feedmill.models.feeds import DueFeedsPolled
from feedmill.models.hubs import HubState, HubSubscription, TakePushes, TendHubs
from feedmill.models.runs import TendShard
from feedmill.store import Store
from feedmill.worker.run import build_worker
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.hub_keeping import HubKeeper
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.tending import HubTender
from feedmill_orchestrator.registry import WORKFLOWS
from politeness.conftest import DAY, HOUR, MINUTE, PACE, RSS, SECOND, Fleet, rss
from support.clock import NOON
from support.fleet import ScriptedDistillation, ScriptedFetch
from support.hub import Behaviour, Hub, open_hub
from support.hubs import standing, subscription
from support.live_gateway import running_gateway


class Subscriber:
    """A fleet that a hub can reach, with one feed that names the hub.

    Every poller and every keeper of hubs lives for one round, so all they know is in the store.
    """

    def __init__(self, fleet: Fleet, hub: Hub, url: str) -> None:
        self.fleet = fleet
        self.hub = hub
        self.store = fleet.store
        self.url = url
        self.topic = fleet.origin.url("/feed")

    def keeper(self) -> HubKeeper:
        tender = HubTender(self.store, self.fleet._web, self.fleet.governor(), self.url)
        return HubKeeper(self.store, self.fleet._parsers, PACE, tender)

    def poller(self) -> Poller:
        governor = self.fleet.governor()
        asker = Asker(self.fleet._web, governor, self.fleet._parsers)
        return Poller(self.store, governor, asker, PACE, asks_hubs=True)

    def show(self, *guids: str, hub: bool = True, at: datetime | None = None) -> str:
        """Let the feed show entries, published at a moment; return its body."""
        date = format_datetime(at) if at else ""
        items = "".join(
            f"<item><guid>{guid}</guid><title>{guid}</title><pubDate>{date}</pubDate></item>"
            for guid in guids
        )
        body = f'<rss version="2.0"><channel><title>T</title>{items}</channel></rss>'
        link = f'<{self.hub.url}>; rel="hub", <{self.topic}>; rel="self"'
        headers = {"Link": link} if hub else {}
        self.fleet.origin.serve(
            "/feed", body, content_type=RSS, etag=f'"{len(guids)}{hub}"', headers=headers
        )
        return body

    async def add(self) -> int:
        return await self.fleet.add()

    async def round(self, *, attempt: int = 1) -> DueFeedsPolled:
        """Do what a shard does in a round, and let hubs call back."""
        polled = await self.fleet.round(self.poller(), attempt=attempt)
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        if polled.pushes_waiting:
            await environment.run(self.keeper().take_pushes, TakePushes())
        if polled.hubs_to_tend:
            await environment.run(self.keeper().tend_hubs, TendHubs())
        await self.hub.settled()
        return polled

    async def live(self, time: timedelta) -> None:
        """Let time pass, and begin a round whenever a feed or a hub is due."""
        until = await self.fleet.clock.now() + time
        while True:
            await self.round()
            now = await self.fleet.clock.now()
            async with self.store.transaction() as tx:
                feed = await tx.feeds.next_due_at(shard=0, shards=1)
                rows = await tx.connection.execute(text("select min(renew_at) from websub"))
            hub: datetime | None = rows.scalar_one()
            soonest = min((at for at in (feed, hub) if at), default=until)
            if soonest > until:
                await self.fleet.clock.advance(until - now)
                return
            await self.fleet.clock.advance(max(soonest - now, SECOND))

    async def entries(self, feed_id: int) -> list[str]:
        """Return what is known of a feed, by title."""
        async with self.store.transaction() as tx:
            ids = (await tx.entries.waiting([feed_id]))[feed_id]
            found: list[EntryToFetch] = await tx.entries.to_fetch(ids)
        return sorted(entry.title for entry in found)

    async def events(self) -> int:
        async with self.store.transaction() as tx:
            return await tx.events.last_number()

    async def standing(self, feed_id: int) -> HubSubscription:
        return await standing(self.store, feed_id)

    @property
    def asked(self) -> list[datetime]:
        """When the hub was asked to push, by the clock."""
        return [each.moment for each in self.hub.asked if each.moment and each.mode == "subscribe"]


@pytest_asyncio.fixture
async def hub() -> AsyncIterator[Hub]:
    async with open_hub() as opened:
        yield opened


@pytest_asyncio.fixture
async def us(
    fleet: Fleet, hub: Hub, temporal: Client, database_url: str
) -> AsyncIterator[Subscriber]:
    hub.clock = fleet.clock.now
    async with running_gateway(fleet.store, temporal, database_url) as gateway:
        yield Subscriber(fleet, hub, gateway.url)


async def test_c35_a_hub_that_links_name_is_asked_for_the_topic_they_name(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()

    await us.round()

    (asked,) = us.hub.asked
    found = await us.standing(feed_id)
    assert (asked.mode, asked.form["hub.topic"]) == ("subscribe", us.topic)
    assert (found.state, found.promised_until) == (HubState.ACTIVE, NOON + 10 * DAY)
    assert (await us.fleet.feed(feed_id)).pushed


ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title>
<link rel="hub" href="{hub}"/><link rel="self" href="{topic}"/>
<entry><id>a</id><title>a</title></entry></feed>"""
RSS_WITH_HUB = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>T</title>
<atom:link rel="hub" href="{hub}"/><atom:link rel="self" href="{topic}"/>
<item><guid>a</guid><title>a</title></item></channel></rss>"""
JSON_FEED = """{{"version": "https://jsonfeed.org/version/1.1", "title": "T", "feed_url": "{topic}",
"hubs": [{{"type": "WebSub", "url": "{hub}"}}], "items": [{{"id": "a", "title": "a"}}]}}"""


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(ATOM, id="Atom"),
        pytest.param(RSS_WITH_HUB, id="RSS"),
        pytest.param(JSON_FEED, id="JSON Feed"),
    ],
)
async def test_c35_a_hub_that_the_body_names_is_asked_too(us: Subscriber, body: str) -> None:
    topic = f"{us.topic}?the=one&only=%20"
    shown = body.format(hub=us.hub.url, topic=topic if body is JSON_FEED else escape(topic))
    us.fleet.origin.serve("/feed", shown, content_type="application/octet-stream", etag='"1"')
    feed_id = await us.add()

    await us.round()

    assert us.hub.asked[0].form["hub.topic"] == topic
    assert (await us.standing(feed_id)).state is HubState.ACTIVE


async def test_c35_links_outrank_the_body(us: Subscriber) -> None:
    body = ATOM.format(hub="https://other.example/hub", topic="https://other.example/feed")
    link = f'<{us.hub.url}>; rel="hub", <{us.topic}>; rel="self"'
    us.fleet.origin.serve("/feed", body, content_type=RSS, headers={"Link": link})
    await us.add()

    await us.round()

    assert [each.form["hub.topic"] for each in us.hub.asked] == [us.topic]


async def test_c35_what_is_pushed_is_there_without_a_poll(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.round()

    answers = await us.hub.push(us.topic, rss("b", "c"))
    await us.round()

    assert answers == [202]
    assert await us.entries(feed_id) == ["a", "b", "c"]
    assert len(us.fleet.origin.requests) == 1


async def test_c35_intent_is_verified_and_only_ours(us: Subscriber) -> None:
    us.hub.behaviour = Behaviour(topic="https://somebody.example/else")
    us.show("a")
    feed_id = await us.add()
    await us.round()
    callback = us.hub.asked[0].form["hub.callback"]

    unsubscribed, _ = await us.hub.call(callback, mode="unsubscribe", topic=us.topic, challenge="c")
    await us.fleet.clock.advance(2 * DAY)
    late, _ = await us.hub.call(callback, mode="subscribe", topic=us.topic, challenge="c")

    assert [each.confirmed for each in us.hub.verified] == [False]
    assert (unsubscribed, late) == (404, 404)
    assert (await us.standing(feed_id)).state is HubState.ASKED
    assert us.hub.subscribers == {}


async def test_c35_a_hub_may_verify_before_it_answers(us: Subscriber) -> None:
    us.hub.behaviour = Behaviour(verifies_first=True)
    us.show("a")
    feed_id = await us.add()

    await us.round()

    assert (await us.standing(feed_id)).state is HubState.ACTIVE


async def test_c35_a_retried_activity_and_a_second_worker_ask_no_hub_again(us: Subscriber) -> None:
    us.hub.behaviour = Behaviour(verifies=False)
    us.show("a")
    await us.add()
    await us.round()

    await us.round(attempt=2)
    environment = ActivityEnvironment()
    await asyncio.gather(*(environment.run(us.keeper().tend_hubs, TendHubs()) for _ in range(3)))

    assert len(us.hub.asked) == 1


async def test_c35_the_callback_is_unguessable_and_each_feeds_own(us: Subscriber) -> None:
    us.show("a")
    link = f'<{us.hub.url}>; rel="hub", <{us.topic}/2>; rel="self"'
    us.fleet.origin.serve("/2", rss("a"), content_type=RSS, headers={"Link": link})
    await us.fleet.add()
    await us.fleet.add("/2")
    await us.round()

    first, second = (each.form["hub.callback"] for each in us.hub.asked)
    guess = first[:-1] + ("A" if first[-1] != "A" else "B")
    question = {"mode": "subscribe", "topic": us.topic, "challenge": "c"}

    assert first.startswith(f"{us.url}/websub/")
    # 32 bytes of chance, as letters.
    assert len(first.rpartition("/")[2]) == len(second.rpartition("/")[2]) == 43
    assert first != second
    assert us.hub.asked[0].form["hub.secret"] not in first
    assert await us.hub.call(guess, **question) == (404, "")
    assert await us.hub.deliver(guess, b"<rss/>", {}) == 410


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param({"sign": None}, id="unsigned"),
        pytest.param({"secret": "not the one"}, id="signed by somebody else"),
        pytest.param({"sign": "md5"}, id="signed with what can be broken"),
    ],
)
async def test_c35_forged_pushes_are_ignored(us: Subscriber, forged: Mapping[str, str]) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.round()

    answers = await us.hub.push(us.topic, rss("forged"), **forged)
    polled = await us.round()

    # Whoever forges learns nothing, and is not asked to try again.
    assert answers == [202]
    assert polled.pushes_waiting == 0
    assert await us.entries(feed_id) == ["a"]


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha384", "sha512"])
async def test_c35_signatures_of_every_kind_are_checked(us: Subscriber, method: str) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.round()

    await us.hub.push(us.topic, rss("b"), sign=method)
    await us.round()

    assert await us.entries(feed_id) == ["a", "b"]


async def test_c35_a_replayed_push_changes_nothing(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.round()
    await us.hub.push(us.topic, rss("b"))
    await us.round()
    before = await us.fleet.feed(feed_id), await us.events()

    for _ in range(3):
        await us.hub.push(us.topic, rss("b"))
        await us.round()

    assert (await us.fleet.feed(feed_id), await us.events()) == before
    assert await us.entries(feed_id) == ["a", "b"]


async def test_c35_what_was_pushed_is_not_told_again_by_the_next_poll(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.round()
    await us.hub.push(us.topic, us.show("a", "b", at=NOON))
    await us.round()
    before = await us.events()

    await us.live(2 * DAY)

    assert await us.entries(feed_id) == ["a", "b"]
    assert await us.events() == before
    found = await us.standing(feed_id)
    assert (found.state, found.missed) == (HubState.ACTIVE, 0)


async def test_c35_the_lease_is_renewed_before_it_ends_across_restarts(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()

    await us.live(39 * DAY)

    assert [later - earlier for earlier, later in pairwise(us.asked)] == [10 * DAY * 2 / 3] * 5
    assert all(each.confirmed for each in us.hub.verified)
    # The same callback and key, so that nothing is pushed twice meanwhile.
    assert len({each.form["hub.callback"] for each in us.hub.asked}) == 1
    assert len({each.form["hub.secret"] for each in us.hub.asked}) == 1
    assert (await us.fleet.feed(feed_id)).pushed


async def test_c35_a_hub_that_is_away_when_its_lease_is_renewed_is_asked_until_it_is_back(
    us: Subscriber,
) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(6 * DAY)
    us.hub.behaviour = Behaviour(status=500)
    await us.live(2 * DAY)
    meanwhile = await us.standing(feed_id)
    tries = len(us.asked) - 1
    us.hub.behaviour = Behaviour()
    await us.live(2 * DAY)

    assert (meanwhile.state, meanwhile.detail) == (HubState.ACTIVE, "http_status 500")
    # After 1, 2, 4, 8 and 16 hours.
    assert tries == 6
    found = await us.standing(feed_id)
    assert found.promised_until is not None
    assert found.promised_until > NOON + 17 * DAY


async def test_c35_a_hub_that_stays_away_is_not_waited_for(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(DAY)
    us.hub.behaviour = Behaviour(status=500)

    await us.live(12 * DAY)

    found = await us.standing(feed_id)
    assert (found.state, found.detail) == (HubState.REFUSED, "http_status 500")
    # It is polled again as if it had no hub.
    assert us.fleet.gaps()[-1] < 2 * HOUR + 10 * MINUTE
    assert len(us.asked) < 10


@pytest.mark.parametrize(
    ("lease", "gap"),
    [
        pytest.param("31536000", 14 * DAY * 2 / 3, id="a year"),
        pytest.param("9" * 400, 14 * DAY * 2 / 3, id="for ever"),
        pytest.param("86400", 12 * HOUR, id="a day"),
        pytest.param("60", HOUR, id="a minute"),
        pytest.param("-1", 12 * HOUR, id="nonsense"),
        pytest.param(None, 12 * HOUR, id="not said"),
    ],
)
async def test_c35_leases_are_clamped_to_14_days_and_to_what_is_polite(
    us: Subscriber, lease: str | None, gap: timedelta
) -> None:
    us.hub.behaviour = Behaviour(lease_seconds=lease)
    us.show("a")
    feed_id = await us.add()

    await us.live(gap + MINUTE)

    found = await us.standing(feed_id)
    assert us.asked == [NOON, NOON + gap]
    assert found.promised_until is not None
    assert found.promised_until <= NOON + gap + 14 * DAY


async def test_c35_a_pushed_feed_is_polled_every_24_hours_as_a_back_up(us: Subscriber) -> None:
    feed_id = await us.add()
    us.show("0", at=NOON)
    for number in range(1, 8):
        await us.live(8 * HOUR)
        now = await us.fleet.clock.now()
        body = us.show(*map(str, range(number + 1)), at=now)
        await us.hub.push(us.topic, body)
        await us.round()

    # The first poll after the hub was asked had its turn before.
    assert len(us.fleet.gaps()) >= 2
    assert all(DAY <= gap <= DAY + 70 * MINUTE for gap in us.fleet.gaps()[1:])
    assert await us.entries(feed_id) == [str(number) for number in range(8)]


async def publish_without_a_push(us: Subscriber, days: int, *, first: int) -> None:
    """Let the feed show something new every 8 hours, of which its hub says nothing."""
    for number in range(first, first + 3 * days):
        now = await us.fleet.clock.now()
        us.show(*map(str, range(number + 1)), at=now)
        await us.live(8 * HOUR)


async def test_c35_a_silent_hub_is_noticed_and_tried_again(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(DAY)
    states = []
    for day in range(4):
        await publish_without_a_push(us, 1, first=3 * day + 1)
        states.append((await us.standing(feed_id)).state)
    gaps = us.fleet.gaps()[-5:]
    await us.live(4 * DAY)
    tried = await us.standing(feed_id)

    assert states[0] is HubState.ACTIVE
    assert states[-1] is HubState.SILENT
    assert all(gap < 5 * HOUR for gap in gaps)
    assert len(us.asked) == 2
    assert (tried.state, tried.missed) == (HubState.ACTIVE, 0)


async def test_c35_a_silent_hub_that_pushes_is_trusted_at_once(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(DAY)
    await publish_without_a_push(us, 4, first=1)
    before = await us.standing(feed_id)

    await us.hub.push(us.topic, rss("news"))
    await us.round()

    after = await us.standing(feed_id)
    assert (before.state, after.state) == (HubState.SILENT, HubState.ACTIVE)
    assert (await us.fleet.feed(feed_id)).pushed


async def test_c35_a_hub_that_never_verifies_costs_it_little_and_us_nothing(
    us: Subscriber,
) -> None:
    us.hub.behaviour = Behaviour(verifies=False)
    us.show("a")
    feed_id = await us.add()

    await us.live(3 * DAY)

    assert [later - earlier for earlier, later in pairwise(us.asked)] == [
        HOUR * 2**doubled for doubled in range(6)
    ]
    assert all(gap <= 2 * HOUR + 10 * MINUTE for gap in us.fleet.gaps())
    assert not (await us.fleet.feed(feed_id)).pushed
    assert (await us.standing(feed_id)).detail == "not confirmed"


async def test_c35_a_hub_that_denies_is_believed(us: Subscriber) -> None:
    us.hub.behaviour = Behaviour(denies="not on the list")
    us.show("a")
    feed_id = await us.add()

    await us.live(3 * DAY)

    found = await us.standing(feed_id)
    assert (found.state, found.detail) == (HubState.REFUSED, "denied not on the list")
    assert len(us.asked) == 1
    assert us.fleet.gaps()[-1] < DAY


async def test_c35_a_hub_that_the_feed_names_no_more_is_left(us: Subscriber) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(2 * DAY)
    us.show("a", "b", hub=False)
    await us.live(2 * DAY)

    assert [each.mode for each in us.hub.asked] == ["subscribe", "unsubscribe"]
    assert [each.confirmed for each in us.hub.verified] == [True, True]
    assert us.hub.subscribers == {}
    assert await subscription(us.store, feed_id) is None
    callback = us.hub.asked[0].form["hub.callback"]
    assert await us.hub.deliver(callback, b"<rss/>", {}) == 410


async def test_c35_a_feed_that_names_another_hub_goes_there(us: Subscriber) -> None:
    async with open_hub() as other:
        us.show("a")
        feed_id = await us.add()
        await us.live(2 * DAY)
        old = us.hub
        us.hub = other
        us.show("a", "b")
        await us.live(2 * DAY)
        await other.settled()

        found = await us.standing(feed_id)
        assert (found.hub_url, found.state) == (other.url, HubState.ACTIVE)
        assert [each.mode for each in old.asked] == ["subscribe", "unsubscribe"]
        assert (old.subscribers, len(other.subscribers)) == ({}, 1)
        assert old.asked[0].form["hub.callback"] != other.asked[0].form["hub.callback"]


async def test_c35_a_push_that_cannot_be_read_is_a_conditional_poll_and_no_sooner_than_may_be(
    us: Subscriber,
) -> None:
    us.show("a")
    feed_id = await us.add()
    await us.live(2 * DAY)
    polled = len(us.fleet.moments())

    us.show("a", "b")
    for _ in range(20):
        await us.hub.push(us.topic, "something is new")
        await us.live(MINUTE)
    await us.live(HOUR)

    assert len(us.fleet.moments()) <= polled + 2
    assert us.fleet.gaps()[-1] >= HOUR
    assert "If-None-Match" in us.fleet.origin.requests[-1].headers
    assert await us.entries(feed_id) == ["a", "b"]


async def test_c35_a_removed_feed_is_pushed_no_more(us: Subscriber) -> None:
    us.show("a")
    await us.add()
    await us.round()
    async with us.store.transaction() as tx:
        await tx.connection.execute(text("delete from feeds"))

    assert await us.hub.push(us.topic, rss("b")) == [410]
    assert await us.hub.push(us.topic, rss("b")) == []


@asynccontextmanager
async def working(us: Subscriber, temporal: Client, fetch: ScriptedFetch) -> AsyncIterator[None]:
    """Run a shard with real hubs, feeds and pushes; what is new is only noted."""
    poller, keeper, distillation = us.poller(), us.keeper(), ScriptedDistillation()
    activities = [poller.poll_due_feeds, keeper.tend_hubs, keeper.take_pushes]
    async with (
        build_worker(temporal, TaskQueue.ORCHESTRATION, workflows=WORKFLOWS),
        build_worker(temporal, TaskQueue.INGESTION, activities=activities),
        build_worker(temporal, TaskQueue.FETCH, activities=[fetch.fetch_entries]),
        build_worker(temporal, TaskQueue.DISTILLATION, activities=[distillation.distill_entries]),
    ):
        handle = await temporal.start_workflow(
            PollShard.run, TendShard(), id=poll_shard_id(0), task_queue=TaskQueue.ORCHESTRATION
        )
        try:
            yield
        finally:
            await handle.terminate()


async def test_c35_a_push_is_on_its_way_to_readers_within_seconds(
    store: Store,
    fleet: Fleet,
    us: Subscriber,
    temporal: Client,
) -> None:
    fetch = ScriptedFetch()
    async with store.transaction() as tx:
        # Temporal's clock is the real one, so here everybody's is.
        await tx.connection.exec_driver_sql(
            "create or replace function feedmill_now() returns timestamptz "
            "language sql volatile parallel safe as 'select clock_timestamp()'"
        )
    us.show("a")
    await us.add()
    async with working(us, temporal, fetch):
        async with asyncio.timeout(20):
            while not us.hub.subscribers or not fetch.slices:
                await asyncio.sleep(0.05)
        started = asyncio.get_running_loop().time()
        await us.hub.push(us.topic, rss("b", "c"))
        async with asyncio.timeout(20):
            while sum(map(len, fetch.slices)) < 3:
                await asyncio.sleep(0.02)
        seconds = asyncio.get_running_loop().time() - started

    assert seconds < 10
    assert len(fleet.origin.requests) == 1
