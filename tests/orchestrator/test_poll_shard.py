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
from feedmill.models.runs import (
    BatchFetched,
    EntriesProgress,
    FetchBatch,
    RunStep,
    ShardProgress,
    TendShard,
)
from feedmill_orchestrator.shards import keep_shards
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedIngestion, fleet

# Nothing in a test waits for these: whoever rests is woken.
LONG = TendShard(rest_seconds=3_600, longest_rest_seconds=3_600)


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
