"""A list is followed slice by slice, whatever happens meanwhile, and costs Temporal little."""

import asyncio
import uuid

import pytest
from sqlalchemy import func, select, text
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from feedmill.contracts.workflows import ImportSubscriptions, PollShard, poll_shard_id
from feedmill.models.events import EventKind
from feedmill.models.lists import (
    FollowListed,
    ImportList,
    ImportProgress,
    ListedFeed,
    ListedFollowed,
    ListRead,
)
from feedmill.models.runs import TendShard
from feedmill.store import Store
from feedmill.store.tables import feeds, subscriptions
from feedmill.worker import heartbeating
from feedmill_orchestrator.importing import Importer
from support.fleet import ScriptedImporter, ScriptedIngestion, fleet
from support.library import Library, open_library
from support.starting import start

MOST_BYTES = 32_000
MOST_EVENTS = 4_000
MOST_ACTIONS_PER_OUTLINE = 0.01


def a_list(outlines: int) -> ListRead:
    return ListRead(
        feeds=tuple(
            ListedFeed(url=f"https://h{number % 90}.example/{number}", line=number + 2)
            for number in range(outlines)
        )
    )


async def kept(store: Store, library: Library, outlines: int) -> int:
    async with store.transaction() as tx:
        import_id, _ = await tx.imports.keep(
            library.user_id, uuid.uuid4().hex[:16], a_list(outlines)
        )
    return import_id


async def followed(store: Store) -> tuple[int, int]:
    """Return how many feeds and subscriptions there are."""
    async with store.transaction() as tx:
        counts = [
            (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (feeds, subscriptions)
        ]
    return counts[0], counts[1]


class Interrupted(Importer):
    """Stands still, or fails, once some slices are followed."""

    def __init__(self, store: Store, *, after: int, fails: bool = False) -> None:
        super().__init__(store)
        self._left = after
        self._fails = fails
        self.reached = asyncio.Event()

    @activity.defn
    async def follow_listed(self, request: FollowListed) -> ListedFollowed:
        done = await super().follow_listed(request)
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            if self._fails:
                raise OSError("the plug was pulled after the commit")
            async with heartbeating():
                await asyncio.sleep(60)
        return done


async def test_a_list_is_followed_in_slices_and_each_feed_announced(
    store: Store, temporal: Client
) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 25)
    async with fleet(temporal, ScriptedIngestion(), importer=Importer(store)):
        handle = await start(
            temporal, ImportSubscriptions.run, ImportList(import_id=import_id, slice_size=10)
        )
        ended = await handle.result()
        progress = await handle.query(ImportSubscriptions.get_progress)
        raw = await handle.query("get_progress")

    assert ended.progress == progress == ImportProgress(outlines=25, added=25)
    assert raw["waiting"] == 0
    assert await followed(store) == (25, 25)
    async with store.transaction() as tx:
        events = await tx.events.after(0)
    assert [event.kind for event in events] == [EventKind.FEED_ADDED] * 25
    assert {event.workflow_id for event in events} == {handle.id}


async def test_whoever_polls_is_woken_for_new_feeds(store: Store, temporal: Client) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 3)
    ingestion = ScriptedIngestion()
    async with fleet(temporal, ingestion, importer=Importer(store)):
        asleep = TendShard(rest_seconds=3_600, longest_rest_seconds=3_600)
        shard = await start(temporal, PollShard.run, asleep, id=poll_shard_id(0))
        async with asyncio.timeout(20):
            while not ingestion.rounds:
                await asyncio.sleep(0.02)
        await (
            await start(temporal, ImportSubscriptions.run, ImportList(import_id=import_id))
        ).result()
        async with asyncio.timeout(20):
            while len(ingestion.rounds) < 2:
                await asyncio.sleep(0.02)
        await shard.terminate()


async def test_a_fault_after_a_commit_costs_nothing_twice(store: Store, temporal: Client) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 30)
    importer = Interrupted(store, after=2, fails=True)
    async with fleet(temporal, ScriptedIngestion(), importer=importer):
        request = ImportList(import_id=import_id, slice_size=10)
        ended = await (await start(temporal, ImportSubscriptions.run, request)).result()

    assert ended.progress == ImportProgress(outlines=30, added=30)
    async with store.transaction() as tx:
        assert len(await tx.events.after(0)) == 30


async def test_a_database_that_is_locked_is_waited_for(store: Store, temporal: Client) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 5)
    async with fleet(temporal, ScriptedIngestion(), importer=Importer(store)):
        async with store.transaction() as tx:
            await tx.connection.execute(text("lock table subscriptions in exclusive mode"))
            handle = await start(temporal, ImportSubscriptions.run, ImportList(import_id=import_id))
            await asyncio.sleep(0.5)
            meanwhile = await handle.query(ImportSubscriptions.get_progress)
        ended = await handle.result()

    assert meanwhile.added == 0
    assert ended.progress.added == 5


async def test_a_killed_worker_is_gone_on_without(store: Store, temporal: Client) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 30)
    killed = Interrupted(store, after=2)
    async with fleet(temporal, ScriptedIngestion(), importer=killed):
        handle = await start(
            temporal, ImportSubscriptions.run, ImportList(import_id=import_id, slice_size=10)
        )
        await asyncio.wait_for(killed.reached.wait(), 20)
        before = await followed(store)

    async with fleet(temporal, ScriptedIngestion(), importer=Importer(store)):
        async with asyncio.timeout(60):
            ended = await handle.result()

    assert before[0] == 20
    assert ended.progress == ImportProgress(outlines=30, added=30)


async def test_a_cancelled_import_says_what_was_done_and_is_resumed_by_the_next(
    store: Store, temporal: Client
) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 30)
    importer = Interrupted(store, after=2)
    request = ImportList(import_id=import_id, slice_size=10)
    async with fleet(temporal, ScriptedIngestion(), importer=importer):
        handle = await start(temporal, ImportSubscriptions.run, request)
        await asyncio.wait_for(importer.reached.wait(), 20)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        stood = await followed(store)
        resumed = await (await start(temporal, ImportSubscriptions.run, request)).result()

    done = (await (await handle.describe()).memo())["done"]
    assert isinstance(failure.value.cause, CancelledError)
    assert (done["added"], stood[0]) == (10, 20)
    assert resumed.progress == ImportProgress(outlines=30, added=30)


async def test_a_slice_in_hand_is_ended_before_a_cancelled_import_ends(
    store: Store, temporal: Client
) -> None:
    library = await open_library(store)
    import_id = await kept(store, library, 30)
    async with fleet(temporal, ScriptedIngestion(), importer=Importer(store)):
        async with store.transaction() as tx:
            await tx.connection.execute(text("lock table subscriptions in exclusive mode"))
            handle = await start(
                temporal, ImportSubscriptions.run, ImportList(import_id=import_id, slice_size=10)
            )
            await asyncio.sleep(0.5)
            await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    done = (await (await handle.describe()).memo())["done"]
    assert done["added"] == (await followed(store))[0]
    assert done["added"] in {0, 10}


async def test_who_sends_the_list_again_before_it_ends_has_it_looked_at_once_more(
    temporal: Client,
) -> None:
    importer = ScriptedImporter(ImportProgress(outlines=1, added=1))
    importer.gate.clear()
    async with fleet(temporal, ScriptedIngestion(), importer=importer):
        handle = await start(
            temporal, ImportSubscriptions.run, ImportList(import_id=1), start_signal="again"
        )
        async with asyncio.timeout(20):
            while not importer.requests:
                await asyncio.sleep(0.02)
        await handle.signal(ImportSubscriptions.again)
        importer.gate.set()
        await handle.result()

    assert len(importer.requests) == 2


async def test_an_import_of_twenty_thousand_outlines_stays_small(temporal: Client) -> None:
    request = ImportList(import_id=1)
    slices = 20_000 // request.slice_size
    script = [
        ImportProgress(outlines=20_000, waiting=20_000 - number * request.slice_size)
        for number in range(1, slices + 1)
    ]
    async with fleet(temporal, ScriptedIngestion(), importer=ScriptedImporter(*script)):
        handle = await start(temporal, ImportSubscriptions.run, request)
        await handle.result()
    events = (await handle.fetch_history()).events

    assert max(event.ByteSize() for event in events) <= MOST_BYTES
    assert len(events) <= MOST_EVENTS
    assert slices + 1 <= MOST_ACTIONS_PER_OUTLINE * 20_000
