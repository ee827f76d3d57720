"""Upkeep against a real store and a real Temporal."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest_asyncio
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    DomainFetch,
    ScheduleFetch,
    domain_fetch_id,
    poll_shard_id,
)
from feedmill.models.entries import Stage
from feedmill.models.runs import FetchBatch
from feedmill.models.upkeep import (
    JoinDomains,
    KeepShards,
    PickUpStalled,
    PruneSlice,
    SelectFeeds,
    ShardsKept,
    SlicePruned,
    StalledPickedUp,
)
from feedmill.store import Store
from feedmill_orchestrator.handing_over import HandOver, queues
from feedmill_orchestrator.upkeep import Upkeep
from support.clock import Clock
from support.library import Library, open_library
from support.metrics import metric

STALLED_AFTER = timedelta(hours=4)


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start(datetime.now(UTC))


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    return await open_library(store)


async def pick_up(store: Store, client: Client, batch: str = "a") -> StalledPickedUp:
    request = PickUpStalled(
        batch=batch, stalled_after_seconds=int(STALLED_AFTER.total_seconds()), most=10
    )
    return await ActivityEnvironment(client).run(Upkeep(store).pick_up_stalled, request)


async def test_stalled_entries_are_picked_up_once_whatever_is_retried(
    store: Store, clock: Clock, library: Library, temporal: Client
) -> None:
    feed = await library.feed()
    new, fetched = await library.entry(feed, "a"), await library.entry(feed, "b")
    await library.article(fetched)
    await clock.advance(STALLED_AFTER * 2)
    before = metric("feedmill_entries_picked_up_total", stage=Stage.NEW)

    found = await pick_up(store, temporal)
    retried = await pick_up(store, temporal)
    another = await pick_up(store, temporal, "b")

    assert found == retried
    assert found == StalledPickedUp(new_entry_ids=(new,), fetched_entry_ids=(fetched,))
    assert another == StalledPickedUp()
    assert metric("feedmill_entries_picked_up_total", stage=Stage.NEW) == before + 1
    assert metric("feedmill_entries_stalled") == 0


async def test_a_living_run_keeps_its_entries(
    store: Store, clock: Clock, library: Library, temporal: Client
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    owner = f"test/{uuid.uuid4()}"
    async with store.transaction() as tx:
        await tx.upkeep.own([entry], owner)
    await clock.advance(STALLED_AFTER * 2)
    handle = await temporal.start_workflow(
        ScheduleFetch.run,
        FetchBatch(entry_ids=(entry,)),
        id=owner,
        task_queue=TaskQueue.ORCHESTRATION,
    )

    while_it_lives = await pick_up(store, temporal)
    await handle.terminate()
    afterwards = await pick_up(store, temporal)

    assert while_it_lives == StalledPickedUp()
    assert afterwards == StalledPickedUp(new_entry_ids=(entry,))


async def test_shards_that_do_not_run_are_started(store: Store, temporal: Client) -> None:
    environment = ActivityEnvironment(temporal)
    try:
        first = await environment.run(Upkeep(store).keep_shards, KeepShards(shards=2))
        second = await environment.run(Upkeep(store).keep_shards, KeepShards(shards=3))
    finally:
        for shard in range(3):
            await temporal.get_workflow_handle(poll_shard_id(shard)).terminate()

    assert first == ShardsKept(started=2)
    assert second == ShardsKept(running=2, started=1)


async def test_a_slice_is_pruned(store: Store, clock: Clock, library: Library) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    await library.article(entry)
    await library.distillate(entry)
    await clock.advance(timedelta(days=3))

    request = PruneSlice(keep_days=2, keep_newest=0)
    pruned = await ActivityEnvironment().run(Upkeep(store).prune_slice, request)

    assert pruned == SlicePruned(pruned=1)


def test_a_queue_is_several_entries_of_one_host() -> None:
    urls = {
        4: "https://busy.example/a",
        1: "https://busy.example:8443/b",
        3: "https://quiet.example/a",
        2: "https://busy.example/c",
    }

    assert queues(urls, least=3) == {"busy.example": (1, 2, 4)}


async def test_entries_wait_in_the_run_of_their_host(
    store: Store, clock: Clock, library: Library, temporal: Client
) -> None:
    host = f"{uuid.uuid4()}.example"
    feed = await library.feed()
    busy = [await library.entry(feed, str(n), url=f"https://{host}/{n}") for n in range(3)]
    quiet = await library.entry(feed, "q", url="https://quiet.example/")
    environment, hand_over = ActivityEnvironment(temporal), HandOver(store)

    joined = [
        await environment.run(
            hand_over.join_domains, JoinDomains(entry_ids=(*busy, quiet), least=2)
        )
        for _ in range(2)
    ]
    handle = temporal.get_workflow_handle_for(DomainFetch.run, domain_fetch_id(host))
    history = await handle.fetch_history()
    await handle.terminate()
    await clock.advance(STALLED_AFTER * 2)
    async with store.transaction() as tx:
        owners = await tx.upkeep.owners_of_stalled(STALLED_AFTER)

    assert [each.entry_ids for each in joined] == [tuple(busy)] * 2
    signals = [
        each
        for each in history.events
        if each.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert len(signals) == 2
    assert owners == (domain_fetch_id(host),)


async def test_feeds_are_selected_for_everybody(store: Store, library: Library) -> None:
    feed = await library.feed()

    selected = await ActivityEnvironment().run(HandOver(store).select_feeds, SelectFeeds())

    assert (selected.feed_ids, selected.total) == ((feed,), 1)
