"""Following what a list names, slice by slice."""

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from feedmill.contracts.activities import ImportActivities
from feedmill.contracts.workflows import PollShard, poll_shard_id
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.lists import FollowListed, ListedFollowed
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.worker import current_run, heartbeating

log = get_logger(__name__)


class Importer(ImportActivities):
    """Serves `TaskQueue.ORCHESTRATION`."""

    def __init__(self, store: Store, shards: int = 1) -> None:
        self._store = store
        self._shards = shards

    @activity.defn
    async def follow_listed(self, request: FollowListed) -> ListedFollowed:
        async with heartbeating():
            async with self._store.transaction() as tx:
                before = await tx.imports.progress(request.import_id)
                new = await tx.imports.follow_next(request.import_id, request.limit)
                run = current_run()
                tx.events.append(
                    *(NewEvent(kind=EventKind.FEED_ADDED, feed_id=each, run=run) for each in new)
                )
                progress = await tx.imports.progress(request.import_id)
            # All of a long list is looked for soon; those in between have been told.
            if progress.added and (not before.added or not progress.waiting):
                await self._wake_shards(activity.client())
        return ListedFollowed(progress=progress)

    async def _wake_shards(self, client: Client) -> None:
        for shard in range(self._shards):
            handle = client.get_workflow_handle_for(PollShard.run, poll_shard_id(shard))
            try:
                await handle.signal(PollShard.wake)
            except RPCError as error:
                # One that does not run yet begins with a look; one that sleeps on looks later.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    log.warning("shard not woken", shard=shard, error=error.message)
