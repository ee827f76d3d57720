"""What runs can be told and asked while they run, and what is left of them when they are cancelled."""

import asyncio
import uuid
from typing import Any

import pytest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowUpdateFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    ContentDistillation,
    DomainFetch,
    PollShard,
    ScheduleFetch,
    SingleFeedIngestion,
)
from feedmill.models.entries import EntryDeferred, FetchOutcome
from feedmill.models.feeds import DueFeedsPolled, FeedPolled
from feedmill.models.runs import (
    DistillBatch,
    FetchBatch,
    IngestFeed,
    IngestionProgress,
    RunDescription,
    ServeDomain,
    TendShard,
)
from feedmill_orchestrator.registry import WORKFLOWS
from feedmill_orchestrator.replaying import name_of
from feedmill_orchestrator.workflows.describing import Describable
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedHubs,
    ScriptedIngestion,
    fleet,
)
from support.starting import in_activity, start

LONG = TendShard(rest_seconds=3_600, longest_rest_seconds=3_600)
FEED = IngestFeed(feed_id=42)


async def refreshed(client: Client, workflow_id: str, request: IngestFeed) -> IngestionProgress:
    """Ask for a refresh the way a person's tools do."""
    operation = WithStartWorkflowOperation(
        SingleFeedIngestion.run,
        FEED,
        id=workflow_id,
        task_queue=TaskQueue.ORCHESTRATION,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    return await client.execute_update_with_start_workflow(
        SingleFeedIngestion.refresh, request, start_workflow_operation=operation
    )


async def until(condition: Any) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_who_asks_for_a_refresh_joins_the_one_under_way(temporal: Client) -> None:
    distillation = ScriptedDistillation()
    distillation.gate.clear()
    ingestion = ScriptedIngestion(FeedPolled(feed_id=42, waiting_entry_ids=(1, 2)))
    workflow_id = f"feed-ingestion/{uuid.uuid4()}"
    async with fleet(temporal, ingestion, distillation=distillation):
        first = await refreshed(temporal, workflow_id, FEED)
        await until(lambda: distillation.slices)
        second = await refreshed(temporal, workflow_id, FEED)
        distillation.gate.set()
        await temporal.get_workflow_handle(workflow_id).result()

    assert first.feed_id == second.feed_id == 42
    assert second.fetched > 0
    assert len(ingestion.asked_at) == 1


async def test_a_refresh_of_another_feed_is_refused_without_a_trace(temporal: Client) -> None:
    distillation = ScriptedDistillation()
    distillation.gate.clear()
    ingestion = ScriptedIngestion(FeedPolled(feed_id=42, waiting_entry_ids=(1,)))
    async with fleet(temporal, ingestion, distillation=distillation):
        handle = await start(temporal, SingleFeedIngestion.run, FEED)
        await until(lambda: distillation.slices)
        before = len((await handle.fetch_history()).events)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await handle.execute_update(SingleFeedIngestion.refresh, IngestFeed(feed_id=7))
        after = len((await handle.fetch_history()).events)
        distillation.gate.set()
        await handle.result()

    assert "refreshes feed 42, not 7" in str(refused.value.cause)
    assert before == after


async def test_a_paused_shard_begins_nothing_until_it_is_resumed(temporal: Client) -> None:
    ingestion = ScriptedIngestion(rounds=[DueFeedsPolled(pushes_waiting=1)] * 9)
    hubs = ScriptedHubs()
    async with fleet(temporal, ingestion, hubs=hubs):
        handle = await start(temporal, PollShard.run, LONG.model_copy(update={"paused": True}))
        for signal in (PollShard.wake, PollShard.pushed):
            await handle.signal(signal)
        paused = await handle.query(PollShard.get_progress)
        meanwhile = (list(ingestion.rounds), list(hubs.takings))
        await handle.signal(PollShard.resume)
        await until(lambda: ingestion.rounds and hubs.takings)
        resumed = await handle.query(PollShard.get_progress)
        await handle.signal(PollShard.pause)
        rounds = len(ingestion.rounds)
        await handle.signal(PollShard.wake)
        assert (await handle.query(PollShard.get_progress)).paused
        await asyncio.sleep(0.2)
        await handle.terminate()

    assert (paused.paused, paused.rounds, meanwhile) == (True, 0, ([], []))
    assert not resumed.paused
    assert len(ingestion.rounds) == rounds


def slow(entry_id: int, _: int) -> FetchOutcome | None:
    until_ = in_activity(minutes=30)
    return EntryDeferred(entry_id=entry_id, until=until_) if entry_id > 2 else None


@pytest.mark.parametrize(
    ("run", "request_"),
    [
        pytest.param(SingleFeedIngestion.run, IngestFeed(feed_id=1), id="a feed"),
        pytest.param(ScheduleFetch.run, FetchBatch(entry_ids=(1, 2, 3)), id="a batch"),
        pytest.param(DomainFetch.run, ServeDomain(host="a", entry_ids=(1, 2, 3)), id="a host"),
    ],
)
async def test_a_cancelled_run_says_what_was_done(
    temporal: Client, run: Any, request_: object
) -> None:
    distillation = ScriptedDistillation()
    ingestion = ScriptedIngestion(FeedPolled(feed_id=1, waiting_entry_ids=(1, 2, 3)))
    async with fleet(temporal, ingestion, ScriptedFetch(slow), distillation):
        handle = await start(temporal, run, request_)
        await until(lambda: sum(map(len, distillation.slices)) == 2)
        async with asyncio.timeout(20):
            while (await handle.query("get_progress"))["distilled"] != 2:
                await asyncio.sleep(0.02)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    # Nobody serves the queue any more: what was done is read from Temporal alone.
    done = (await (await handle.describe()).memo())["done"]
    assert (done["fetched"], done["distilled"]) == (2, 2)
    assert done["waitingUntil"]


@pytest.mark.parametrize(
    ("run", "request_", "progress"),
    [
        pytest.param(PollShard.run, LONG, '"rounds":1', id="PollShard"),
        pytest.param(
            ContentDistillation.run, DistillBatch(entry_ids=(1,)), '"total":1', id="a batch"
        ),
    ],
)
async def test_any_run_describes_itself(
    temporal: Client, run: Any, request_: object, progress: str
) -> None:
    ingestion, distillation = ScriptedIngestion(), ScriptedDistillation()
    distillation.gate.clear()
    async with fleet(temporal, ingestion, distillation=distillation):
        handle = await start(temporal, run, request_)
        await until(lambda: ingestion.rounds or distillation.slices)
        await asyncio.sleep(0.1)
        described = await handle.query("describe", result_type=RunDescription)
        unknown = await handle.query("nonsense", result_type=RunDescription)
        raw = await handle.query("describe")
        distillation.gate.set()
        await handle.terminate()

    assert (described.workflow_id, described.is_known, unknown.is_known) == (handle.id, True, False)
    assert described.history_events > 2
    assert progress in described.progress
    assert {"workflowType", "historyEvents", "startedAt"} <= raw.keys()


@pytest.mark.parametrize("workflow_class", WORKFLOWS, ids=name_of)
def test_every_workflow_can_be_described(workflow_class: type) -> None:
    assert issubclass(workflow_class, Describable)
