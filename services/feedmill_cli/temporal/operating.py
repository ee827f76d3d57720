"""What an operator asks of Temporal, and tells the whole fleet by it."""

import asyncio
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from pydantic import AwareDatetime
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as TaskQueueName
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    ALL_FEEDS_INGESTION_ID,
    AllFeedsIngestion,
    PollShard,
    Redrive,
    redrive_id,
)
from feedmill.models.base import BrowserModel
from feedmill.models.redriving import RedriveEnded, RedriveProgress
from feedmill.models.runs import AllFeedsProgress, IngestAllFeeds
from feedmill_cli.errors import CommandError
from feedmill_cli.temporal import schedules

_STUCK = 'ExecutionStatus = "Running" AND TemporalReportedProblems IS NOT NULL'
_SHARDS = 'ExecutionStatus = "Running" AND WorkflowType = "PollShard"'
_PROBLEMS = "TemporalReportedProblems"
_MOST = 200
_LOOK_SECONDS = 1.0
_QUERY = timedelta(seconds=2)

_TYPES = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


class QueueView(BrowserModel):
    """How long a queue is, and who works it off."""

    queue: str
    kind: str
    waiting: int
    oldest_seconds: float
    workers: int


class StuckRun(BrowserModel):
    """A run whose tasks keep failing."""

    workflow_id: str
    run_id: str
    workflow_type: str
    started_at: AwareDatetime
    problems: tuple[str, ...]


class Paused(BrowserModel):
    """What was told to pause, or to go on."""

    shards: int
    schedules: tuple[str, ...]


async def queues(client: Client) -> list[QueueView]:
    """Return every queue that somebody works off, or that tasks wait in."""
    asked = [(queue, kind) for queue in TaskQueue for kind in _TYPES]
    views = await asyncio.gather(*(_queue(client, queue, kind) for queue, kind in asked))
    return [view for view in views if view.workers or view.waiting]


async def stuck_runs(client: Client) -> list[StuckRun]:
    """Return running workflows whose tasks fail again and again, the oldest first."""
    found = client.list_workflows(_STUCK, limit=_MOST)
    runs = [
        StuckRun(
            workflow_id=each.id,
            run_id=each.run_id,
            workflow_type=each.workflow_type,
            started_at=each.start_time,
            problems=tuple(map(str, each.search_attributes.get(_PROBLEMS, ()))),
        )
        async for each in found
    ]
    return sorted(runs, key=lambda run: run.started_at)


async def pause_all(client: Client, note: str) -> Paused:
    """Let the fleet begin nothing by itself any more; what was begun ends as usual."""
    names = tuple(each.name for each in await schedules.all_schedules(client) if not each.paused)
    for name in names:
        await schedules.pause(client, name, note)
    return Paused(shards=await _tell_shards(client, pausing=True), schedules=names)


async def resume_all(client: Client, note: str) -> Paused:
    """Let the fleet go on by itself; schedules that were paused with another note stay so."""
    found = await schedules.all_schedules(client)
    names = tuple(each.name for each in found if each.paused and each.note == note)
    for name in names:
        await schedules.resume(client, name, "resumed")
    return Paused(shards=await _tell_shards(client, pausing=False), schedules=names)


async def refresh_all(client: Client, tell: Callable[[AllFeedsProgress], None]) -> AllFeedsProgress:
    """Have every feed polled now, or join the run that does so already; return how it ended.

    Raises
    ------
    CommandError
        The run was cancelled, or failed.
    """
    await client.start_workflow(
        AllFeedsIngestion.run,
        IngestAllFeeds(),
        id=ALL_FEEDS_INGESTION_ID,
        task_queue=TaskQueue.ORCHESTRATION,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        priority=options.INTERACTIVE,
    )
    # By its id alone: a run over many feeds goes on in one history after the other.
    handle = client.get_workflow_handle_for(AllFeedsIngestion.run, ALL_FEEDS_INGESTION_ID)
    ending = asyncio.create_task(handle.result())
    try:
        while not (await asyncio.wait({ending}, timeout=_LOOK_SECONDS))[0]:
            # While no worker answers there is nothing to tell.
            with suppress(RPCError, WorkflowQueryFailedError):
                tell(await handle.query(AllFeedsIngestion.get_progress, rpc_timeout=_QUERY))
        return ending.result().progress
    except WorkflowFailureError as error:
        raise CommandError(f"the run did not end as it should: {error.cause}") from error
    finally:
        ending.cancel()


async def redrive(client: Client, request: RedriveEnded) -> RedriveProgress:
    """Count dead ends, and take those of a reason back if one is given; return what came of it.

    Raises
    ------
    CommandError
        Somebody takes entries of that reason back already, or it failed.
    """
    looks = request.reason is None or request.is_dry_run
    try:
        ended = await client.execute_workflow(
            Redrive.run,
            request,
            id=redrive_id(f"look-{uuid.uuid4()}" if looks else str(request.reason)),
            task_queue=TaskQueue.ORCHESTRATION,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            priority=options.INTERACTIVE,
        )
    except WorkflowAlreadyStartedError as error:
        raise CommandError(
            f"entries that ended with {request.reason} are redriven already"
        ) from error
    except WorkflowFailureError as error:
        raise CommandError(f"the run did not end as it should: {error.cause}") from error
    return ended.progress


async def history_of(client: Client, workflow_id: str, run_id: str | None) -> str:
    """Return a run's history as JSON; of its newest run, if none is named.

    Raises
    ------
    CommandError
        There is no such run.
    """
    try:
        history = await client.get_workflow_handle(workflow_id, run_id=run_id).fetch_history()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise CommandError(f"there is no run {workflow_id}") from error
        raise
    return history.to_json()


async def _queue(client: Client, queue: TaskQueue, kind: str) -> QueueView:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueueName(name=queue),
            task_queue_type=_TYPES[kind],
            report_stats=True,
        )
    )
    return QueueView(
        queue=queue,
        kind=kind,
        waiting=answer.stats.approximate_backlog_count,
        oldest_seconds=answer.stats.approximate_backlog_age.ToTimedelta().total_seconds(),
        workers=len({poller.identity for poller in answer.pollers}),
    )


async def _tell_shards(client: Client, *, pausing: bool) -> int:
    told = 0
    async for each in client.list_workflows(_SHARDS):
        handle = client.get_workflow_handle_for(PollShard.run, each.id)
        await handle.signal(PollShard.pause if pausing else PollShard.resume)
        told += 1
    return told
