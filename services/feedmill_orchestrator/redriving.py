"""Taking entries back from dead ends."""

from temporalio import activity

from feedmill.contracts.activities import RedriveActivities
from feedmill.contracts.workflows import content_distillation_id, schedule_fetch_id
from feedmill.models.entries import Stage
from feedmill.models.redriving import CountDeadEnds, DeadEndsCounted, RedriveSlice, SliceRedriven
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.worker import heartbeating

log = get_logger(__name__)


class Redriver(RedriveActivities):
    """Serves `TaskQueue.ORCHESTRATION`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def count_dead_ends(self, request: CountDeadEnds) -> DeadEndsCounted:
        async with heartbeating(), self._store.transaction() as tx:
            ends = await tx.redriving.count(feed_id=request.feed_id, host=request.host)
        return DeadEndsCounted(ends=tuple(ends))

    @activity.defn
    async def redrive_slice(self, request: RedriveSlice) -> SliceRedriven:
        owners = {
            Stage.NEW: schedule_fetch_id(request.batch),
            Stage.FETCHED: content_distillation_id(request.batch),
        }
        async with heartbeating(), self._store.transaction() as tx:
            found = await tx.upkeep.owned_by(owners.values())
            if not any(found.values()):
                found = await tx.redriving.take_back(
                    request.reason,
                    owners,
                    feed_id=request.feed_id,
                    host=request.host,
                    after=request.after_entry_id,
                    limit=request.limit,
                )
        for stage, entry_ids in found.items():
            if entry_ids:
                log.info(
                    "entries redriven", reason=request.reason, to=stage, entries=len(entry_ids)
                )
        return SliceRedriven(new_entry_ids=found[Stage.NEW], fetched_entry_ids=found[Stage.FETCHED])
