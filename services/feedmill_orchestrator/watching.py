"""What no single piece of work shows: how long the queues are, how late feeds and entries.

Every orchestrator measures it, so that it is there as long as one of them is; the gauges are alike, and
of what is counted only shares are worth looking at.
"""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue as TaskQueueName
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from feedmill.contracts.queues import TaskQueue
from feedmill.errors import StoreUnavailableError
from feedmill.models.figures import FleetFigures, Readable
from feedmill.store import Store
from feedmill.telemetry import metrics
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

# As fresh as what a scaler asks for itself.
_QUEUES_EVERY_SECONDS = 10.0
# A look at every feed; nobody acts on it within seconds.
_FIGURES_EVERY_SECONDS = 30.0

_KINDS = {
    TaskQueue.INGESTION: ("activity",),
    TaskQueue.FETCH: ("activity",),
    TaskQueue.FETCH_BROWSER: ("activity",),
    TaskQueue.DISTILLATION: ("activity",),
    TaskQueue.ORCHESTRATION: ("workflow", "activity"),
}
_TYPES = {
    "workflow": TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    "activity": TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
}


async def watch(
    client: Client,
    store: Store,
    *,
    queues_every: float = _QUEUES_EVERY_SECONDS,
    figures_every: float = _FIGURES_EVERY_SECONDS,
) -> None:
    """Measure until cancelled, whether or not Temporal and Postgres answer."""
    await asyncio.gather(
        _repeatedly(QueueWatch(client).look, queues_every),
        _repeatedly(FleetWatch(store).look, figures_every),
    )


async def _repeatedly(look: Callable[[], Awaitable[None]], seconds: float) -> None:
    while True:
        try:
            await look()
        except (RPCError, StoreUnavailableError) as error:
            log.warning("not measured", error=str(error))
        await asyncio.sleep(seconds)


class QueueWatch:
    """Asks Temporal how many tasks wait in each queue of ours."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def look(self) -> None:
        for queue, kinds in _KINDS.items():
            for kind in kinds:
                await self._measure(queue, kind)

    async def _measure(self, queue: TaskQueue, kind: str) -> None:
        answer = await self._client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self._client.namespace,
                task_queue=TaskQueueName(name=queue),
                task_queue_type=_TYPES[kind],
                report_stats=True,
            )
        )
        stats = answer.stats
        age = stats.approximate_backlog_age.ToTimedelta().total_seconds()
        metrics.TASK_QUEUE_BACKLOG.labels(queue, kind).set(stats.approximate_backlog_count)
        metrics.TASK_QUEUE_BACKLOG_SECONDS.labels(queue, kind).set(age)


class FleetWatch:
    """Asks the store how feeds and entries stand, and what has become readable since the last look."""

    def __init__(self, store: Store) -> None:
        self._store = store
        # What became readable before this process began is somebody else's to count.
        self._seen_event: int | None = None

    async def look(self) -> None:
        # Orchestrators start while the schema is still being made.
        await self._store.check()
        async with self._store.transaction() as tx:
            figures = await tx.figures.fleet()
            if self._seen_event is None:
                self._seen_event = await tx.figures.newest_event()
            readable = await tx.figures.readable_after(self._seen_event)
            spent = await tx.spend.report(days=1, limit=1)
        _show(figures)
        metrics.SPENT_TODAY.labels("cost").set(spent.today_cost)
        metrics.SPENT_TODAY.labels("tokens").set(spent.today_tokens)
        for entry in readable:
            _count(entry)
            self._seen_event = entry.event_id


def _show(figures: FleetFigures) -> None:
    for health, count in figures.feeds.items():
        metrics.FEEDS.labels(health).set(count)
    metrics.FEEDS_OVERDUE_SECONDS.set(figures.overdue.total_seconds())
    for waiting in figures.waiting:
        metrics.ENTRIES_WAITING.labels(waiting.stage).set(waiting.entries)
        metrics.ENTRIES_WAITING_SECONDS.labels(waiting.stage).set(waiting.oldest.total_seconds())


def _count(entry: Readable) -> None:
    readable = metrics.ENTRY_READABLE_SECONDS
    readable.labels("seen").observe(entry.since_seen.total_seconds())
    if entry.since_published is not None:
        readable.labels("published").observe(entry.since_published.total_seconds())
