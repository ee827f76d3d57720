"""What the fleet does by the clock: declared here, and made so whenever an orchestrator starts.

Few and for the fleet itself, never one per feed: a schedule is a workflow of its own, and costs
three actions each time.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from feedmill.config import OrchestratorSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.schedules import PREFIX, schedule_id
from feedmill.contracts.workflows import PruneEntries, Reconcile, Supervise
from feedmill.models.base import Model
from feedmill.models.upkeep import ForgetOld, KeepShards, RepairStages
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)


class Declared(NamedTuple):
    """Something to be done by the clock.

    Attributes
    ----------
    catch_up
        What was missed while Temporal was away is done afterwards if it is no older than this.
    jitter
        By how much a time is put off at the most, so that fleets that share a Temporal do not
        all begin at once.
    """

    name: str
    run: Any
    request: Model
    every: timedelta
    jitter: timedelta
    catch_up: timedelta
    summary: str
    offset: timedelta | None = None


class Reconciled(NamedTuple):
    """What making it so has changed, by name."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def declared(settings: OrchestratorSettings) -> tuple[Declared, ...]:
    """Return what this fleet does by the clock."""
    supervise = Declared(
        name="supervise",
        run=Supervise.run,
        request=KeepShards(shards=settings.poll_shards),
        every=timedelta(minutes=5),
        jitter=timedelta(seconds=10),
        catch_up=timedelta(minutes=1),
        summary="keeps the shards' pollers running",
    )
    reconcile = Declared(
        name="reconcile",
        run=Reconcile.run,
        request=RepairStages(),
        every=timedelta(minutes=15),
        jitter=timedelta(minutes=1),
        catch_up=timedelta(minutes=15),
        summary="picks up entries that have stalled",
    )
    prune = Declared(
        name="prune",
        run=PruneEntries.run,
        request=ForgetOld(keep_days=settings.retention_days),
        every=timedelta(days=1),
        # When people sleep, in much of the world.
        offset=timedelta(hours=3),
        jitter=timedelta(minutes=30),
        catch_up=timedelta(hours=12),
        summary="forgets what is old",
    )
    return (supervise, reconcile, prune) if settings.retention_days else (supervise, reconcile)


async def reconcile_schedules(client: Client, wanted: Sequence[Declared]) -> Reconciled:
    """Make Temporal's schedules those that are declared: the rest of ours go, others' stay.

    What a person has paused stays paused.
    """
    removed = await _remove_others(client, {each.name for each in wanted})
    created, updated = [], []
    for each in wanted:
        if await _create(client, each):
            created.append(each.name)
        elif await _update(client, each):
            updated.append(each.name)
    changes = Reconciled(tuple(created), tuple(updated), removed)
    if any(changes):
        log.info("schedules changed", **changes._asdict())
    return changes


async def _remove_others(client: Client, names: set[str]) -> tuple[str, ...]:
    ours = [each.id async for each in await client.list_schedules() if each.id.startswith(PREFIX)]
    left = [each for each in ours if each.removeprefix(PREFIX) not in names]
    for each in left:
        await client.get_schedule_handle(each).delete()
    return tuple(sorted(each.removeprefix(PREFIX) for each in left))


async def _create(client: Client, wanted: Declared) -> bool:
    try:
        await client.create_schedule(schedule_id(wanted.name), _schedule(wanted))
    except ScheduleAlreadyRunningError:
        return False
    return True


async def _update(client: Client, wanted: Declared) -> bool:
    changed = False

    async def update(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        nonlocal changed
        stands = found.description.schedule
        changed = not await _is_so(client, stands, wanted)
        # Whether it is paused, and why, is a person's.
        return ScheduleUpdate(_schedule(wanted, stands)) if changed else None

    await client.get_schedule_handle(schedule_id(wanted.name)).update(update)
    return changed


async def _is_so(client: Client, stands: Schedule, wanted: Declared) -> bool:
    schedule = _schedule(wanted)
    return (
        stands.policy == schedule.policy
        and stands.spec.intervals == schedule.spec.intervals
        and stands.spec.jitter == schedule.spec.jitter
        and await _does_so(client, stands, wanted)
    )


async def _does_so(client: Client, stands: Schedule, wanted: Declared) -> bool:
    action = stands.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        return False
    (request,) = await client.data_converter.decode(action.args, [type(wanted.request)])
    name = wanted.run.__qualname__.split(".")[0]
    return (action.workflow, action.task_queue, request) == (
        name,
        TaskQueue.ORCHESTRATION,
        wanted.request,
    )


def _schedule(wanted: Declared, stands: Schedule | None = None) -> Schedule:
    action = ScheduleActionStartWorkflow(
        wanted.run,
        wanted.request,
        id=wanted.name,
        task_queue=TaskQueue.ORCHESTRATION,
        static_summary=wanted.summary,
    )
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=wanted.every, offset=wanted.offset)],
            jitter=wanted.jitter,
        ),
        policy=SchedulePolicy(
            # One at a time is enough of each: what it left, the next one finds.
            overlap=ScheduleOverlapPolicy.SKIP,
            catchup_window=wanted.catch_up,
        ),
    )
    if stands is not None:
        schedule.state = stands.state
    return schedule
