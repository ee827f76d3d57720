import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
)

from feedmill.contracts.schedules import schedule_id
from feedmill_cli.errors import EXIT_NOT_RUNNING, NotRunningError
from feedmill_cli.stack.folder import Folder
from feedmill_cli.temporal.place import address_of
from support.person import Person


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:8]}"


@pytest_asyncio.fixture
async def schedule(temporal: Client, name: str) -> AsyncIterator[ScheduleHandle]:
    """A schedule of ours, with nobody to do what it says."""
    action = ScheduleActionStartWorkflow("Supervise", id=name, task_queue=name)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=2))])
    handle = await temporal.create_schedule(schedule_id(name), Schedule(action=action, spec=spec))
    yield handle
    await handle.delete()


@pytest.fixture(autouse=True)
def _named(temporal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)


async def test_schedules_are_listed_paused_and_resumed(
    person: Person, schedule: ScheduleHandle, name: str
) -> None:
    assert (await person.types("schedules", "pause", name, "--note", "moving house")).code == 0
    paused = (await schedule.describe()).schedule.state
    listed = await until_listed(person, name)
    assert (await person.types("schedules", "resume", name)).code == 0
    resumed = (await schedule.describe()).schedule.state

    assert (paused.paused, paused.note) == (True, "moving house")
    assert "2 h" in listed
    assert "paused: moving house" in listed
    assert resumed.paused is False


async def test_a_schedule_is_triggered(person: Person, schedule: ScheduleHandle, name: str) -> None:
    said = await person.types("schedules", "trigger", name)

    async with asyncio.timeout(20):
        while not (await schedule.describe()).info.num_actions:
            await asyncio.sleep(0.05)
    assert (said.code, said.out) == (0, f"{name} has been triggered.\n")


async def test_schedules_are_told_to_programs(
    person: Person, schedule: ScheduleHandle, name: str
) -> None:
    await until_listed(person, name)
    said = await person.types("schedules", "list", "--json")

    (found,) = [each for each in json.loads(said.out)["items"] if each["name"] == name]
    assert (found["everySeconds"], found["paused"], found["runs"]) == (7_200, False, 0)
    assert found["nextAt"]


async def test_a_schedule_that_does_not_exist_is_named(person: Person) -> None:
    said = await person.types("schedules", "pause", "nonsense")

    assert said.code == 1
    assert "there is no schedule nonsense" in said.err


async def test_a_temporal_that_is_not_there_is_told(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    said = await person.types("schedules", "list")

    assert said.code == 1
    assert "Temporal does not answer" in said.err


def test_without_a_fleet_here_nobody_is_asked(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match="set TEMPORAL_ADDRESS") as refused:
        address_of(Folder(tmp_path / "feedmill"), {})

    assert refused.value.exit_code == EXIT_NOT_RUNNING


async def until_listed(person: Person, name: str) -> str:
    """Return what is listed, once visibility has caught up."""
    async with asyncio.timeout(20):
        while True:
            said = await person.types("schedules", "list")
            if name in said.out:
                return said.out
            await asyncio.sleep(0.1)
