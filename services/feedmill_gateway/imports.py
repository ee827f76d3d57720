"""Imports of lists, as Temporal knows them."""

import asyncio

from temporalio.client import (
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import ImportSubscriptions, import_id
from feedmill.errors import NotFoundError, PayloadUnreadableError, TemporalUnavailableError
from feedmill.models.lists import ImportEnded, ImportList
from feedmill.models.reader import RunStatus
from feedmill_gateway.runs import Runs, answered_within, status_of

_ANSWER_SECONDS = 4.0

_Handle = WorkflowHandle[ImportSubscriptions, ImportEnded]


class Imports:
    """Begins imports, and tells how they stand.

    An import is known by its user and the hash of its file: the same file is imported once at a time.
    """

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def begin(self, user_id: int, file_hash: str, stored_id: int) -> None:
        """Let a stored list be followed, by the run that does so already if there is one.

        Raises
        ------
        TemporalUnavailableError
            Temporal did not answer.
        """
        async with answered_within(_ANSWER_SECONDS):
            await self._runs.client.start_workflow(
                ImportSubscriptions.run,
                ImportList(import_id=stored_id),
                id=import_id(user_id, file_hash),
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                priority=options.INTERACTIVE,
                # One that was about to end looks again: lines may wait that it has not seen.
                start_signal="again",
                static_summary="a list of feeds",
            )

    async def ended_within(self, seconds: float, user_id: int, file_hash: str) -> None:
        """Return when an import has ended, however it did, or after so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._handle(user_id, file_hash).result()
        except (
            TimeoutError,
            RPCError,
            WorkflowFailureError,
            WorkflowContinuedAsNewError,
            PayloadUnreadableError,
        ):
            return

    async def status(self, user_id: int, file_hash: str) -> RunStatus | None:
        """Return how an import's run stands; None while nobody can tell, or when it is forgotten."""
        try:
            async with answered_within(_ANSWER_SECONDS):
                described = await self._handle(user_id, file_hash).describe()
        except (TemporalUnavailableError, NotFoundError):
            return None
        return status_of(described.status)

    async def cancel(self, user_id: int, file_hash: str) -> None:
        """Let an import end where it stands; what is followed stays so. One that has ended stays as it is.

        Raises
        ------
        NotFoundError
            Its run is forgotten.
        TemporalUnavailableError
            Temporal did not answer.
        """
        async with answered_within(_ANSWER_SECONDS):
            await self._handle(user_id, file_hash).cancel()

    def _handle(self, user_id: int, file_hash: str) -> _Handle:
        return self._runs.client.get_workflow_handle_for(
            ImportSubscriptions.run, import_id(user_id, file_hash)
        )
