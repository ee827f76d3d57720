"""What is told of runs: each piece once, however often it is replayed, and no trace without an end."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import HttpUrl
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, Worker

from feedmill.config import TracingSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import PollShard, SingleFeedIngestion
from feedmill.models.feeds import DueFeedsPolled, FeedPolled
from feedmill.models.runs import IngestFeed, TendShard
from feedmill.telemetry import spans
from feedmill.worker.connection import data_converter
from feedmill.worker.interceptors import FeedmillInterceptor
from feedmill.worker.run import build_worker, workflow_runner
from feedmill.worker.traces import TraceInterceptor
from feedmill_orchestrator.registry import LONG_LIVED, WORKFLOWS
from support.collector import Collector, open_collector
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedHubs, ScriptedIngestion
from support.starting import start

HISTORIES = sorted((Path(__file__).parents[1] / "histories").glob("*.json"))
SHOWN = FeedPolled(feed_id=7, waiting_entry_ids=(11, 12))


@pytest_asyncio.fixture(scope="module")
async def collector() -> AsyncIterator[Collector]:
    """Where this process sends its spans: it can be told so only once."""
    async with open_collector() as opened:
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
            spans.start(
                TracingSettings(tracing_endpoint=HttpUrl(opened.url)), "tester", build="build-7"
            )
        yield opened
        await asyncio.to_thread(spans.stop, 2.0)


@asynccontextmanager
async def forgetful(temporal: Client, ingestion: ScriptedIngestion) -> AsyncIterator[Client]:
    """Serve every queue with workers that keep no run in memory, so each task replays it."""
    client = Client(
        **{
            **temporal.config(),
            "plugins": spans.plugins(),
            "data_converter": data_converter({"new": b"k" * 32}),
        }
    )
    fetch, distillation, hubs = ScriptedFetch(), ScriptedDistillation(), ScriptedHubs()
    async with AsyncExitStack() as stack:
        for worker in (
            Worker(
                client,
                task_queue=TaskQueue.ORCHESTRATION,
                workflows=WORKFLOWS,
                workflow_runner=workflow_runner(),
                interceptors=[FeedmillInterceptor(), TraceInterceptor(LONG_LIVED)],
                max_cached_workflows=0,
            ),
            build_worker(
                client,
                TaskQueue.INGESTION,
                activities=[
                    ingestion.poll_feeds,
                    ingestion.poll_due_feeds,
                    hubs.tend_hubs,
                    hubs.take_pushes,
                ],
            ),
            build_worker(client, TaskQueue.FETCH, activities=[fetch.fetch_entries]),
            build_worker(client, TaskQueue.DISTILLATION, activities=[distillation.distill_entries]),
        ):
            await stack.enter_async_context(worker)
        yield client


async def test_what_is_replayed_is_told_once(temporal: Client, collector: Collector) -> None:
    async with forgetful(temporal, ScriptedIngestion(SHOWN)) as client:
        with spans.span("asked for") as asked:
            trace_id = spans.ids()["trace_id"]
            handle = await start(client, SingleFeedIngestion.run, IngestFeed(feed_id=7))
            await handle.result()
            asked.end()
    ends = {"asked for", "RunWorkflow:SingleFeedIngestion"}
    await collector.until(lambda: ends <= _names(collector, trace_id))

    told = collector.trace(trace_id)
    assert Counter(span.span_id for span in told).most_common(1)[0][1] == 1
    assert {collector.ancestry(span)[-1] for span in told} == {"asked for"}
    assert Counter(span.name for span in told)["RunActivity:poll_feeds"] == 1
    assert {span.resource["feedmill.build_id"] for span in told} == {"build-7"}


async def test_each_round_of_a_shard_is_a_trace_down_to_what_it_found(
    temporal: Client, collector: Collector
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    rounds = [DueFeedsPolled(polled=1, new_entry_ids=(n,), next_due_at=soon) for n in (1, 2, 3)]
    async with forgetful(temporal, ScriptedIngestion(SHOWN, rounds=rounds)) as client:
        handle = await start(
            client,
            PollShard.run,
            # Two rounds, and another history.
            TendShard(rest_seconds=1, longest_rest_seconds=3_600, rounds=2),
            id=f"poll-shard/{uuid.uuid4()}",
        )
        await collector.until(lambda: len(_distilled(collector)) == 3)
        await client.get_workflow_handle(handle.id).terminate()

    traces = {span.trace_id for span in _distilled(collector)}
    assert len(traces) == 3
    for trace_id in traces:
        told = collector.trace(trace_id)
        (begun,) = [span for span in told if not span.parent_id]
        assert begun.name == "Round:poll_due_feeds"
        names = {span.name for span in told}
        assert {"RunActivity:poll_due_feeds", "RunWorkflow:ScheduleFetch"} <= names
        assert Counter(span.span_id for span in told).most_common(1)[0][1] == 1
    # Each leads to the history it is in, and the second history does not go on with the first's trace.
    begun = sorted(collector.named("Round:poll_due_feeds"), key=lambda span: span.started_at)
    first, second, third = (span.links for span in begun[:3])
    assert len(first) == 1
    assert first == second != third


async def test_nothing_is_told_of_what_is_done_in_silence(
    temporal: Client, collector: Collector
) -> None:
    async with forgetful(temporal, ScriptedIngestion(SHOWN)) as client:
        handle = await start(client, SingleFeedIngestion.run, IngestFeed(feed_id=8))
        with spans.silence():
            await handle.query(SingleFeedIngestion.get_progress)
            assert spans.ids() == {}
        with spans.span("after it"):
            await handle.query(SingleFeedIngestion.get_progress)
        await handle.result()
    await collector.until(lambda: collector.named("after it"))

    queries = ("QueryWorkflow:get_progress", "HandleQuery:get_progress")
    assert [len(collector.named(name)) for name in queries] == [1, 1]


async def test_errors_are_told_by_their_kind_alone(collector: Collector) -> None:
    with pytest.raises(ValueError, match="secret"), spans.span("broken", kind="client"):
        raise ValueError("https://a.example/?key=secret")
    await collector.until(lambda: collector.named("broken"))

    (broken,) = collector.named("broken")
    assert broken.failure == "ValueError"
    assert broken.facts == {"error.type": "ValueError"}
    assert "secret" not in broken.raw


def _names(collector: Collector, trace_id: str) -> set[str]:
    return {span.name for span in collector.trace(trace_id)}


def _distilled(collector: Collector) -> list[object]:
    return [
        span
        for span in collector.named("RunActivity:distill_entries")
        if collector.ancestry(span)[-1] == "Round:poll_due_feeds"
    ]


async def test_runs_begun_before_go_on_when_traces_are_turned_on(collector: Collector) -> None:
    # The plug-in comes from the client, elsewhere; with it, each of them replays as it was recorded.
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=workflow_runner(),
        data_converter=pydantic_data_converter,
        plugins=list(spans.plugins()),
        interceptors=[FeedmillInterceptor(), TraceInterceptor(LONG_LIVED)],
    )
    for path in HISTORIES:
        history = WorkflowHistory.from_json("feed-ingestion/1", path.read_text())
        replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        assert replayed.replay_failure is None, path.name
    assert len(HISTORIES) >= len(WORKFLOWS)
