"""Scales pools of the lab by the ScaledObjects that the chart renders, each on its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from lab.chart import Manifest
from lab.cluster import Cluster
from lab.scaling import Limits, Scaler, limits_of


class Moment(NamedTuple):
    """What one look at one pool found and decided."""

    at: float
    pool: str
    backlog: int
    pods: int
    wanted: int


async def scale(
    cluster: Cluster,
    client: Client,
    scaled_objects: Sequence[Manifest],
    is_over: Callable[[Sequence[Moment]], bool],
) -> list[Moment]:
    """Let the pools follow their backlogs until it is over; return what was seen and done."""
    begun, moments = time.monotonic(), list[Moment]()
    scalers = {
        each["spec"]["scaleTargetRef"]["name"]: Scaler(limits_of(each)) for each in scaled_objects
    }
    while not is_over(moments):
        for deployment, scaler in scalers.items():
            backlog = await waiting(client, scaler.limits)
            pods = len(cluster.pods(deployment))
            now = time.monotonic() - begun
            wanted = scaler.decide(now, pods, backlog)
            moments.append(Moment(round(now, 1), scaler.limits.task_queue, backlog, pods, wanted))
            if wanted != pods:
                cluster.scale(deployment, wanted)
        await asyncio.sleep(min(each.limits.every_seconds for each in scalers.values()))
    return moments


async def waiting(client: Client, limits: Limits) -> int:
    """Return how many tasks wait, asked the way KEDA asks."""
    answers = [
        await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=limits.task_queue),
                task_queue_type=TaskQueueType.Value(f"TASK_QUEUE_TYPE_{kind.upper()}"),
                report_stats=True,
            )
        )
        for kind in limits.queue_types
    ]
    return sum(answer.stats.approximate_backlog_count for answer in answers)
