"""The runs that a person may wait for, as Temporal knows them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowContinuedAsNewError,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    SUMMARY_CHARACTERS,
    PollShard,
    ScheduleFetch,
    SingleFeedIngestion,
    SubscribeFeed,
    feed_ingestion_id,
    poll_shard_id,
    refetch_id,
)
from feedmill.errors import NotFoundError, PayloadUnreadableError, TemporalUnavailableError
from feedmill.models.events import RunRef
from feedmill.models.reader import RunStarted, RunStatus, RunView
from feedmill.models.runs import (
    BatchFetched,
    EntriesProgress,
    FeedIngested,
    FetchBatch,
    IngestFeed,
    IngestionProgress,
    RunStep,
)
from feedmill.models.subscribing import FeedSubscribed, SubscribeProgress
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

# The client tries again for ten seconds, whatever timeout one call has: these bound the whole.
_ANSWER_SECONDS = 4.0
# The front page shows its entries soon, whether Temporal is there or not.
_LIST_SECONDS = 2.0
# A query waits for a worker; a person should not.
_QUERY_SECONDS = 2.0
_RETRY_SECONDS = 1.0
# A refresh is begun by then, whether or not a worker has said so.
_UPDATE_SECONDS = 2.0

_OURS = "WorkflowType = 'SingleFeedIngestion'"
_FEED_INGESTION = re.compile(r"feed-ingestion/([0-9]{1,16})")
_REFETCH = re.compile(r"refetch/([0-9]{1,16})/[0-9]{1,16}")
_SUBSCRIPTION = re.compile(r"subscribe/([0-9]{1,16})/[0-9a-f]{16}")

_STATUSES = {
    WorkflowExecutionStatus.COMPLETED: RunStatus.COMPLETED,
    WorkflowExecutionStatus.CONTINUED_AS_NEW: RunStatus.COMPLETED,
    WorkflowExecutionStatus.FAILED: RunStatus.FAILED,
    WorkflowExecutionStatus.CANCELED: RunStatus.CANCELLED,
    WorkflowExecutionStatus.TERMINATED: RunStatus.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: RunStatus.TIMED_OUT,
}

_Signal = Callable[[PollShard], Awaitable[None]]
_Handle = (
    WorkflowHandle[SingleFeedIngestion, FeedIngested]
    | WorkflowHandle[ScheduleFetch, BatchFetched]
    | WorkflowHandle[SubscribeFeed, FeedSubscribed]
)


class Runs:
    """Starts and follows runs.

    Every method raises `TemporalUnavailableError` when Temporal does not answer, and
    `NotFoundError` when there is no such run.
    """

    def __init__(self, client: Client, shards: int = 1) -> None:
        self.client = client
        self._shards = shards

    async def refresh(self, feed_id: int, url: str) -> RunStarted:
        """Take a feed the whole way now, or join the run that does so already.

        While no worker answers, the run is begun all the same: it goes on when one does.
        """
        workflow_id = feed_ingestion_id(feed_id)
        try:
            async with asyncio.timeout(_UPDATE_SECONDS):
                return await self._refreshed(feed_id, url)
        except (
            TimeoutError,
            RPCError,
            WorkflowUpdateFailedError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
        ) as error:
            # No worker answers, it ended just when it was to be joined, or Temporal is away: the
            # next line tells.
            log.info("refresh without an answer", workflow_id=workflow_id, error=str(error))
        return await self._start_ingestion(feed_id, url)

    async def _refreshed(self, feed_id: int, url: str) -> RunStarted:
        request = IngestFeed(feed_id=feed_id)
        start = WithStartWorkflowOperation(
            SingleFeedIngestion.run,
            request,
            id=feed_ingestion_id(feed_id),
            task_queue=TaskQueue.ORCHESTRATION,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            priority=options.INTERACTIVE,
            static_summary=url[:SUMMARY_CHARACTERS],
        )
        await self.client.execute_update_with_start_workflow(
            SingleFeedIngestion.refresh, request, start_workflow_operation=start
        )
        return started(await start.workflow_handle())

    async def _start_ingestion(self, feed_id: int, url: str) -> RunStarted:
        async with answered_within(_ANSWER_SECONDS):
            handle = await self.client.start_workflow(
                SingleFeedIngestion.run,
                IngestFeed(feed_id=feed_id),
                id=feed_ingestion_id(feed_id),
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                priority=options.INTERACTIVE,
                static_summary=url[:SUMMARY_CHARACTERS],
            )
        return started(handle)

    async def start_refetch(
        self, feed_id: int, entry_id: int, *, title: str, now: datetime
    ) -> RunStarted:
        """Start to fetch an entry again, or join the run under way.

        Parameters
        ----------
        now
            By Postgres's clock: what is asked for from then on is asked for once.
        """
        async with answered_within(_ANSWER_SECONDS):
            handle = await self.client.start_workflow(
                ScheduleFetch.run,
                FetchBatch(entry_ids=(entry_id,), again_since=now),
                id=refetch_id(feed_id, entry_id),
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                priority=options.INTERACTIVE,
                static_summary=title[:SUMMARY_CHARACTERS],
            )
        return started(handle)

    async def wake_shards(self) -> None:
        """Let every shard look at once whether something is due; one that sleeps on does so itself later."""
        await asyncio.gather(*(self._tell(shard, PollShard.wake) for shard in range(self._shards)))

    async def tell_of_pushes(self, shard: int) -> None:
        """Let a shard take at once what hubs have sent; if it is not told, it finds it later."""
        await self._tell(shard, PollShard.pushed)

    async def _tell(self, shard: int, what: _Signal) -> None:
        handle = self.client.get_workflow_handle_for(PollShard.run, poll_shard_id(shard))
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await handle.signal(what)
        except (TimeoutError, RPCError) as error:
            # One that does not run yet begins with a look.
            if not isinstance(error, RPCError) or error.status is not RPCStatusCode.NOT_FOUND:
                log.warning("shard not woken", shard=shard, error=str(error))

    def shard_of(self, feed_id: int) -> int:
        """Return which shard polls a feed."""
        return feed_id % self._shards

    async def recent(self, limit: int = 50) -> list[RunView]:
        """Return the runs started last, newest first, without their progress."""
        async with answered_within(_LIST_SECONDS):
            found = self.client.list_workflows(_OURS, limit=limit, page_size=limit)
            views = [_view(execution) async for execution in found]
        return sorted(filter(None, views), key=lambda view: view.started_at, reverse=True)

    async def find(self, ref: RunRef) -> RunView:
        """Return how a run stands, without its progress."""
        async with answered_within(_ANSWER_SECONDS):
            described = await self._handle(ref).describe()
            view = _view(described)
            if view is None:
                raise NotFoundError("There is no such run.")
            return view.model_copy(update={"about": await _about(described)})

    async def began(self, ref: RunRef, user_id: int) -> bool:
        """Return whether a run is about an address that a user wanted to follow."""
        match = _SUBSCRIPTION.fullmatch(ref.workflow_id)
        if match is None and feed_of(ref.workflow_id) is not None:
            async with answered_within(_ANSWER_SECONDS):
                described: WorkflowExecutionDescription = await self._handle(ref).describe()
            match = _SUBSCRIPTION.fullmatch(described.parent_id or "")
        return match is not None and int(match[1]) == user_id

    async def describe(self, ref: RunRef) -> RunView:
        """Return how a run stands, with its progress as far as anybody can tell."""
        view = await self.find(ref)
        if view.status is RunStatus.RUNNING:
            return _with_progress(view, await self.progress(ref))
        async with answered_within(_ANSWER_SECONDS):
            return await self._with_result(view, ref)

    async def progress(self, ref: RunRef) -> IngestionProgress | None:
        """Return how far a run has come; None while no worker answers."""
        try:
            async with asyncio.timeout(_QUERY_SECONDS):
                return await self._query(ref)
        except (TimeoutError, RPCError, WorkflowQueryFailedError, PayloadUnreadableError):
            return None

    async def until_closed(self, ref: RunRef) -> None:
        """Return when a run has ended, however it did; Temporal may be away meanwhile."""
        while True:
            try:
                await self._handle(ref).result(follow_runs=False)
            except (WorkflowFailureError, WorkflowContinuedAsNewError, PayloadUnreadableError):
                return
            except RPCError:
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _query(self, ref: RunRef) -> IngestionProgress | None:
        if _REFETCH.fullmatch(ref.workflow_id):
            return _of_feed(ref, await self._refetch(ref).query(ScheduleFetch.get_progress))
        if _SUBSCRIPTION.fullmatch(ref.workflow_id):
            return await self._query_reading(
                await self._subscription(ref).query(SubscribeFeed.get_progress)
            )
        return await self._ingestion(ref).query(SingleFeedIngestion.get_progress)

    async def _query_reading(self, subscribing: SubscribeProgress) -> IngestionProgress | None:
        if subscribing.feed_id is None:
            return None
        reading = RunRef(workflow_id=feed_ingestion_id(subscribing.feed_id), run_id="")
        return await self._ingestion(reading).query(SingleFeedIngestion.get_progress)

    async def _with_result(self, view: RunView, ref: RunRef) -> RunView:
        try:
            ended = await self._handle(ref).result(follow_runs=False)
        except (WorkflowContinuedAsNewError, PayloadUnreadableError):
            return view
        except WorkflowFailureError as error:
            return view.model_copy(update={"detail": innermost(error)})
        if isinstance(ended, FeedSubscribed):
            return _with_progress(view, _of_subscription(ended))
        return _with_progress(view, _of_feed(ref, ended.progress))

    def _handle(self, ref: RunRef) -> _Handle:
        if _REFETCH.fullmatch(ref.workflow_id):
            return self._refetch(ref)
        if _SUBSCRIPTION.fullmatch(ref.workflow_id):
            return self._subscription(ref)
        return self._ingestion(ref)

    def _subscription(self, ref: RunRef) -> WorkflowHandle[SubscribeFeed, FeedSubscribed]:
        return self.client.get_workflow_handle_for(
            SubscribeFeed.run, ref.workflow_id, run_id=ref.run_id
        )

    def _ingestion(self, ref: RunRef) -> WorkflowHandle[SingleFeedIngestion, FeedIngested]:
        return self.client.get_workflow_handle_for(
            SingleFeedIngestion.run, ref.workflow_id, run_id=ref.run_id or None
        )

    def _refetch(self, ref: RunRef) -> WorkflowHandle[ScheduleFetch, BatchFetched]:
        return self.client.get_workflow_handle_for(
            ScheduleFetch.run, ref.workflow_id, run_id=ref.run_id
        )


def href(ref: RunRef) -> str:
    """Return where a run is found in the API."""
    return f"/api/v1/runs/{ref.workflow_id}/{ref.run_id}"


def feed_of(workflow_id: str) -> int | None:
    """Return the feed that a run is about, None if it is no run of ours."""
    match = _FEED_INGESTION.fullmatch(workflow_id) or _REFETCH.fullmatch(workflow_id)
    return int(match[1]) if match else None


def started(handle: WorkflowHandle[Any, Any]) -> RunStarted:
    """Return what is said of a run that was begun, or joined."""
    return run_of(RunRef(workflow_id=handle.id, run_id=handle.result_run_id or ""))


def run_of(ref: RunRef) -> RunStarted:
    """Return a run as it is told to whoever wants to follow it."""
    return RunStarted(workflow_id=ref.workflow_id, run_id=ref.run_id, href=href(ref))


async def _about(described: WorkflowExecutionDescription) -> str:
    """Return what a run is about; nothing while it is encrypted with a key that we have not yet, or no more."""
    try:
        return await described.static_summary() or ""
    except PayloadUnreadableError:
        return ""


def _with_progress(view: RunView, progress: IngestionProgress | None) -> RunView:
    feed_id = view.feed_id or (progress.feed_id or None if progress else None)
    return view.model_copy(update={"progress": progress, "feed_id": feed_id})


def _of_subscription(ended: FeedSubscribed) -> IngestionProgress:
    """Return how following ended as the progress of its feed, which is what is shown of every run."""
    if ended.ingested is not None:
        return ended.ingested
    return IngestionProgress(
        feed_id=ended.feed_id or 0, step=RunStep.DONE, reason=ended.reason, detail=ended.detail
    )


def _of_feed(ref: RunRef, progress: EntriesProgress) -> IngestionProgress:
    """Return a run's progress as that of its feed, which is what is shown of every run."""
    if isinstance(progress, IngestionProgress):
        return progress
    feed_id = feed_of(ref.workflow_id) or 0
    return IngestionProgress(feed_id=feed_id, **progress.model_dump(by_alias=False))


def _view(execution: WorkflowExecution) -> RunView | None:
    feed_id = feed_of(execution.id)
    if feed_id is None and not _SUBSCRIPTION.fullmatch(execution.id):
        return None
    ref = RunRef(workflow_id=execution.id, run_id=execution.run_id)
    return RunView(
        workflow_id=ref.workflow_id,
        run_id=ref.run_id,
        href=href(ref),
        feed_id=feed_id,
        status=status_of(execution.status),
        started_at=execution.start_time,
        closed_at=execution.close_time,
    )


def status_of(status: WorkflowExecutionStatus | None) -> RunStatus:
    """Return how a run stands, in our words."""
    return RunStatus.RUNNING if status is None else _STATUSES.get(status, RunStatus.RUNNING)


def innermost(error: WorkflowFailureError) -> str:
    """Return what went wrong at last, without what it went through."""
    cause = error.cause
    while isinstance(cause, FailureError) and cause.cause is not None:
        cause = cause.cause
    return str(cause)


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Turn what Temporal's client raises within the block into errors of ours."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise TemporalUnavailableError(f"Temporal did not answer in {seconds:g} s.") from error
    except RPCError as error:
        # A workflow id that Temporal would never accept is no run either.
        if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
            raise NotFoundError("There is no such run.") from error
        raise TemporalUnavailableError(f"Temporal did not answer: {error.message}") from error
