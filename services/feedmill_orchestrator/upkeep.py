"""Keeping the fleet whole by itself: shards that run, stages that move, old entries that go."""

from collections.abc import Iterable
from datetime import timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from feedmill.contracts.activities import UpkeepActivities
from feedmill.contracts.workflows import content_distillation_id, schedule_fetch_id
from feedmill.errors import TemporalUnavailableError
from feedmill.models.entries import Stage
from feedmill.models.runs import TendShard
from feedmill.models.upkeep import (
    KeepShards,
    PickUpStalled,
    PruneSlice,
    ShardsKept,
    SlicePruned,
    StalledPickedUp,
)
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_PICKED_UP, ENTRIES_PRUNED, ENTRIES_STALLED
from feedmill.worker import heartbeating
from feedmill_orchestrator.shards import start_shard

log = get_logger(__name__)


class Upkeep(UpkeepActivities):
    """Serves `TaskQueue.ORCHESTRATION`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def keep_shards(self, request: KeepShards) -> ShardsKept:
        started = 0
        async with heartbeating():
            for shard in range(request.shards):
                tended = TendShard(shard=shard, shards=request.shards)
                try:
                    started += await start_shard(activity.client(), tended)
                except RPCError as error:
                    raise _unavailable(error) from error
        if started:
            log.warning("shards started that did not run", started=started)
        return ShardsKept(running=request.shards - started, started=started)

    @activity.defn
    async def pick_up_stalled(self, request: PickUpStalled) -> StalledPickedUp:
        after = timedelta(seconds=request.stalled_after_seconds)
        owners = {
            Stage.NEW: schedule_fetch_id(request.batch),
            Stage.FETCHED: content_distillation_id(request.batch),
        }
        async with heartbeating():
            async with self._store.transaction() as tx:
                charged = await tx.upkeep.owners_of_stalled(after)
            living = await _living(activity.client(), charged)
            async with self._store.transaction() as tx:
                found = await tx.upkeep.owned_by(owners.values())
                if not any(found.values()):
                    found = await tx.upkeep.pick_up(
                        after, request.most, owners=owners, living=living
                    )
                    _count(found)
                left = await tx.upkeep.count_stalled(after, living)
        ENTRIES_STALLED.set(left)
        return StalledPickedUp(
            new_entry_ids=found[Stage.NEW], fetched_entry_ids=found[Stage.FETCHED], left=left
        )

    @activity.defn
    async def prune_slice(self, request: PruneSlice) -> SlicePruned:
        async with heartbeating(), self._store.transaction() as tx:
            pruned = await tx.upkeep.prune(
                timedelta(days=request.keep_days),
                keep_newest=request.keep_newest,
                after=request.after_entry_id,
                limit=request.limit,
            )
        ENTRIES_PRUNED.inc(pruned.pruned)
        return pruned


def _count(found: dict[Stage, tuple[int, ...]]) -> None:
    for stage, entry_ids in found.items():
        ENTRIES_PICKED_UP.labels(stage).inc(len(entry_ids))
        if entry_ids:
            log.warning("stalled entries picked up", stage=stage, entries=len(entry_ids))


async def _living(client: Client, workflow_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple([each for each in workflow_ids if await _lives(client, each)])


async def _lives(client: Client, workflow_id: str) -> bool:
    try:
        described = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise _unavailable(error) from error
    return described.status is WorkflowExecutionStatus.RUNNING


def _unavailable(error: RPCError) -> TemporalUnavailableError:
    return TemporalUnavailableError(f"Temporal did not answer: {error.message}")
