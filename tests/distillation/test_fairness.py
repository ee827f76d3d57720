"""Who gets the model when its queue is full: on a real Temporal, with fairness as `feedmill up` has it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest_asyncio
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import Priority
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.models.distillates import DistillEntries, EntriesDistilled
from feedmill_cli.stack import blueprint
from support.programs import binary

_SLICES = 30


@workflow.defn(name="ManySlices")
class ManySlices:
    """As many slices at once as it is told, each under the key of its run."""

    @workflow.run
    async def run(self, slices: int) -> None:
        name = workflow.info().workflow_id
        await asyncio.gather(
            *(
                workflow.execute_activity(
                    "distill_entries",
                    DistillEntries(entry_ids=(number,)),
                    activity_id=f"{name}/{number}",
                    priority=options.shared_with(name),
                    **options.DISTILL_ENTRIES,
                )
                for number in range(slices)
            )
        )


@pytest_asyncio.fixture
async def fair_temporal() -> AsyncIterator[Client]:
    assert "matching.enableFairness=true" in str(blueprint._temporal_command.__code__.co_consts)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=[
            "--dynamic-config-value=matching.enableFairness=true",
            # One partition, as in a queue that is full: several would each be in order, not all.
            "--dynamic-config-value=matching.numTaskqueueReadPartitions=1",
            "--dynamic-config-value=matching.numTaskqueueWritePartitions=1",
        ],
        data_converter=pydantic_data_converter,
    ) as environment:
        yield environment.client


class OrderedDistillation:
    """Distils one slice after the other, and remembers in which order."""

    def __init__(self) -> None:
        self.order: list[str] = []

    @activity.defn(name="distill_entries")
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        self.order.append(activity.info().activity_id.split("/")[0])
        return EntriesDistilled(outcomes=())


async def order_of(client: Client, runs: Sequence[tuple[str, int, Priority]]) -> list[str]:
    """Fill the queue with these runs, in this order, before anybody serves it."""
    distillation = OrderedDistillation()
    mark = uuid.uuid4().hex[:8]
    async with Worker(
        client,
        task_queue=TaskQueue.ORCHESTRATION,
        workflows=[ManySlices],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handles = []
        for name, slices, priority in runs:
            handle = await client.start_workflow(
                ManySlices.run,
                slices,
                id=f"{name} {mark}",
                task_queue=TaskQueue.ORCHESTRATION,
                priority=priority,
            )
            await until_scheduled(client, handle.id, slices)
            handles.append(handle)
        async with Worker(
            client,
            task_queue=TaskQueue.DISTILLATION,
            activities=[distillation.distill_entries],
            max_concurrent_activities=1,
        ):
            await asyncio.gather(*(handle.result() for handle in handles))
    return [name.removesuffix(f" {mark}") for name in distillation.order]


async def until_scheduled(client: Client, workflow_id: str, slices: int) -> None:
    async with asyncio.timeout(20):
        while True:
            described = await client.get_workflow_handle(workflow_id).describe()
            if len(described.raw_description.pending_activities) == slices:
                return
            await asyncio.sleep(0.05)


async def test_who_waits_at_the_screen_overtakes_a_full_queue(fair_temporal: Client) -> None:
    order = await order_of(
        fair_temporal,
        [("backfill", _SLICES, Priority()), ("person", 3, options.INTERACTIVE)],
    )

    # A few of the backlog may have been handed to the worker's poller before.
    last = max(place for place, name in enumerate(order) if name == "person")
    assert len(order) == _SLICES + 3
    assert last < _SLICES / 2


async def test_a_small_run_shares_the_queue_with_a_large_one(fair_temporal: Client) -> None:
    order = await order_of(
        fair_temporal, [("large", _SLICES, Priority()), ("small", 5, Priority())]
    )

    last = max(place for place, name in enumerate(order) if name == "small")
    assert last < _SLICES * 0.7, order


async def test_keys_fit_what_temporal_takes() -> None:
    assert options.shared_with("schedule-fetch/7").fairness_key == "schedule-fetch/7"
    assert options.shared_with("ü" * 100).fairness_key == "ü" * 32
    assert options.shared_with("x").priority_key is None
    assert options.DISTILL_ENTRIES["start_to_close_timeout"] > timedelta(0)
