"""Several releases at once: short runs end as they began, long ones move on, and back."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import ContentDistillation, PollShard
from feedmill.errors import SettingsError
from feedmill.models.runs import DistillBatch, TendShard
from feedmill.worker.rollout import roll_back, rollout_of, set_current, set_ramp
from feedmill.worker.run import build_worker
from feedmill.worker.versions import deployment_of
from feedmill_orchestrator.beginning import be_first, until_answered
from feedmill_orchestrator.registry import LONG_LIVED, WORKFLOWS
from feedmill_orchestrator.replaying import name_of
from support.person import Person
from support.programs import another_temporal

LONG = TendShard(rest_seconds=3_600, longest_rest_seconds=3_600, paused=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def alone() -> AsyncIterator[Client]:
    """A Temporal of its own: what is versioned on a queue concerns everybody on it."""
    async with another_temporal() as client:
        yield client


def worker(client: Client, deployment: str, build: str) -> Worker:
    return build_worker(
        client,
        TaskQueue.ORCHESTRATION,
        workflows=WORKFLOWS,
        deployment=deployment_of(
            {"TEMPORAL_DEPLOYMENT_NAME": deployment, "TEMPORAL_WORKER_BUILD_ID": build}
        ),
        long_lived=LONG_LIVED,
    )


async def build_of(handle: WorkflowHandle[object, object]) -> str:
    described = await handle.describe()
    info = described.raw_description.workflow_execution_info.versioning_info
    return info.deployment_version.build_id


async def until_build(
    handle: WorkflowHandle[object, object], build: str, *, poke: str | None = None
) -> None:
    """Wait until a build has a run; one that rests is moved with its next task."""
    async with asyncio.timeout(30):
        while await build_of(handle) != build:
            if poke is not None:
                await handle.signal(poke)
            await asyncio.sleep(0.1)


async def begun(client: Client, run: object, request: object) -> WorkflowHandle[object, object]:
    return await client.start_workflow(
        run,  # type: ignore[call-overload]
        request,
        id=f"test/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )


async def test_an_old_build_ends_its_short_runs_while_the_new_one_takes_over(
    alone: Client,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", alone.service_client.config.target_host)
    name = f"orchestrator-{uuid.uuid4().hex[:8]}"
    first, second = worker(alone, name, "one"), worker(alone, name, "two")
    version = first.config()["deployment_config"]
    assert version is not None
    # Nobody distils: the batch stays open until it is told to end.
    async with first:
        await until_answered(lambda: be_first(alone, version.version), wait_seconds=0.2)
        short = await begun(alone, ContentDistillation.run, DistillBatch(entry_ids=(1,)))
        long = await begun(alone, PollShard.run, LONG)
        await until_build(short, "one")
        await until_build(long, "one")
        async with second:
            await until_known(alone, name, "two")
            # What the workers have logged so far is no command's answer.
            capsys.readouterr()
            said = await person.types(
                "rollout", "ramp", "two", "--percent", "100", "--deployment", name
            )
            assert said.code == 0
            assert said.out.endswith("two takes 100 % of new runs.\n")
            ramped = await begun(alone, ContentDistillation.run, DistillBatch(entry_ids=(1,)))
            await until_build(ramped, "two")
            assert await roll_back(alone, name) == "one"
            again = await begun(alone, ContentDistillation.run, DistillBatch(entry_ids=(1,)))
            await until_build(again, "one")

            assert (await person.types("rollout", "current", "two", "--deployment", name)).code == 0
            await until_build(long, "two", poke="wake")
            new = await begun(alone, ContentDistillation.run, DistillBatch(entry_ids=(1,)))
            await until_build(new, "two")
            # The old build still has what it began.
            assert await build_of(short) == "one"
            shown = await person.types("rollout", "status", "--json", "--deployment", name)
            assert json.loads(shown.out[shown.out.index("{\n") :])["current"] == "two"

            back = await person.types("rollout", "back", "--deployment", name)
            assert back.out.endswith("one takes every new run.\n")
            assert (await rollout_of(alone, name)).current == "one"
            await set_ramp(alone, name, "two", 10)
            status = await person.types("rollout", "status", "--deployment", name)
            assert "ramping: two, 10 % of new runs" in status.out
            for handle in (short, long, ramped, again, new):
                await handle.terminate()


async def until_known(client: Client, name: str, build: str) -> None:
    async with asyncio.timeout(30):
        while build not in {each.build_id for each in (await rollout_of(client, name)).releases}:
            await asyncio.sleep(0.1)


async def test_a_second_build_does_not_push_itself_forward(alone: Client) -> None:
    name = f"orchestrator-{uuid.uuid4().hex[:8]}"
    first, second = worker(alone, name, "one"), worker(alone, name, "two")
    version = second.config()["deployment_config"]
    assert version is not None
    async with first, second:
        await until_answered(lambda: set_current(alone, name, "one"), wait_seconds=0.2)
        await be_first(alone, version.version)

        assert (await rollout_of(alone, name)).current == "one"


def test_without_a_version_there_is_none() -> None:
    assert deployment_of({}) is None


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"),
        ("TEMPORAL_WORKER_BUILD_ID", "TEMPORAL_DEPLOYMENT_NAME"),
    ],
)
def test_half_a_version_is_refused(name: str, missing: str) -> None:
    with pytest.raises(SettingsError, match=missing):
        deployment_of({name: "x"})


def test_the_long_lived_are_workflows_of_ours() -> None:
    assert {name_of(each) for each in WORKFLOWS} > LONG_LIVED
