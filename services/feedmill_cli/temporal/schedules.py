"""The fleet's schedules, as Temporal knows them."""

from pydantic import AwareDatetime
from temporalio.client import Client, ScheduleDescription, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode

from feedmill.contracts.schedules import PREFIX, schedule_id
from feedmill.models.base import BrowserModel
from feedmill_cli.errors import CommandError


class ScheduleView(BrowserModel):
    """How a schedule stands."""

    name: str
    every_seconds: int
    paused: bool
    note: str = ""
    runs: int = 0
    skipped: int = 0
    missed: int = 0
    last_at: AwareDatetime | None = None
    next_at: AwareDatetime | None = None


async def all_schedules(client: Client) -> list[ScheduleView]:
    """Return every schedule of ours, by name."""
    ids = [each.id async for each in await client.list_schedules() if each.id.startswith(PREFIX)]
    views = [_view(await client.get_schedule_handle(each).describe()) for each in sorted(ids)]
    return sorted(views, key=lambda view: view.name)


async def pause(client: Client, name: str, note: str) -> None:
    """Let a schedule do nothing until it is resumed."""
    await (await _handle(client, name)).pause(note=note)


async def resume(client: Client, name: str, note: str) -> None:
    """Let a paused schedule go on."""
    await (await _handle(client, name)).unpause(note=note)


async def trigger(client: Client, name: str) -> None:
    """Do what a schedule does, now; if it is being done, that will do."""
    await (await _handle(client, name)).trigger()


async def _handle(client: Client, name: str) -> ScheduleHandle:
    handle = client.get_schedule_handle(schedule_id(name))
    try:
        await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise CommandError(
                f"there is no schedule {name}: see `feedmill schedules list`"
            ) from error
        raise
    return handle


def _view(found: ScheduleDescription) -> ScheduleView:
    info, state = found.info, found.schedule.state
    intervals = [int(each.every.total_seconds()) for each in found.schedule.spec.intervals]
    return ScheduleView(
        name=found.id.removeprefix(PREFIX),
        every_seconds=min(intervals, default=0),
        paused=state.paused,
        note=state.note or "",
        runs=info.num_actions,
        skipped=info.num_actions_skipped_overlap,
        missed=info.num_actions_missed_catchup_window,
        last_at=info.recent_actions[-1].started_at if info.recent_actions else None,
        next_at=info.next_action_times[0] if info.next_action_times and not state.paused else None,
    )
