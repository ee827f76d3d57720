"""Entries go back from dead ends by their reason: once, no more than asked for, and each accounted for."""

import asyncio

import pytest
import pytest_asyncio
from sqlalchemy import text
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.testing import ActivityEnvironment

from feedmill.contracts import options
from feedmill.contracts.workflows import Redrive, content_distillation_id, schedule_fetch_id
from feedmill.models.entries import Stage
from feedmill.models.events import EventKind
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import (
    CountDeadEnds,
    DeadEnd,
    RedriveEnded,
    RedriveProgress,
    RedriveSlice,
    SliceRedriven,
)
from feedmill.store import Store
from feedmill_orchestrator.redriving import Redriver
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedIngestion,
    ScriptedRedriver,
    fleet,
)
from support.library import Library, open_library
from support.starting import result, start

BLOCKED = Reason.PAGE_BLOCKED
MOST_BYTES = 32_000


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    return await open_library(store)


async def dead(
    library: Library, feed_id: int, reason: Reason = BLOCKED, url: str = "https://a.example/1"
) -> int:
    entry_id = await library.entry(feed_id, f"{url} {reason}", url=url)
    await library.dead_end(entry_id, reason, "403")
    return entry_id


async def undistillable(store: Store, library: Library, feed_id: int, *, article: bool) -> int:
    entry_id = await library.entry(feed_id, f"undistillable {article}")
    await library.article(entry_id)
    async with store.transaction() as tx:
        await tx.entries.move(
            entry_id, before=Stage.FETCHED, after=Stage.UNDISTILLABLE, reason=Reason.MODEL_REFUSED
        )
        if not article:
            gone = text(f"delete from contents where entry_id = {entry_id}")
            await tx.connection.execute(gone)
    return entry_id


async def take_back(
    store: Store, reason: Reason = BLOCKED, batch: str = "b", **which: object
) -> SliceRedriven:
    request = RedriveSlice.model_validate({"reason": reason, "batch": batch, "limit": 100, **which})
    return await ActivityEnvironment().run(Redriver(store).redrive_slice, request)


async def test_dead_ends_are_counted_by_stage_and_reason(store: Store, library: Library) -> None:
    feed, other = await library.feed(), await library.feed("https://b.example/")
    await dead(library, feed)
    await dead(library, feed, url="https://A.example:8443/2")
    await dead(library, other, url="http://b.example?a.example")
    await dead(library, feed, Reason.NO_ARTICLE)
    await undistillable(store, library, feed, article=True)
    await library.entry(feed, "waiting")
    count = Redriver(store).count_dead_ends

    everything = await ActivityEnvironment().run(count, CountDeadEnds())
    of_host = await ActivityEnvironment().run(count, CountDeadEnds(host="A.example"))
    of_feed = await ActivityEnvironment().run(count, CountDeadEnds(feed_id=other))

    assert everything.ends[0] == DeadEnd(stage=Stage.UNAVAILABLE, reason=BLOCKED, entries=3)
    assert {(end.stage, end.reason, end.entries) for end in everything.ends[1:]} == {
        (Stage.UNAVAILABLE, Reason.NO_ARTICLE, 1),
        (Stage.UNDISTILLABLE, Reason.MODEL_REFUSED, 1),
    }
    assert of_host.ends[0] == DeadEnd(stage=Stage.UNAVAILABLE, reason=BLOCKED, entries=2)
    assert of_feed.ends == (DeadEnd(stage=Stage.UNAVAILABLE, reason=BLOCKED, entries=1),)


async def test_entries_go_back_to_where_work_goes_on_and_once(
    store: Store, library: Library
) -> None:
    feed = await library.feed()
    unavailable, other = await dead(library, feed), await dead(library, feed, Reason.GONE)
    refused = await undistillable(store, library, feed, article=True)
    bare = await undistillable(store, library, feed, article=False)

    first = await take_back(store)
    retried = await take_back(store)
    again = await take_back(store, batch="c")
    distilled = await take_back(store, Reason.MODEL_REFUSED, batch="d")

    assert first == retried == SliceRedriven(new_entry_ids=(unavailable,))
    assert again == SliceRedriven()
    assert distilled == SliceRedriven(new_entry_ids=(bare,), fetched_entry_ids=(refused,))
    async with store.transaction() as tx:
        stands = await tx.entries.standings([unavailable, other, refused, bare])
        [fetched] = await tx.entries.to_fetch([unavailable])
        events = await tx.events.after(0)
        owned = await tx.upkeep.owned_by([schedule_fetch_id("b"), content_distillation_id("d")])
    assert {each.id: each.stage for each in stands.values()} == {
        unavailable: Stage.NEW,
        other: Stage.UNAVAILABLE,
        refused: Stage.FETCHED,
        bare: Stage.NEW,
    }
    assert (fetched.reason, fetched.detail, fetched.tries) == (None, "", 0)
    assert owned == {Stage.NEW: (unavailable,), Stage.FETCHED: (refused,)}
    redriven = [event for event in events if event.kind is EventKind.ENTRY_REDRIVEN]
    assert {(event.entry_id, event.feed_id, event.detail) for event in redriven} == {
        (unavailable, feed, "page_blocked"),
        (refused, feed, "model_refused"),
        (bare, feed, "model_refused"),
    }


async def test_only_those_asked_for_go_back(store: Store, library: Library) -> None:
    feed, other = await library.feed(), await library.feed("https://b.example/")
    ids = [
        await dead(library, feed, url="https://a.example/1"),
        await dead(library, other, url="https://a.example/2"),
        await dead(library, feed, url="https://b.example/3"),
    ]

    of_host = await take_back(store, batch="h", host="a.example", feed_id=feed)
    capped = await take_back(store, batch="m", limit=1)
    after = await take_back(store, batch="n", after_entry_id=ids[1])

    assert of_host.entry_ids == (ids[0],)
    assert capped.entry_ids == (ids[1],)
    assert after.entry_ids == (ids[2],)


async def test_a_redrive_hands_everybody_over_and_stays_small(temporal: Client) -> None:
    redriver = ScriptedRedriver(
        SliceRedriven(new_entry_ids=tuple(range(1, 500)), fetched_entry_ids=(500,)),
        SliceRedriven(new_entry_ids=(501, 502)),
    )
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    async with fleet(temporal, ScriptedIngestion(), fetch, distillation, redriver=redriver):
        request = RedriveEnded(reason=BLOCKED, host="a.example", most=700)
        handle = await start(temporal, Redrive.run, request)
        ended = await handle.result()
        async with asyncio.timeout(60):
            while sum(map(len, distillation.slices)) < 502:
                await asyncio.sleep(0.05)
        events = (await handle.fetch_history()).events

    assert ended.progress == RedriveProgress(
        ends=(DeadEnd(stage=Stage.UNAVAILABLE, reason=BLOCKED, entries=3),),
        to_fetch=501,
        to_distill=1,
    )
    asked = [(each.host, each.after_entry_id, each.limit) for each in redriver.slices]
    assert asked == [("a.example", 0, 500), ("a.example", 500, 200)]
    assert len({each.batch for each in redriver.slices}) == 2
    assert max(event.ByteSize() for event in events) <= MOST_BYTES


async def test_who_is_taken_back_comes_after_those_whom_somebody_waits_for(
    temporal: Client,
) -> None:
    redriver = ScriptedRedriver(SliceRedriven(new_entry_ids=(1,), fetched_entry_ids=(2,)))
    async with fleet(temporal, ScriptedIngestion(), redriver=redriver):
        # As the command does, which waits for the numbers alone.
        handle = await start(
            temporal, Redrive.run, RedriveEnded(reason=BLOCKED), priority=options.INTERACTIVE
        )
        await handle.result()

    batch = redriver.slices[0].batch
    for workflow_id in (schedule_fetch_id(batch), content_distillation_id(batch)):
        described = await temporal.get_workflow_handle(workflow_id).describe()
        assert described.raw_info.priority.priority_key == 3, workflow_id


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(RedriveEnded(), id="without a reason"),
        pytest.param(RedriveEnded(reason=BLOCKED, is_dry_run=True), id="dry"),
    ],
)
async def test_a_look_moves_nobody(temporal: Client, request_: RedriveEnded) -> None:
    redriver = ScriptedRedriver()
    async with fleet(temporal, ScriptedIngestion(), redriver=redriver):
        ended = await result(temporal, Redrive.run, request_)

    assert ended.progress.ends[0].entries == 3
    assert (ended.progress.to_fetch, redriver.slices) == (0, [])


async def test_no_more_go_back_than_were_asked_for(
    store: Store, library: Library, temporal: Client
) -> None:
    feed = await library.feed()
    ids = [await dead(library, feed, url=f"https://a.example/{number}") for number in range(5)]
    fetch = ScriptedFetch()
    async with fleet(temporal, ScriptedIngestion(), fetch, redriver=Redriver(store)):
        first = await result(temporal, Redrive.run, RedriveEnded(reason=BLOCKED, most=3))
        second = await result(temporal, Redrive.run, RedriveEnded(reason=BLOCKED))
        third = await result(temporal, Redrive.run, RedriveEnded(reason=BLOCKED))
        async with asyncio.timeout(20):
            while sum(map(len, fetch.slices)) < 5:
                await asyncio.sleep(0.02)

    taken = [each.progress.to_fetch for each in (first, second, third)]
    assert taken == [3, 2, 0]
    assert sorted(each for slice_ in fetch.slices for each in slice_) == ids


class HeldRedriver(ScriptedRedriver):
    """Never comes to its second slice."""

    @activity.defn
    async def redrive_slice(self, request: RedriveSlice) -> SliceRedriven:
        if request.after_entry_id:
            await asyncio.sleep(60)
        return await super().redrive_slice(request)


async def test_a_cancelled_redrive_says_how_many_it_took_back(temporal: Client) -> None:
    redriver = HeldRedriver(SliceRedriven(new_entry_ids=tuple(range(1, 501))))
    async with fleet(temporal, ScriptedIngestion(), redriver=redriver):
        handle = await start(temporal, Redrive.run, RedriveEnded(reason=BLOCKED))
        async with asyncio.timeout(20):
            while (await handle.query(Redrive.get_progress)).to_fetch != 500:
                await asyncio.sleep(0.01)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        done = (await (await handle.describe()).memo())["done"]

    assert (done["toFetch"], done["toDistill"]) == (500, 0)
