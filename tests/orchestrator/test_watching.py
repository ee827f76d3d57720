"""What orchestrators measure, against a real Temporal and a real Postgres."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY
from temporalio.client import Client

from feedmill.config import StoreSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import PollShard
from feedmill.models.events import EventKind
from feedmill.models.runs import TendShard
from feedmill.models.spending import NANOS, Payer, Usage
from feedmill.store import Store, open_store
from feedmill_orchestrator import watching
from feedmill_orchestrator.watching import FleetWatch, QueueWatch, watch
from support.library import open_library
from support.spending import spend


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"feedmill_{name}", labels)


async def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.1)


def test_every_queue_is_watched() -> None:
    assert set(watching._KINDS) == set(TaskQueue)


async def test_tasks_that_nobody_takes_are_a_backlog(temporal: Client) -> None:
    look = QueueWatch(temporal).look
    orchestration = {"task_queue": "orchestration", "task_queue_type": "workflow"}
    await look()
    before = value("task_queue_backlog", **orchestration) or 0
    handle = await temporal.start_workflow(
        PollShard.run,
        TendShard(shard=0, shards=1),
        id=f"watched-{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )

    async def grown() -> bool:
        await look()
        return (value("task_queue_backlog", **orchestration) or 0) == before + 1

    # Temporal's estimate lags behind by some seconds.
    async with asyncio.timeout(60):
        while not await grown():
            await asyncio.sleep(0.5)
    await handle.terminate()

    assert value("task_queue_backlog_seconds", **orchestration) is not None
    assert value("task_queue_backlog", task_queue="fetch", task_queue_type="activity") == 0


async def test_entries_are_counted_when_they_become_readable(store: Store) -> None:
    library = await open_library(store)
    feed_id = await library.feed()
    entry_id = await library.entry(feed_id)
    await library.event(EventKind.ENTRY_DISTILLED, feed_id, entry_id)
    fleet = FleetWatch(store)
    before = value("entry_readable_seconds_count", since="seen") or 0

    await fleet.look()
    assert (value("entry_readable_seconds_count", since="seen") or 0) == before
    await library.event(EventKind.ENTRY_DISTILLED, feed_id, entry_id)
    await fleet.look()
    await fleet.look()

    assert value("entry_readable_seconds_count", since="seen") == before + 1
    assert value("entries_waiting", stage="new") == 1
    assert value("feeds", health="good") == 1


async def test_what_the_day_has_cost_is_measured(store: Store) -> None:
    used = Usage(calls=1, prompt_tokens=8, completion_tokens=2, cost_nanos=NANOS // 4)
    await spend(store, used, Payer(feed_id=7, recipe="standard", model="small"))

    await FleetWatch(store).look()

    assert (value("spent_today", of="cost"), value("spent_today", of="tokens")) == (0.25, 10)


async def test_watching_goes_on_when_a_server_does_not_answer(
    temporal: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def look_at_nothing(self: FleetWatch) -> None:
        nonlocal looks
        looks += 1
        raise watching.StoreUnavailableError("Postgres did not answer")

    monkeypatch.setattr(FleetWatch, "look", look_at_nothing)
    watched = asyncio.create_task(watch(temporal, store, queues_every=0.01, figures_every=0.01))

    await until(lambda: looks > 2)
    assert not watched.done()
    watched.cancel()


async def test_a_schema_that_is_still_to_come_is_waited_for(empty_database_url: str) -> None:
    async with open_store(StoreSettings(database_url=empty_database_url)) as empty:
        with pytest.raises(watching.StoreUnavailableError, match="schema"):
            await FleetWatch(empty).look()
