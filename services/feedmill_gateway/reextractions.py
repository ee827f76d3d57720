"""Reextractions, as Temporal knows them."""

import asyncio
import re
from datetime import datetime

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import Reextract, reextract_id
from feedmill.errors import NotFoundError
from feedmill.models.events import RunRef
from feedmill.models.reader import ReextractionView, RunStatus
from feedmill.models.reextraction import Reextracted, ReextractionProgress, ReextractKept
from feedmill_gateway.runs import answered_within, innermost, status_of

_ANSWER_SECONDS = 4.0
_QUERY_SECONDS = 2.0

_OURS = re.compile(r"reextract/(all|[0-9]{1,16})")


class Reextractions:
    """Starts and follows reextractions.

    Every method raises `TemporalUnavailableError` when Temporal does not answer, and
    `NotFoundError` when there is no such reextraction.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def start(self, feed_id: int | None, since: datetime | None) -> ReextractionView:
        """Read kept pages anew, or join the run under way."""
        async with answered_within(_ANSWER_SECONDS):
            handle = await self._client.start_workflow(
                Reextract.run,
                ReextractKept(feed_id=feed_id, since=since),
                id=reextract_id(feed_id),
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )
        return _view(RunRef(workflow_id=handle.id, run_id=handle.result_run_id or ""))

    async def describe(self, ref: RunRef) -> ReextractionView:
        """Return how a reextraction stands; one that became too long is followed where it goes on."""
        if _OURS.fullmatch(ref.workflow_id) is None:
            raise NotFoundError("There is no such reextraction.")
        async with answered_within(_ANSWER_SECONDS):
            described = await self._handle(ref.workflow_id, ref.run_id).describe()
            if described.status is WorkflowExecutionStatus.CONTINUED_AS_NEW:
                described = await self._handle(ref.workflow_id).describe()
            status = status_of(described.status)
            if status is RunStatus.FAILED:
                return _view(ref, status, detail=await self._why(described))
        return _view(ref, status, await self._progress(described))

    def _handle(
        self, workflow_id: str, run_id: str | None = None
    ) -> WorkflowHandle[Reextract, Reextracted]:
        return self._client.get_workflow_handle_for(Reextract.run, workflow_id, run_id=run_id)

    async def _progress(self, described: WorkflowExecution) -> ReextractionProgress | None:
        handle = self._handle(described.id, described.run_id)
        try:
            async with asyncio.timeout(_QUERY_SECONDS):
                return await handle.query(Reextract.get_progress)
        except (TimeoutError, RPCError, WorkflowQueryFailedError):
            return None

    async def _why(self, described: WorkflowExecution) -> str:
        try:
            await self._handle(described.id, described.run_id).result(follow_runs=False)
        except WorkflowFailureError as error:
            return innermost(error)
        return ""


def _view(
    ref: RunRef,
    status: RunStatus = RunStatus.RUNNING,
    progress: ReextractionProgress | None = None,
    detail: str = "",
) -> ReextractionView:
    return ReextractionView(
        workflow_id=ref.workflow_id,
        run_id=ref.run_id,
        href=f"/api/v1/reextractions/{ref.workflow_id}/{ref.run_id}",
        status=status,
        progress=progress,
        detail=detail,
    )
