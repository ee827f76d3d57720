"""A shard over a month, by a clock that jumps to the next timer."""

import random
import uuid
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.contracts.workflows import PollShard
from feedmill.models.runs import ShardProgress, TendShard
from support.fleet import ScriptedHubs, ScriptedIngestion, fleet
from support.starting import start

MONTH = timedelta(days=30)
REST = timedelta(hours=6)
ROUNDS_A_RUN = 10
SIGNALS = 60


@workflow.defn
class Pusher:
    """Tells a shard of pushes again and again: at any time, and when it begins anew."""

    @workflow.run
    async def run(self, shard: str) -> None:
        begun, chance = workflow.now(), random.Random(7)
        # Half of them at whole turns of the shard: there its history ends.
        turns = [REST * turn for turn in chance.sample(range(MONTH // REST), SIGNALS // 2)]
        others = [MONTH * chance.random() for _ in turns]
        times = sorted(turns + others)
        for time in times:
            await workflow.sleep(max(begun + time - workflow.now(), timedelta(0)))
            await workflow.get_external_workflow_handle(shard).signal(PollShard.pushed)
        await workflow.sleep(begun + MONTH - workflow.now())


async def test_a_shard_goes_on_for_a_month_and_hears_every_signal(time_skipping: Client) -> None:
    ingestion, hubs = ScriptedIngestion(), ScriptedHubs()
    seconds = int(REST.total_seconds())
    request = TendShard(rest_seconds=seconds, longest_rest_seconds=seconds, rounds=ROUNDS_A_RUN)
    queue = f"pusher/{uuid.uuid4()}"
    async with (
        fleet(time_skipping, ingestion, hubs=hubs),
        Worker(
            time_skipping,
            task_queue=queue,
            workflows=[Pusher],
            workflow_runner=UnsandboxedWorkflowRunner(),
        ),
    ):
        shard = await start(time_skipping, PollShard.run, request)
        await time_skipping.execute_workflow(Pusher.run, shard.id, id=queue, task_queue=queue)
        newest = time_skipping.get_workflow_handle_for(PollShard.run, shard.id)
        progress = await newest.query(PollShard.get_progress)
        events = (await newest.fetch_history()).events
        await newest.terminate()

    started = events[0].workflow_execution_started_event_attributes
    assert MONTH // REST <= len(ingestion.rounds) <= MONTH // REST + 2
    assert started.continued_execution_run_id
    assert isinstance(progress, ShardProgress)
    assert progress.rounds <= ROUNDS_A_RUN
    assert len(hubs.takings) == SIGNALS
