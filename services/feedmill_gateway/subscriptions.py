"""Following feeds, as Temporal knows it: the saga that leaves all of it or nothing."""

import asyncio
from typing import NamedTuple

from temporalio.client import (
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import (
    NOT_FOLLOWED,
    SUMMARY_CHARACTERS,
    SubscribeFeed,
    feed_ingestion_id,
    subscribe_feed_id,
)
from feedmill.errors import FollowingFailedError, PayloadUnreadableError, UrlRefusedError
from feedmill.models.events import RunRef
from feedmill.models.reader import RunStarted
from feedmill.models.subscribing import FeedSubscribed, FollowingBegun, SubscribeToFeed
from feedmill.telemetry.logs import get_logger
from feedmill_gateway.runs import Runs, answered_within, run_of, started

log = get_logger(__name__)

_ANSWER_SECONDS = 4.0
# Some statements on a database that answers; a page waits no longer for one that does not.
_FOLLOWED_SECONDS = 4.0

_Handle = WorkflowHandle[SubscribeFeed, FeedSubscribed]


class Following(NamedTuple):
    """What has come of following an address so far.

    Attributes
    ----------
    feed_id
        None while it is not followed yet.
    run
        The run that reads the feed; until there is one, that which lets it be followed.
    """

    feed_id: int | None
    run: RunStarted


class Subscriptions:
    """Begins to follow feeds."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def begin(self, user_id: int, url: str) -> Following:
        """Let a user follow the feed at `url`, or join the run that does so already.

        Answers as soon as the feed is followed, and after some seconds in any case: the run goes
        on by itself.

        Raises
        ------
        UrlRefusedError
            Those who ask feeds do not ask that address.
        FollowingFailedError
            A fault of ours; what was begun is undone.
        TemporalUnavailableError
            Temporal did not answer: nothing is begun.
        """
        handle = await self._start(user_id, url)
        begun = await self._begun(handle)
        if begun is None:
            return Following(None, started(handle))
        if begun.reason is not None:
            raise UrlRefusedError(begun.detail, reason=begun.reason)
        return Following(begun.feed_id, await self._reading(begun, url))

    async def _start(self, user_id: int, url: str) -> _Handle:
        async with answered_within(_ANSWER_SECONDS):
            return await self._runs.client.start_workflow(
                SubscribeFeed.run,
                SubscribeToFeed(user_id=user_id, url=url),
                id=subscribe_feed_id(user_id, url),
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                priority=options.INTERACTIVE,
                static_summary=url[:SUMMARY_CHARACTERS],
            )

    async def _begun(self, handle: _Handle) -> FollowingBegun | None:
        """Return what has come of it; None when nobody can tell in time, or it has just ended."""
        # Begun it is, whatever becomes of this question: what fails from here on is told by the run.
        try:
            async with asyncio.timeout(_FOLLOWED_SECONDS):
                return await handle.execute_update(SubscribeFeed.followed)
        except WorkflowUpdateFailedError as error:
            if isinstance(error.cause, ApplicationError) and error.cause.type == NOT_FOLLOWED:
                raise FollowingFailedError(error.cause.message) from error
            log.warning("following not told", workflow_id=handle.id, error=str(error.cause))
        except (
            TimeoutError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
            RPCError,
            PayloadUnreadableError,
        ) as error:
            log.info("following takes long", workflow_id=handle.id, error=str(error))
        return None

    async def _reading(self, begun: FollowingBegun, url: str) -> RunStarted:
        feed_id = begun.feed_id or 0
        if begun.ingestion_run_id is None:
            # Somebody else's run reads it already.
            return await self._runs.refresh(feed_id, url)
        return run_of(RunRef(workflow_id=feed_ingestion_id(feed_id), run_id=begun.ingestion_run_id))
