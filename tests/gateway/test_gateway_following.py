"""Following a feed through the gateway: all of it or nothing, whoever is away, and however often it is asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from aiohttp import ClientSession
from sqlalchemy import func, select
from temporalio import activity
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import subscribe_feed_id
from feedmill.errors import PermanentError
from feedmill.models.events import EventKind
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import FeedAdded, RunStatus, RunView
from feedmill.models.runs import IngestionProgress, RunStep
from feedmill.models.subscribing import FeedFollowed, FollowFeed
from feedmill.store import Store
from feedmill.store.tables import feeds, subscriptions
from feedmill.worker.run import build_worker
from feedmill_orchestrator.subscribing import Subscriber
from feedmill_orchestrator.workflows.subscribe_feed import SubscribeFeedWorkflow
from support.library import Library
from support.live_gateway import client, running_gateway, take, take_all
from support.programs import binary
from support.scripted_run import ScriptedRun

URL = "https://news.example/feed.xml"
PROBLEM = "application/problem+json"
NO_FEED = IngestionProgress(
    feed_id=1, step=RunStep.DONE, reason=Reason.NOT_A_FEED, detail="text/html"
)


class BrokenSubscriber(Subscriber):
    @activity.defn
    async def follow_feed(self, request: FollowFeed) -> FeedFollowed:
        raise PermanentError("no such table")


@asynccontextmanager
async def orchestrating(temporal: Client, subscriber: Subscriber) -> AsyncIterator[None]:
    async with build_worker(
        temporal,
        TaskQueue.ORCHESTRATION,
        workflows=[ScriptedRun, SubscribeFeedWorkflow],
        activities=[
            subscriber.validate_feed,
            subscriber.add_feed,
            subscriber.follow_feed,
            subscriber.undo_follow,
            subscriber.undo_add_feed,
        ],
    ):
        yield


async def added(api: ClientSession, url: str = URL) -> FeedAdded:
    answer = await api.post("/api/v1/feeds", json={"url": url})
    assert answer.status == 202, await answer.text()
    return FeedAdded.model_validate(await answer.json())


async def rows(store: Store) -> tuple[int, int]:
    """Return how many feeds and subscriptions there are."""
    async with store.transaction() as tx:
        counts = [
            (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (feeds, subscriptions)
        ]
    return counts[0], counts[1]


async def test_who_asks_while_it_is_followed_joins(
    api: ClientSession, orchestrator: Client, store: Store
) -> None:
    several = await asyncio.gather(*(added(api) for _ in range(5)))

    assert all(each == several[0] for each in several)
    assert await rows(store) == (1, 1)
    async with store.transaction() as tx:
        assert [event.kind for event in await tx.events.after(0)] == [EventKind.FEED_ADDED]


async def test_who_asks_while_a_refresh_reads_it_joins_that(
    api: ClientSession, orchestrator: Client, library: Library
) -> None:
    feed_id = await library.feed(URL)
    refreshing = await (await api.post(f"/api/v1/feeds/{feed_id}/refresh")).json()

    following = await added(api)

    assert following.feed is not None
    assert following.feed.id == feed_id
    assert following.run.run_id == refreshing["run"]["runId"]


async def test_what_is_no_feed_is_left_and_its_run_says_why(
    api: ClientSession, reader: ClientSession, orchestrator: Client, store: Store
) -> None:
    following = await added(api)
    handle = orchestrator.get_workflow_handle(following.run.workflow_id)
    async with api.get(f"{following.run.href}/events") as stream:
        await handle.signal("come_to", NO_FEED)
        await handle.signal("finish")
        told = await take_all(stream)
    await orchestrator.get_workflow_handle(subscribe_feed_id(1, URL)).result()

    view = RunView.model_validate(await (await api.get(following.run.href)).json())
    where = f"{following.run.workflow_id}/{following.run.run_id}"
    part = await (await reader.get(f"/fragments/runs/{where}")).text()
    home = await (await reader.get(f"/?run={where}")).text()

    assert await rows(store) == (0, 0)
    assert (told[-1].event, told[-1].data["progress"]["reason"]) == ("run.finished", "not_a_feed")
    assert (view.status, view.progress, view.about) == (RunStatus.COMPLETED, NO_FEED, URL)
    for shown in (part, home):
        assert f'<h2 id="run-title">{URL}</h2>' in shown
        assert ADVICE[Reason.NOT_A_FEED] in shown
    async with store.transaction() as tx:
        kinds = [event.kind for event in await tx.events.after(0)]
    assert kinds == [EventKind.FEED_ADDED, EventKind.FEED_REMOVED]


async def test_while_nobody_orchestrates_the_run_is_promised_and_kept(
    api: ClientSession, reader: ClientSession, temporal: Client, store: Store
) -> None:
    following = await added(api)
    waiting = RunView.model_validate(await (await api.get(following.run.href)).json())
    before = await rows(store)
    async with orchestrating(temporal, Subscriber(store)):
        async with asyncio.timeout(20):
            while await rows(store) != (1, 1):
                await asyncio.sleep(0.05)
        reading = await added(api)
        assert reading.feed is not None
        under_way = RunView.model_validate(await (await api.get(following.run.href)).json())
        page = await (await reader.get(f"/?run={waiting.workflow_id}/{waiting.run_id}")).text()
        handle = temporal.get_workflow_handle(reading.run.workflow_id)
        async with api.get(f"{following.run.href}/events") as stream:
            told = await take(stream, 2)
            done = IngestionProgress(feed_id=reading.feed.id, step=RunStep.DONE, total=3)
            await handle.signal("come_to", done)
            await handle.signal("finish")
            told += await take_all(stream)
        ended = RunView.model_validate(await (await api.get(following.run.href)).json())

    assert following.feed is None
    assert following.run.workflow_id == subscribe_feed_id(1, URL)
    assert (waiting.status, waiting.progress, before) == (RunStatus.RUNNING, None, (0, 0))
    assert under_way.feed_id == reading.feed.id
    assert "data-running" in page
    # The saga's own steps are its news, and what its child has come to its progress.
    assert [message.event for message in told[:2]] == ["feed.added", "run.progress"]
    assert told[-1].event == "run.finished"
    assert told[0].data["feedId"] == reading.feed.id
    assert told[-1].data["progress"]["total"] == 3
    assert (ended.status, ended.progress) == (RunStatus.COMPLETED, done)


async def test_a_fault_of_ours_leaves_nothing_and_is_named(
    api: ClientSession, temporal: Client, store: Store
) -> None:
    async with orchestrating(temporal, BrokenSubscriber(store)):
        answer = await api.post("/api/v1/feeds", json={"url": URL})
        problem = await answer.json(content_type=PROBLEM)
        async with asyncio.timeout(20):
            while await rows(store) != (0, 0):
                await asyncio.sleep(0.05)

    assert (answer.status, problem["type"]) == (503, "urn:feedmill:problem:following-failed")
    assert answer.headers["Retry-After"]
    assert problem["detail"] == "The feed could not be followed, and what was begun is undone."


async def test_an_address_that_those_who_ask_refuse_is_refused(
    store: Store, library: Library, temporal: Client, database_url: str
) -> None:
    # The gateway's setting allows what the orchestrator's does not.

    networks = (ip_network("127.0.0.0/8"),)
    async with (
        orchestrating(temporal, Subscriber(store)),
        running_gateway(store, temporal, database_url, networks) as gateway,
        client(gateway.url) as api,
    ):
        answer = await api.post("/api/v1/feeds", json={"url": "http://127.0.0.1:8000/feed"})

    problem = await answer.json(content_type=PROBLEM)
    assert (answer.status, problem["reason"]) == (422, Reason.ADDRESS_FORBIDDEN)
    assert await rows(store) == (0, 0)


async def test_without_temporal_nothing_is_half_followed(
    store: Store, library: Library, database_url: str
) -> None:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"), data_converter=pydantic_data_converter
    ) as environment:
        gone = environment.client

    async with running_gateway(store, gone, database_url) as gateway, client(gateway.url) as api:
        answer = await api.post("/api/v1/feeds", json={"url": URL})

    problem = await answer.json(content_type=PROBLEM)
    assert (answer.status, problem["type"]) == (503, "urn:feedmill:problem:temporal-unavailable")
    assert await rows(store) == (0, 0)


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(f"{subscribe_feed_id(99, URL)}", id="somebody else's"),
        pytest.param(f"{subscribe_feed_id(1, URL)}", id="one that never was"),
        pytest.param("subscribe/1/../2", id="no run"),
    ],
)
async def test_a_run_that_is_none_of_theirs_is_not_found(api: ClientSession, run: str) -> None:
    answer = await api.get(f"/api/v1/runs/{run}/0190a5b0-0000-7000-8000-000000000000")

    assert answer.status == 404


async def test_a_feed_is_followed_quickly(api: ClientSession, orchestrator: Client) -> None:
    await added(api)
    loop = asyncio.get_running_loop()

    started_at = loop.time()
    for number in range(5):
        following = await added(api, f"https://news.example/{number}")
        assert following.feed is not None
    seconds = (loop.time() - started_at) / 5

    print(f"followed in {seconds * 1_000:.0f} ms")
    assert seconds < 2
