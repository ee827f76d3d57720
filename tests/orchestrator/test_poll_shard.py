import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import PollShard, ScheduleFetch, poll_shard_id
from feedmill.models.entries import EntryDeferred, FetchOutcome
from feedmill.models.feeds import DueFeedsPolled, PollDueFeeds
from feedmill.models.hubs import HubsTended, PushesTaken, TakePushes, TendHubs
from feedmill.models.runs import (
    BatchFetched,
    EntriesProgress,
    FetchBatch,
    RunStep,
    ShardProgress,
    TendShard,
)
from feedmill_orchestrator.shards import keep_shards
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedHubs,
    ScriptedIngestion,
    fleet,
)

# Nothing in a test waits for these: whoever rests is woken.
LONG = TendShard(rest_seconds=3_600, longest_rest_seconds=3_600)
PAST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def shard(
    client: Client, request: TendShard = LONG
) -> AsyncIterator[WorkflowHandle[PollShard, None]]:
    """Run a shard's poller while the block lasts."""
    handle = await client.start_workflow(
        PollShard.run,
        request,
        id=f"poll-shard/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )
    try:
        yield handle
    finally:
        await client.get_workflow_handle(handle.id).terminate()


async def until_rounds(ingestion: ScriptedIngestion, count: int) -> None:
    async with asyncio.timeout(20):
        while len(ingestion.rounds) < count:
            await asyncio.sleep(0.02)


async def until_handed_over(slices: Sequence[Sequence[int]], count: int) -> list[int]:
    async with asyncio.timeout(20):
        while sum(map(len, slices)) < count:
            await asyncio.sleep(0.02)
    return sorted(entry_id for slice_ in slices for entry_id in slice_)


def due(*new: int, in_seconds: float | None = None) -> DueFeedsPolled:
    at = None if in_seconds is None else datetime.now(UTC) + timedelta(seconds=in_seconds)
    return DueFeedsPolled(polled=3, failed=1, new_entry_ids=new, next_due_at=at)


async def test_what_is_new_goes_the_rest_of_the_way_without_being_waited_for(
    temporal: Client,
) -> None:
    ingestion = ScriptedIngestion(rounds=[due(*range(1, 26)), due(26)])
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    async with fleet(temporal, ingestion, fetch, distillation), shard(temporal) as handle:
        assert await until_handed_over(distillation.slices, 25) == [*range(1, 26)]
        await handle.signal(PollShard.wake)
        assert await until_handed_over(distillation.slices, 26) == [*range(1, 27)]
        progress = await handle.query(PollShard.get_progress)

    assert progress == ShardProgress(
        rounds=2, polled=6, failed=2, new_entries=26, resting_until=progress.resting_until
    )
    assert ingestion.rounds == [PollDueFeeds()] * 2


async def test_a_round_that_was_cut_short_goes_on_soon(temporal: Client) -> None:
    ingestion = ScriptedIngestion(rounds=[due(in_seconds=-1), due(in_seconds=-1), due()])
    async with fleet(temporal, ingestion), shard(temporal):
        await until_rounds(ingestion, 3)


async def test_a_wake_that_comes_during_a_round_is_not_lost(temporal: Client) -> None:
    ingestion = ScriptedIngestion()
    async with shard(temporal) as handle:
        await handle.signal(PollShard.wake)
        async with fleet(temporal, ingestion):
            await until_rounds(ingestion, 1)
            await handle.signal(PollShard.wake)
            await until_rounds(ingestion, 2)


async def test_a_round_that_fails_for_good_does_not_end_the_shard(temporal: Client) -> None:
    ingestion = ScriptedIngestion()
    ingestion.round_broken = True
    async with fleet(temporal, ingestion), shard(temporal) as handle:
        await until_rounds(ingestion, 1)
        ingestion.round_broken = False
        await handle.signal(PollShard.wake)
        await until_rounds(ingestion, 2)


async def test_a_shard_goes_on_with_a_new_history_and_hears_who_woke_it(
    temporal: Client,
) -> None:
    ingestion = ScriptedIngestion(rounds=[due(in_seconds=-1)] * 7)
    request = LONG.model_copy(update={"rounds": 3})
    async with fleet(temporal, ingestion), shard(temporal, request) as handle:
        await until_rounds(ingestion, 8)
        first = await handle.describe()
        latest = temporal.get_workflow_handle(handle.id)
        await latest.signal(PollShard.wake)
        await until_rounds(ingestion, 9)

    assert first.status is WorkflowExecutionStatus.RUNNING
    assert first.run_id != handle.result_run_id


async def test_a_round_without_news_of_hubs_is_one_activity(temporal: Client) -> None:
    ingestion, hubs = ScriptedIngestion(rounds=[due(in_seconds=-1), due()]), ScriptedHubs()
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal):
        await until_rounds(ingestion, 2)

    assert (hubs.takings, hubs.tendings) == ([], [])


async def test_what_hubs_sent_goes_the_rest_of_the_way_too(temporal: Client) -> None:
    pushed = DueFeedsPolled(new_entry_ids=(1,), pushes_waiting=2)
    hubs = ScriptedHubs(taken=[PushesTaken(taken=2, new_entry_ids=(2, 3))])
    ingestion, distillation = ScriptedIngestion(rounds=[pushed]), ScriptedDistillation()
    request = LONG.model_copy(update={"shard": 1, "shards": 2})
    async with (
        fleet(temporal, ingestion, None, distillation, hubs),
        shard(temporal, request) as handle,
    ):
        assert await until_handed_over(distillation.slices, 3) == [1, 2, 3]
        progress = await handle.query(PollShard.get_progress)

    assert hubs.takings == [TakePushes(shard=1, shards=2)]
    assert (progress.rounds, progress.pushes, progress.new_entries) == (1, 2, 3)


async def test_a_feed_whose_push_could_not_be_read_is_polled_in_a_round_at_once(
    temporal: Client,
) -> None:
    hubs = ScriptedHubs(taken=[PushesTaken(taken=2, unreadable=1)])
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(pushes_waiting=2)])
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal):
        await until_rounds(ingestion, 2)


async def until_many(requests: Sequence[object], count: int) -> None:
    async with asyncio.timeout(20):
        while len(requests) < count:
            await asyncio.sleep(0.02)


async def test_pushes_are_taken_as_they_come_while_feeds_are_polled(temporal: Client) -> None:
    ingestion, distillation = ScriptedIngestion(), ScriptedDistillation()
    ingestion.gate.clear()
    hubs = ScriptedHubs(taken=[PushesTaken(taken=1, new_entry_ids=(7,))])
    async with fleet(temporal, ingestion, None, distillation, hubs), shard(temporal) as handle:
        await until_rounds(ingestion, 1)
        await handle.signal(PollShard.pushed)
        assert await until_handed_over(distillation.slices, 1) == [7]
        assert len(ingestion.rounds) == 1
        ingestion.gate.set()


async def test_a_push_that_comes_while_others_are_taken_is_taken_next(temporal: Client) -> None:
    hubs = ScriptedHubs()
    hubs.gate.clear()
    async with fleet(temporal, ScriptedIngestion(), hubs=hubs), shard(temporal) as handle:
        await handle.signal(PollShard.pushed)
        await until_many(hubs.takings, 1)
        await handle.signal(PollShard.pushed)
        hubs.gate.set()
        await until_many(hubs.takings, 2)


async def test_pushes_that_are_left_are_taken_at_once(temporal: Client) -> None:
    hubs = ScriptedHubs(taken=[PushesTaken(taken=9, left=1)])
    async with fleet(temporal, ScriptedIngestion(), hubs=hubs), shard(temporal) as handle:
        await handle.signal(PollShard.pushed)
        await until_many(hubs.takings, 2)


async def test_hubs_that_take_their_time_keep_no_feed_from_being_polled(temporal: Client) -> None:
    hubs = ScriptedHubs(tended=[HubsTended(asked=2, refused=1)])
    hubs.gate.clear()
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(hubs_to_tend=3)] * 3)
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal) as handle:
        for number in (1, 2):
            await until_rounds(ingestion, number)
            await handle.signal(PollShard.wake)
        await until_rounds(ingestion, 3)
        meanwhile = list(hubs.tendings)
        hubs.gate.set()
        async with asyncio.timeout(10):
            while (await handle.query(PollShard.get_progress)).hubs_asked != 3:
                await asyncio.sleep(0.02)

    assert meanwhile == [TendHubs()]


async def test_hubs_that_are_still_to_be_asked_are_asked_at_once(
    temporal: Client,
) -> None:
    hubs = ScriptedHubs(tended=[HubsTended(asked=10, left=5)])
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(hubs_to_tend=15)])
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal):
        await until_many(hubs.tendings, 2)

    assert len(ingestion.rounds) == 1


async def test_hubs_that_cannot_be_taken_care_of_do_not_end_the_shard(temporal: Client) -> None:
    hubs = ScriptedHubs()
    hubs.broken = True
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(hubs_to_tend=1, pushes_waiting=1)] * 2)
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal) as handle:
        await until_rounds(ingestion, 1)
        await handle.signal(PollShard.wake)
        await until_rounds(ingestion, 2)
        await until_many(hubs.takings, 2)
        await until_many(hubs.tendings, 2)


async def test_a_new_history_begins_only_when_hubs_have_answered(temporal: Client) -> None:
    hubs = ScriptedHubs(tended=[HubsTended(asked=1)])
    hubs.gate.clear()
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(hubs_to_tend=1, next_due_at=PAST)])
    request = LONG.model_copy(update={"rounds": 1})
    async with fleet(temporal, ingestion, hubs=hubs), shard(temporal, request) as handle:
        await until_rounds(ingestion, 1)
        await asyncio.sleep(1.5)
        assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
        assert len(ingestion.rounds) == 1
        hubs.gate.set()
        await until_rounds(ingestion, 2)


async def test_every_shard_is_started_once(temporal: Client) -> None:
    ingestion = ScriptedIngestion()
    async with fleet(temporal, ingestion):
        await keep_shards(temporal, 3)
        await keep_shards(temporal, 3)
        await until_rounds(ingestion, 3)
        handles = [temporal.get_workflow_handle(poll_shard_id(number)) for number in range(3)]
        for handle in handles:
            await handle.terminate()

    assert sorted(each.shard for each in ingestion.rounds) == [0, 1, 2]
    assert {each.shards for each in ingestion.rounds} == {3}


async def test_a_batch_is_fetched_and_distilled_as_its_hosts_allow(time_skipping: Client) -> None:
    def outcome(entry_id: int, asking: int) -> FetchOutcome | None:
        later = datetime.now(UTC) + timedelta(minutes=5)
        return (
            EntryDeferred(entry_id=entry_id, until=later) if entry_id > 20 > asking * 20 else None
        )

    fetch, distillation = ScriptedFetch(outcome), ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(), fetch, distillation):
        fetched = await time_skipping.execute_workflow(
            ScheduleFetch.run,
            FetchBatch(entry_ids=tuple(range(1, 31))),
            id=f"schedule-fetch/{uuid.uuid4()}",
            task_queue=TaskQueue.ORCHESTRATION,
        )

    assert fetched == BatchFetched(
        progress=EntriesProgress(step=RunStep.DONE, total=30, fetched=30, distilled=30)
    )
