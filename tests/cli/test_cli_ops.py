"""`feedmill ops` against a real Temporal."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleSpec,
    WorkflowHandle,
    WorkflowHistory,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.schedules import schedule_id
from feedmill.contracts.workflows import PollShard, Redrive, poll_shard_id, redrive_id
from feedmill.models.feeds import FeedFailed, FeedPolled, PollOutcome
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import RedriveEnded, SliceRedriven
from feedmill.models.runs import TendShard
from support.fleet import ScriptedHandOver, ScriptedIngestion, ScriptedRedriver, fleet
from support.person import Person


@workflow.defn
class Broken:
    @workflow.run
    async def run(self) -> None:
        raise RuntimeError("no failure of the run, but of its task")


@pytest.fixture(autouse=True)
def _named(temporal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal.service_client.config.target_host)


@pytest_asyncio.fixture
async def shard(temporal: Client) -> AsyncIterator[WorkflowHandle[PollShard, None]]:
    """A shard that nobody runs: what it is told stands in its history."""
    handle = await temporal.start_workflow(
        PollShard.run,
        TendShard(shard=7, shards=8),
        id=poll_shard_id(7),
        task_queue=TaskQueue.ORCHESTRATION,
    )
    yield handle
    await handle.terminate()


@pytest_asyncio.fixture
async def schedules(temporal: Client) -> AsyncIterator[list[ScheduleHandle]]:
    made = []
    for name in (f"test-{uuid.uuid4().hex[:8]}" for _ in range(2)):
        action = ScheduleActionStartWorkflow("Supervise", id=name, task_queue=name)
        spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=2))])
        schedule = Schedule(action=action, spec=spec)
        made.append(await temporal.create_schedule(schedule_id(name), schedule))
    yield made
    for each in made:
        await each.delete()


async def told(handle: WorkflowHandle[PollShard, None]) -> list[str]:
    """Return the signals that a run was sent, in order."""
    history = await handle.fetch_history()
    return [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]


async def until_shown(person: Person, *words: str, shows: str) -> str:
    """Type a command until it shows something: what Temporal lists is a little late."""
    async with asyncio.timeout(90):
        while shows not in (said := await person.types("ops", *words)).out:
            await asyncio.sleep(0.5)
    return said.out


async def test_the_whole_fleet_is_paused_and_goes_on(
    person: Person,
    temporal: Client,
    shard: WorkflowHandle[PollShard, None],
    schedules: list[ScheduleHandle],
) -> None:
    ours, already = schedules
    await already.pause(note="moving house")
    await until_listed(temporal, shard, *schedules)

    paused = await person.types("ops", "pause", "--json")
    states = [(await each.describe()).schedule.state.paused for each in schedules]
    await until_listed(temporal, shard, *schedules)
    resumed = await person.types("ops", "resume")
    later = [(await each.describe()).schedule.state.paused for each in schedules]

    assert json.loads(paused.out)["shards"] == 1
    assert json.loads(paused.out)["schedules"] == [ours.id.removeprefix(schedule_id(""))]
    assert resumed.out.startswith("Shards going on: 1; schedules: test-")
    assert await told(shard) == ["pause", "resume"]
    assert (states, later) == ([True, True], [False, True])


async def until_listed(
    temporal: Client, shard: WorkflowHandle[PollShard, None], *schedules: ScheduleHandle
) -> None:
    async with asyncio.timeout(30):
        while True:
            runs = [each.id async for each in temporal.list_workflows('ExecutionStatus="Running"')]
            names = [each.id async for each in await temporal.list_schedules()]
            if shard.id in runs and all(each.id in names for each in schedules):
                return
            await asyncio.sleep(0.1)


async def test_queues_are_shown_with_what_waits_in_them(
    person: Person, shard: WorkflowHandle[PollShard, None]
) -> None:
    shown = await until_shown(person, "queues", shows="orchestration")
    listed = json.loads((await person.types("ops", "queues", "--json")).out)["items"]

    (found,) = [each for each in listed if each["kind"] == "workflow"]
    assert "workflow" in shown
    # The tasks of runs that were ended lately may be among them.
    assert (found["queue"], found["workers"]) == ("orchestration", 0)
    assert found["waiting"] >= 1


async def test_a_run_whose_tasks_keep_failing_is_found(person: Person, temporal: Client) -> None:
    name = f"broken/{uuid.uuid4()}"
    # What earlier tests have left is listed a moment longer.
    await until_shown(person, "stuck", shows="No run is stuck.")
    async with Worker(
        temporal,
        task_queue=name,
        workflows=[Broken],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await temporal.start_workflow(Broken.run, id=name, task_queue=name)
        try:
            shown = await until_shown(person, "stuck", shows=name)
        finally:
            await handle.terminate()

    assert "(Broken, since " in shown
    assert "WorkflowTaskFailed" in shown


async def test_every_feed_is_polled_for_whoever_asks(person: Person, temporal: Client) -> None:
    def polled(feed_id: int, _: int) -> PollOutcome:
        if feed_id == 3:
            return FeedFailed(feed_id=3, reason=Reason.TIMED_OUT)
        return FeedPolled(feed_id=feed_id, waiting_entry_ids=(feed_id,))

    hand_over = ScriptedHandOver(range(1, 5))
    async with fleet(temporal, ScriptedIngestion(outcome=polled), hand_over=hand_over):
        said = await person.types("ops", "refresh")
        told = await person.types("ops", "refresh", "--json")

    # The workers of this fleet log where the command speaks.
    assert "\n3 of 4 feeds polled, 1 in trouble; 3 entries on their way.\n" in f"\n{said.out}"
    assert json.loads(told.out[told.out.index("{\n") : told.out.rindex("}") + 1])["handedOver"] == 3


async def test_entries_are_taken_back_by_their_reason(person: Person, temporal: Client) -> None:
    redriver = ScriptedRedriver(SliceRedriven(new_entry_ids=(1, 2), fetched_entry_ids=(3,)))
    async with fleet(temporal, ScriptedIngestion(), redriver=redriver):
        listed = await person.types("ops", "redrive")
        dry = await person.types("ops", "redrive", "page_blocked", "--dry-run", "--most", "2")
        taken = await person.types(
            "ops", "redrive", "page_blocked", "--feed", "7", "--host", "a.example", "--most", "9"
        )
        none = await person.types("ops", "redrive", "page_blocked")
        told = await person.types("ops", "redrive", "--json")
        unknown = await person.types("ops", "redrive", "no_such_reason")

    # The workers of this fleet log where the command speaks.
    assert ["unavailable", "page_blocked", "3"] in [
        line.split() for line in listed.out.splitlines()
    ]
    assert "3 entries ended with page_blocked and would be taken back, 2 of them now.\n" in dry.out
    assert "3 entries taken back: 2 to be fetched, 1 to be distilled.\n" in taken.out
    assert "No entry ended with page_blocked.\n" in none.out
    assert '"ends": [' in told.out
    assert unknown.code == 1
    assert "no_such_reason is no reason of ours" in unknown.err
    asked = redriver.slices[0]
    assert (asked.feed_id, asked.host, asked.limit) == (7, "a.example", 9)


async def test_a_host_is_taken_as_people_write_it(person: Person, temporal: Client) -> None:
    redriver = ScriptedRedriver()
    async with fleet(temporal, ScriptedIngestion(), redriver=redriver):
        for host in ("Bücher.Example", "127.0.0.1:8443"):
            await person.types("ops", "redrive", "page_blocked", "--host", host)
        said = await person.types("ops", "redrive", "page_blocked", "--host", "https://a.example/")

    assert [each.host for each in redriver.slices] == ["xn--bcher-kva.example", "127.0.0.1"]
    assert said.code == 1
    assert "https://a.example/ is no host: name it alone, like news.example" in said.err


async def test_the_same_reason_is_taken_back_by_one_at_a_time(
    person: Person, temporal: Client
) -> None:
    handle = await temporal.start_workflow(
        Redrive.run,
        RedriveEnded(reason=Reason.GONE),
        id=redrive_id(Reason.GONE),
        task_queue=TaskQueue.ORCHESTRATION,
    )

    said = await person.types("ops", "redrive", "gone")
    await handle.terminate()

    assert said.code == 1
    assert "entries that ended with gone are redriven already" in said.err


async def test_a_history_is_written_for_those_who_replay_it(
    person: Person, shard: WorkflowHandle[PollShard, None], tmp_path: Path
) -> None:
    file = tmp_path / "shard.json"

    said = await person.types("ops", "history", shard.id, str(file))
    unknown = await person.types("ops", "history", "no-such-run", str(tmp_path / "none.json"))

    assert said.code == 0
    assert WorkflowHistory.from_json(shard.id, file.read_text()).run_id == shard.result_run_id
    assert unknown.code != 0
    assert "there is no run no-such-run" in unknown.err
    assert not (tmp_path / "none.json").exists()
