import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleDescription,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)
from temporalio.service import RPCError, RPCStatusCode

from feedmill.config import OrchestratorSettings
from feedmill.contracts.schedules import PREFIX, schedule_id
from feedmill.models.upkeep import ForgetOld, KeepShards
from feedmill_orchestrator.beginning import until_answered
from feedmill_orchestrator.schedules import Reconciled, declared, reconcile_schedules
from support.fleet import ScriptedIngestion, fleet


def settings(**more: int) -> OrchestratorSettings:
    return OrchestratorSettings.model_validate({"database_url": "postgresql://nowhere", **more})


WITHOUT, WITH = declared(settings()), declared(settings(retention_days=90))


async def ours(client: Client) -> list[str]:
    listed = [each.id async for each in await client.list_schedules()]
    return sorted(each for each in listed if each.startswith(PREFIX))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.05)


async def described(client: Client, name: str) -> ScheduleDescription:
    return await client.get_schedule_handle(schedule_id(name)).describe()


@pytest_asyncio.fixture
async def clean(temporal: Client) -> AsyncIterator[Client]:
    """A Temporal without schedules of ours, before and after."""
    yield temporal
    await reconcile_schedules(temporal, ())

    async def is_clean() -> bool:
        return not await ours(temporal)

    await until(is_clean)


def listed(client: Client, *names: str) -> Callable[[], Awaitable[bool]]:
    """Visibility follows a little later."""

    async def is_so() -> bool:
        return await ours(client) == sorted(map(schedule_id, names))

    return is_so


def test_every_schedule_says_how_it_behaves() -> None:
    assert [each.name for each in WITHOUT] == ["supervise", "reconcile"]
    assert [each.name for each in WITH] == ["supervise", "reconcile", "prune"]
    assert WITH[2].request == ForgetOld(keep_days=90)
    for each in WITH:
        # What is put off must not reach the next time, nor be caught up with after it.
        assert each.jitter < each.every / 2
        assert timedelta(0) < each.catch_up <= each.every


async def test_schedules_are_created_updated_and_removed(clean: Client) -> None:
    created = await reconcile_schedules(clean, WITH)
    again = await reconcile_schedules(clean, WITH)
    more_shards = declared(settings(poll_shards=4, retention_days=90))
    updated = await reconcile_schedules(clean, more_shards)
    await until(listed(clean, "supervise", "reconcile", "prune"))
    removed = await reconcile_schedules(clean, declared(settings(poll_shards=4)))

    supervise = await described(clean, "supervise")
    action = supervise.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert created == Reconciled(created=("supervise", "reconcile", "prune"))
    assert again == Reconciled()
    assert updated == Reconciled(updated=("supervise",))
    assert removed == Reconciled(removed=("prune",))
    assert await clean.data_converter.decode(action.args, [KeepShards]) == [KeepShards(shards=4)]
    assert supervise.schedule.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert supervise.schedule.policy.catchup_window == timedelta(minutes=1)
    assert supervise.schedule.spec.jitter == timedelta(seconds=10)


async def test_what_a_person_paused_stays_paused_and_others_schedules_stay(clean: Client) -> None:
    await reconcile_schedules(clean, WITHOUT)
    await clean.get_schedule_handle(schedule_id("supervise")).pause(note="moving house")
    foreign = await clean.create_schedule(
        "another's",
        Schedule(
            action=ScheduleActionStartWorkflow("Another", id="another", task_queue="another"),
            spec=ScheduleSpec(),
        ),
    )
    try:
        changes = await reconcile_schedules(clean, declared(settings(poll_shards=3)))
        state = (await described(clean, "supervise")).schedule.state
        assert (await foreign.describe()).id == "another's"
    finally:
        await foreign.delete()

    assert changes == Reconciled(updated=("supervise",))
    assert (state.paused, state.note) == (True, "moving house")


async def test_a_schedule_runs_its_workflow(clean: Client) -> None:
    await reconcile_schedules(clean, WITHOUT)
    async with fleet(clean, ScriptedIngestion()):
        handle = clean.get_schedule_handle(schedule_id("reconcile"))
        await handle.trigger()

        async def has_run() -> bool:
            return bool((await handle.describe()).info.recent_actions)

        await until(has_run)
        (action,) = (await handle.describe()).info.recent_actions
        run = clean.get_workflow_handle(action.action.workflow_id)  # type: ignore[union-attr]
        assert (await run.result())["picked_up"] == 0


async def test_a_temporal_that_is_away_is_asked_again() -> None:
    askings = 0

    async def ask() -> None:
        nonlocal askings
        askings += 1
        if askings < 3:
            raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    await until_answered(ask, wait_seconds=0)

    assert askings == 3


async def test_what_is_our_own_fault_is_not_asked_again() -> None:
    async def ask() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await until_answered(ask, wait_seconds=0)
