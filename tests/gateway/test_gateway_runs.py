import asyncio

import pytest
from aiohttp import ClientSession
from temporalio import workflow
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import poll_shard_id
from feedmill.models.reader import RunList, RunStarted, RunStatus, RunView
from feedmill.models.runs import IngestionProgress, RunStep
from feedmill.store import Store
from feedmill.worker.connection import data_converter
from feedmill.worker.run import build_worker
from feedmill_gateway.runs import Runs, feed_of
from feedmill_orchestrator.importing import Importer
from feedmill_orchestrator.subscribing import Subscriber
from feedmill_orchestrator.workflows.import_subscriptions import ImportSubscriptionsWorkflow
from feedmill_orchestrator.workflows.subscribe_feed import SubscribeFeedWorkflow
from support.library import Library
from support.live_gateway import BEARER, TOKEN, browser, client, running_gateway
from support.opml import opml
from support.programs import binary
from support.scripted_run import ScriptedRun


async def refresh(api: ClientSession, feed_id: int) -> RunStarted:
    answer = await api.post(f"/api/v1/feeds/{feed_id}/refresh")
    assert answer.status == 202
    return RunStarted.model_validate((await answer.json())["run"])


async def shown(api: ClientSession, run: RunStarted) -> RunView:
    answer = await api.get(run.href)
    assert answer.status == 200
    return RunView.model_validate(await answer.json())


async def test_a_run_tells_how_far_it_has_come(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    run = await refresh(api, feed_id)
    progress = IngestionProgress(feed_id=feed_id, step=RunStep.FETCHING, total=9, fetched=4)
    await orchestrator.get_workflow_handle(run.workflow_id).signal("come_to", progress)

    view = await shown(api, run)

    assert view == RunView(
        workflow_id=f"feed-ingestion/{feed_id}",
        run_id=run.run_id,
        href=run.href,
        feed_id=feed_id,
        about="https://news.example/feed",
        status=RunStatus.RUNNING,
        started_at=view.started_at,
        progress=progress,
    )


async def test_a_completed_run_keeps_its_last_progress(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    run = await refresh(api, feed_id)
    handle = orchestrator.get_workflow_handle(run.workflow_id)
    progress = IngestionProgress(feed_id=feed_id, step=RunStep.DONE, total=2, distilled=2)
    await handle.signal("come_to", progress)
    await handle.signal("finish")
    await handle.result()

    view = await shown(api, run)

    assert (view.status, view.progress) == (RunStatus.COMPLETED, progress)
    assert view.closed_at is not None


async def test_a_failed_run_says_why(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    run = await refresh(api, await library.feed())
    await orchestrator.get_workflow_handle(run.workflow_id).signal("fail", "the disk is full")

    async with asyncio.timeout(20):
        while (view := await shown(api, run)).status is RunStatus.RUNNING:
            await asyncio.sleep(0.05)

    assert (view.status, view.progress, view.detail) == (
        RunStatus.FAILED,
        None,
        "the disk is full",
    )


async def test_a_run_somebody_stopped_says_so(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    run = await refresh(api, await library.feed())
    await orchestrator.get_workflow_handle(run.workflow_id).terminate("enough")

    view = await shown(api, run)

    assert (view.status, view.progress) == (RunStatus.TERMINATED, None)


async def test_progress_is_unknown_while_no_worker_answers(
    api: ClientSession, library: Library
) -> None:
    run = await refresh(api, await library.feed())

    view = await shown(api, run)

    assert (view.status, view.progress) == (RunStatus.RUNNING, None)


async def test_an_earlier_run_is_not_mistaken_for_the_latest(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    first = await refresh(api, feed_id)
    handle = orchestrator.get_workflow_handle(first.workflow_id)
    await handle.signal("finish")
    await handle.result()
    second = await refresh(api, feed_id)

    views = [await shown(api, first), await shown(api, second)]

    assert [view.status for view in views] == [RunStatus.COMPLETED, RunStatus.RUNNING]


async def test_the_newest_runs_come_first_and_only_of_feeds_followed(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feeds = [await library.feed(f"https://{name}.example/") for name in "abc"]
    for feed_id in feeds:
        await refresh(api, feed_id)
    await api.delete(f"/api/v1/feeds/{feeds[1]}")

    async with asyncio.timeout(20):
        while len(listed := await _listed(api)) < 2:
            await asyncio.sleep(0.05)

    assert listed == [feeds[2], feeds[0]]


async def test_a_run_of_a_feed_not_followed_is_not_found(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    run = await refresh(api, feed_id)
    await api.delete(f"/api/v1/feeds/{feed_id}")

    assert (await api.get(run.href)).status == 404
    assert (await api.get(f"{run.href}/events")).status == 404


async def test_a_run_that_never_was_is_not_found(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed()

    answer = await api.get(
        f"/api/v1/runs/feed-ingestion/{feed_id}/0190a5b0-0000-7000-8000-000000000000"
    )

    assert answer.status == 404


async def test_without_temporal_runs_wait_and_reading_goes_on(
    store: Store, library: Library, database_url: str
) -> None:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), data_converter=pydantic_data_converter
    ) as environment:
        gone = environment.client
    feed_id = await library.feed()
    await library.entry(feed_id, "still here")

    async with (
        running_gateway(store, gone, database_url) as gateway,
        client(gateway.url) as api,
    ):
        refused = await api.post(f"/api/v1/feeds/{feed_id}/refresh")
        listed = await api.get("/api/v1/entries")
        page = await api.get("/", cookies={"feedmill_token": BEARER["Authorization"][7:]})

        assert refused.status == 503
        assert refused.headers["Retry-After"] == "5"
        problem = await refused.json(content_type="application/problem+json")
        assert problem["type"] == "urn:feedmill:problem:temporal-unavailable"
        assert listed.status == 200
        shown = await page.text()
        assert "Temporal does not answer" in shown
        assert "still here" in shown


@pytest.mark.parametrize(
    ("workflow_id", "feed_id"),
    [
        ("feed-ingestion/42", 42),
        ("feed-ingestion/", None),
        ("feed-ingestion/42/1", None),
        ("feed-ingestion/٤", None),
        ("digest/42", None),
        ("xfeed-ingestion/42", None),
    ],
)
def test_which_feed_a_run_is_about(workflow_id: str, feed_id: int | None) -> None:
    assert feed_of(workflow_id) == feed_id


async def _listed(api: ClientSession) -> list[int]:
    listed = RunList.model_validate(await (await api.get("/api/v1/runs")).json())
    return [run.feed_id for run in listed.items]


@workflow.defn(name="PollShard")
class SleepingShard:
    """A shard that ends when it is woken."""

    def __init__(self) -> None:
        self.woken = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.woken)

    @workflow.signal
    def wake(self) -> None:
        self.woken = True


async def test_sleeping_shards_are_woken_and_missing_ones_do_no_harm(temporal: Client) -> None:
    queue = "a-shard-of-its-own"
    async with Worker(
        temporal,
        task_queue=queue,
        workflows=[SleepingShard],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await temporal.start_workflow(
            SleepingShard.run, id=poll_shard_id(1), task_queue=queue
        )

        await Runs(temporal, shards=3).wake_shards()

        async with asyncio.timeout(10):
            await handle.result()


async def test_what_another_process_has_encrypted_breaks_no_page(
    store: Store, library: Library, temporal: Client, database_url: str
) -> None:
    feed_id = await library.feed()
    ours, theirs = with_keys(temporal, "ab"), with_keys(temporal, "cd")
    async with (
        build_worker(theirs, TaskQueue.ORCHESTRATION, workflows=[ScriptedRun]),
        running_gateway(store, ours, database_url) as gateway,
        browser(gateway.url) as web,
    ):
        run = await Runs(theirs).refresh(feed_id, "https://news.example/feed")
        await web.get("/", params={"token": TOKEN})
        for status in (RunStatus.RUNNING, RunStatus.COMPLETED):
            page = await web.get("/", params={"run": f"{run.workflow_id}/{run.run_id}"})
            view = RunView.model_validate(await (await web.get(run.href)).json())
            assert page.status == 200
            assert "data-run=" in await page.text()
            assert (view.status, view.about, view.progress) == (status, "", None)
            handle = theirs.get_workflow_handle(run.workflow_id)
            if status is RunStatus.RUNNING:
                await handle.signal("finish")
                await handle.result()


async def test_what_another_process_has_encrypted_refuses_nothing_that_is_begun(
    store: Store, library: Library, temporal: Client, database_url: str
) -> None:
    ours = with_keys(temporal, "ab")
    both = with_keys(temporal, "cd", "ab")
    subscriber = Subscriber(store)
    async with (
        build_worker(
            both,
            TaskQueue.ORCHESTRATION,
            workflows=[ScriptedRun, SubscribeFeedWorkflow, ImportSubscriptionsWorkflow],
            activities=[
                subscriber.validate_feed,
                subscriber.add_feed,
                subscriber.follow_feed,
                Importer(store).follow_listed,
            ],
        ),
        running_gateway(store, ours, database_url) as gateway,
        client(gateway.url) as api,
    ):
        added = await api.post("/api/v1/feeds", json={"url": "https://a.example/"})
        listed = opml('<outline xmlUrl="https://b.example/"/>')
        imported = await api.post("/api/v1/opml", data=listed)

    assert (added.status, imported.status) == (202, 200)
    assert (await imported.json())["added"] == 1


def with_keys(temporal: Client, *names: str) -> Client:
    """Return a client that encrypts with the first of these keys, and knows them alone."""
    keys = {name: name.encode() * 16 for name in names}
    return Client(**{**temporal.config(), "data_converter": data_converter(keys)})
