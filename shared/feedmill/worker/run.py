"""One worker: what it serves, how much at once, and how it leaves."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Sequence
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.worker import (
    Interceptor,
    PollerBehaviorAutoscaling,
    ResourceBasedSlotConfig,
    Worker,
    WorkerDeploymentConfig,
    WorkerTuner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from feedmill.config import ServiceSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.telemetry.metrics import WORKER_SLOTS
from feedmill.worker.interceptors import FeedmillInterceptor
from feedmill.worker.process import process
from feedmill.worker.versions import VersionedRunner

# Slots follow the machine: a pool takes more while memory and CPU allow it, never more than this.
_MEMORY_TARGET = 0.8
_CPU_TARGET = 0.9
_MOST_SLOTS = 100
_SLOTS = ResourceBasedSlotConfig(
    minimum_slots=2, maximum_slots=_MOST_SLOTS, ramp_throttle=timedelta(milliseconds=50)
)

# A beat that is throttled longer than this would make a kill -9 look like a slow activity.
_HEARTBEAT_THROTTLE = timedelta(seconds=3)


async def run_worker(
    settings: ServiceSettings,
    queue: TaskQueue,
    store: Store,
    *,
    activities: Sequence[Callable[..., Any]] = (),
    workflows: Sequence[type] = (),
    begin: Callable[[Client], Coroutine[Any, Any, None]] | None = None,
    deployment: WorkerDeploymentConfig | None = None,
    long_lived: Collection[str] = (),
) -> None:
    """Serve a task queue until SIGTERM, then let what is in flight finish.

    Returns within `drain_seconds` of the signal; a process that cannot is ended a little later.

    Parameters
    ----------
    begin
        What to do once Temporal has been reached, beside serving the queue.
    deployment
        Which release of the plans this is, where several run at once.
    long_lived
        Names of workflows that a newer release takes over while they run; the others end as they began.
    """
    async with process(settings, queue.service, store) as running:
        if running is None:
            return
        worker = build_worker(
            running.client,
            queue,
            activities=activities,
            workflows=workflows,
            drain=timedelta(seconds=settings.drain_seconds),
            deployment=deployment,
            long_lived=long_lived,
        )
        running.health.watch(lambda: worker.is_running)
        WORKER_SLOTS.labels(queue).set(_MOST_SLOTS)
        beginning = asyncio.create_task(begin(running.client), name="begin") if begin else None
        working = asyncio.create_task(worker.run(), name="worker")
        stop = asyncio.create_task(running.stopping.wait(), name="stop")
        await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if beginning is not None:
            beginning.cancel()
        if not working.done():
            await worker.shutdown()
        await working


def build_worker(
    client: Client,
    queue: TaskQueue,
    *,
    activities: Sequence[Callable[..., Any]] = (),
    workflows: Sequence[type] = (),
    drain: timedelta = timedelta(0),
    deployment: WorkerDeploymentConfig | None = None,
    long_lived: Collection[str] = (),
) -> Worker:
    """Build a worker the way the fleet runs it; tests use the same one."""
    return Worker(
        client,
        task_queue=queue,
        activities=activities,
        workflows=workflows,
        workflow_runner=workflow_runner(long_lived if deployment else ()),
        interceptors=_interceptors(long_lived),
        tuner=_tuner(),
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(initial=2),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(initial=2),
        graceful_shutdown_timeout=drain,
        max_heartbeat_throttle_interval=_HEARTBEAT_THROTTLE,
        deployment_config=deployment,
    )


def _interceptors(long_lived: Collection[str]) -> list[Interceptor]:
    if not spans.are_sent():
        return [FeedmillInterceptor()]
    from feedmill.worker.traces import TraceInterceptor  # noqa: PLC0415 - only who sends spans has to load it

    return [FeedmillInterceptor(), TraceInterceptor(long_lived)]


def workflow_runner(long_lived: Collection[str] = ()) -> SandboxedWorkflowRunner:
    """Return the sandbox, with our shared package passed through.

    Workflow modules are still loaded afresh for each run, and so checked; models and contracts hold
    no state, and loading them again for each run costs twice the CPU (2.2 times, measured).
    """
    return VersionedRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("feedmill"),
        long_lived=frozenset(long_lived),
    )


def _tuner() -> WorkerTuner:
    return WorkerTuner.create_resource_based(
        target_memory_usage=_MEMORY_TARGET,
        target_cpu_usage=_CPU_TARGET,
        workflow_config=_SLOTS,
        activity_config=_SLOTS,
        local_activity_config=_SLOTS,
    )
