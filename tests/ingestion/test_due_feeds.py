import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from aiohttp import web
from temporalio import activity
from temporalio.testing import ActivityEnvironment

from feedmill.errors import StoreUnavailableError
from feedmill.isolation import IsolatedPool
from feedmill.models.feeds import DueFeedsPolled, FeedDeferred, FeedPolled, PollDueFeeds, PollFeeds
from feedmill.store import Store
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.manners import host_of
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.polling import Poller
from ingestion.conftest import PACE
from support.clock import NOON, Clock
from support.manners import governor_of
from support.origin import Origin

HOUR = timedelta(hours=1)
RSS = '<rss version="2.0"><channel><item><guid>{}</guid></item></channel></rss>'
ROUND = PollDueFeeds(seconds=30)


async def add(store: Store, origin: Origin, *paths: str) -> list[int]:
    async with store.transaction() as tx:
        return [await tx.feeds.add(origin.url(path)) for path in paths]


async def poll_due(
    poller: Poller, request: PollDueFeeds = ROUND, *, attempt: int = 1
) -> DueFeedsPolled:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    return await environment.run(poller.poll_due_feeds, request)


def serve(origin: Origin, count: int) -> list[str]:
    paths = [f"/{number}" for number in range(count)]
    for path in paths:
        origin.serve(path, RSS.format(path), content_type="application/rss+xml", etag=f'"{path}"')
    return paths


async def test_what_is_due_is_polled_and_what_is_new_is_named(
    poller: Poller, store: Store, origin: Origin
) -> None:
    clock = await Clock(store).start()
    ids = await add(store, origin, *serve(origin, 40), "/404")
    async with store.transaction() as tx:
        await tx.feeds.postpone({ids[0]: NOON + HOUR})

    polled = await poll_due(poller)
    again = await poll_due(poller)
    await clock.advance(HOUR)
    later = await poll_due(poller)

    assert (polled.polled, polled.failed, len(polled.new_entry_ids)) == (40, 1, 39)
    assert polled.next_due_at == NOON + HOUR
    assert again == DueFeedsPolled(next_due_at=NOON + HOUR)
    assert (later.polled, len(later.new_entry_ids)) == (1, 1)
    assert len(origin.paths) == len(set(origin.paths)) == 41


async def test_unchanged_feeds_are_asked_whether_they_have_changed(
    poller: Poller, store: Store, origin: Origin
) -> None:
    clock = await Clock(store).start()
    await add(store, origin, *serve(origin, 5))
    await poll_due(poller)
    await clock.advance(3 * HOUR)

    polled = await poll_due(poller)

    assert (polled.polled, polled.failed, polled.new_entry_ids) == (5, 0, ())
    assert ["If-None-Match" in seen.headers for seen in origin.requests] == [False] * 5 + [True] * 5


@pytest.mark.parametrize("asks_hubs", [True, False])
async def test_a_round_says_what_there_is_to_do_about_hubs(
    store: Store,
    governor: Governor,
    web_client: WebClient,
    parsers: IsolatedPool,
    origin: Origin,
    asks_hubs: bool,
) -> None:
    asker = Asker(web_client, governor, parsers)
    poller = Poller(store, governor, asker, PACE, asks_hubs=asks_hubs)
    link = '<https://hub.example/>; rel="hub", <https://a.example/feed>; rel="self"'
    origin.serve("/feed", RSS.format("a"), headers={"Link": link})
    (feed_id,) = await add(store, origin, "/feed")

    found = await poll_due(poller)
    async with store.transaction() as tx:
        await tx.pushes.add(feed_id, "", RSS.format("b").encode())
    pushed = await poll_due(poller)

    assert (found.hubs_to_tend, found.pushes_waiting) == (int(asks_hubs), 0)
    assert (pushed.hubs_to_tend, pushed.pushes_waiting) == (int(asks_hubs), 1)


async def test_nothing_due_is_answered_at_once(poller: Poller, store: Store) -> None:
    async with asyncio.timeout(2):
        assert await poll_due(poller) == DueFeedsPolled()


async def test_a_shard_leaves_the_others_feeds_alone(
    poller: Poller, store: Store, origin: Origin
) -> None:
    await add(store, origin, *serve(origin, 9))

    polled = [
        (await poll_due(poller, PollDueFeeds(shard=shard, shards=2, seconds=30))).polled
        for shard in range(2)
    ]

    assert sorted(polled) == [4, 5]


async def test_once_enough_is_new_the_answer_is_given(
    poller: Poller, store: Store, origin: Origin
) -> None:
    await add(store, origin, *serve(origin, 250))

    first = await poll_due(poller, PollDueFeeds(seconds=30, most_new_entries=60))
    second = await poll_due(poller, PollDueFeeds(seconds=30))

    # What is under way then is ended.
    assert 60 <= len(first.new_entry_ids) < 250
    assert len(first.new_entry_ids) + len(second.new_entry_ids) == 250


async def test_feeds_of_one_host_take_turns_within_a_round(
    store: Store, web_client: WebClient, parsers: IsolatedPool, origin: Origin
) -> None:
    governor = governor_of(store, timedelta(seconds=0.3), in_flight=1)
    poller = Poller(store, governor, Asker(web_client, governor, parsers), PACE)
    await add(store, origin, *serve(origin, 4))

    polled = await poll_due(poller)

    assert polled.polled == 4
    starts = [seen.at for seen in origin.requests]
    assert all(later - earlier > 0.29 for earlier, later in pairwise(starts))


async def test_a_redirect_within_a_host_gets_the_one_place_that_there_is(
    store: Store, web_client: WebClient, parsers: IsolatedPool, origin: Origin
) -> None:
    governor = governor_of(store, timedelta(seconds=0.3), in_flight=1)
    poller = Poller(store, governor, Asker(web_client, governor, parsers), PACE)
    origin.redirect("/old", "/0", 301)
    serve(origin, 1)
    await add(store, origin, "/old")

    async with asyncio.timeout(20):
        polled = await poll_due(poller, PollDueFeeds(seconds=1))

    assert (polled.failed, len(polled.new_entry_ids)) == (0, 1)
    assert origin.paths == ["/old", "/0"]
    assert origin.requests[1].at - origin.requests[0].at > 0.29
    async with store.transaction() as tx:
        assert (await tx.hosts.lock(host_of(origin.base))).busy == 0


async def test_a_worker_that_is_to_leave_ends_what_it_began_and_begins_no_more(
    poller: Poller, store: Store, origin: Origin
) -> None:
    environment = ActivityEnvironment()

    async def answer(_: web.Request) -> web.StreamResponse:
        environment.worker_shutdown()
        await asyncio.sleep(0.2)
        return web.Response(text=RSS.format("a"))

    origin.script("/slow", answer)
    await add(store, origin, "/slow")
    running = asyncio.ensure_future(environment.run(poller.poll_due_feeds, ROUND))
    while not origin.requests:
        await asyncio.sleep(0.01)
    await add(store, origin, *serve(origin, 3))

    polled = await running

    assert (polled.polled, len(polled.new_entry_ids)) == (1, 1)
    assert origin.paths == ["/slow"]


@pytest.fixture
def attempts(store: Store, web_client: WebClient, parsers: IsolatedPool) -> Callable[[], Poller]:
    """A poller of its own for each attempt, as after a restart."""

    def build() -> Poller:
        governor = governor_of(store)
        return Poller(store, governor, Asker(web_client, governor, parsers), PACE)

    return build


async def test_an_attempt_that_died_costs_no_feed_and_no_entry(
    attempts: Callable[[], Poller], store: Store, origin: Origin
) -> None:
    hangs = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        if hangs.is_set():
            return web.Response(text=RSS.format("late"))
        hangs.set()
        await asyncio.Event().wait()
        raise AssertionError

    origin.script("/hangs", answer)
    await add(store, origin, *serve(origin, 3), "/hangs")
    died = asyncio.ensure_future(poll_due(attempts()))
    while len(origin.requests) < 4:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.3)
    died.cancel()
    await asyncio.wait([died])

    somebody_else = await poll_due(attempts(), PollDueFeeds(seconds=1))
    retried = await poll_due(attempts(), attempt=2)

    assert somebody_else.polled == 0
    assert retried.polled == 1
    assert len(retried.new_entry_ids) == len(set(retried.new_entry_ids)) == 4
    assert len(origin.asked("/0")) == 1


async def test_a_store_that_goes_away_is_raised_after_all_polls_have_ended(
    poller: Poller, store: Store, origin: Origin
) -> None:
    await add(store, origin, *serve(origin, 3))
    record = poller._recorder.record
    failing = iter([StoreUnavailableError("gone")])

    async def once(*arguments: object, **named: object) -> object:
        for error in failing:
            raise error
        return await record(*arguments, **named)  # type: ignore[arg-type]  # as it is called

    poller._recorder.record = once  # type: ignore[assignment,method-assign]  # fails one time

    with pytest.raises(StoreUnavailableError):
        await poll_due(poller)

    async with store.transaction() as tx:
        feeds = await tx.feeds.get([1, 2, 3])
    assert sum(feed.last_success_at is not None for feed in feeds.values()) == 2


async def test_a_store_that_goes_away_while_feeds_are_claimed_leaves_no_poll_behind(
    poller: Poller, store: Store, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_now = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await answer_now.wait()
        return web.Response(text=RSS.format("a"))

    async def goes_away(*_: object, **__: object) -> object:
        asyncio.get_running_loop().call_later(0.2, answer_now.set)
        raise StoreUnavailableError("gone")

    origin.script("/slow", answer)
    (feed_id,) = await add(store, origin, "/slow")
    due = asyncio.ensure_future(poll_due(poller))
    while not origin.requests:
        await asyncio.sleep(0.01)
    monkeypatch.setattr("feedmill_ingestion.rounds.claim_due", goes_away)

    with pytest.raises(StoreUnavailableError):
        await due

    async with store.transaction() as tx:
        assert (await tx.feeds.get([feed_id]))[feed_id].last_success_at is not None


async def test_an_attempt_that_is_cancelled_takes_its_requests_with_it(
    poller: Poller, store: Store, origin: Origin
) -> None:
    origin.hang("/hangs")
    await add(store, origin, "/hangs")
    due = asyncio.ensure_future(poll_due(poller))
    while not origin.requests:
        await asyncio.sleep(0.01)

    due.cancel()
    await asyncio.wait([due])
    await asyncio.sleep(0.05)

    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("poll feed")]


async def test_a_feed_that_is_being_polled_is_asked_by_nobody_else(
    poller: Poller, attempts: Callable[[], Poller], store: Store, origin: Origin
) -> None:
    answer_now = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await answer_now.wait()
        return web.Response(text=RSS.format("a"))

    origin.script("/slow", answer)
    (feed_id,) = await add(store, origin, "/slow")
    due = asyncio.ensure_future(poll_due(poller))
    while not origin.requests:
        await asyncio.sleep(0.01)
    async with store.transaction() as tx:
        request = PollFeeds(feed_ids=(feed_id,), asked_at=await tx.now())
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, activity_id="refresh")

    (meanwhile,) = (await environment.run(attempts().poll_feeds, request)).outcomes
    answer_now.set()
    polled = await due
    (afterwards,) = (await environment.run(attempts().poll_feeds, request)).outcomes

    assert isinstance(meanwhile, FeedDeferred)
    assert afterwards == FeedPolled(feed_id=feed_id, waiting_entry_ids=polled.new_entry_ids)
    assert len(origin.requests) == 1


async def test_a_refresh_so_soon_after_a_poll_asks_nobody(
    store: Store, web_client: WebClient, parsers: IsolatedPool, origin: Origin
) -> None:
    clock = await Clock(store).start()
    governor = governor_of(store)
    pace = PACE.model_copy(update={"refresh": timedelta(minutes=5)})
    poller = Poller(store, governor, Asker(web_client, governor, parsers), pace)
    (feed_id,) = await add(store, origin, *serve(origin, 1))
    asked = []
    for _ in range(3):
        request = PollFeeds(feed_ids=(feed_id,), asked_at=await clock.now())
        await clock.advance(timedelta(minutes=2.5))
        await ActivityEnvironment().run(poller.poll_feeds, request)
        asked.append(len(origin.requests))

    assert asked == [1, 1, 2]
    assert activity.in_activity() is False
