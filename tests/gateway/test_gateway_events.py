import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import Protocol

import pytest
import pytest_asyncio
from aiohttp import ClientResponse, ClientSession
from sqlalchemy import text
from temporalio.client import Client

from feedmill.models.events import EventKind, RunRef
from feedmill.models.reader import RunStarted
from feedmill.models.runs import IngestionProgress, RunStep
from feedmill.store import Store
from feedmill.telemetry.metrics import EVENT_LISTENERS
from feedmill_gateway.listener import Bell
from feedmill_gateway.streams import kept_alive
from support.library import Library
from support.live_gateway import RunningGateway, client, running_gateway, take, take_all


class OpenStream(Protocol):
    async def __call__(
        self, api: ClientSession, path: str = ..., **headers: str
    ) -> ClientResponse: ...


@pytest_asyncio.fixture
async def stream() -> AsyncIterator[OpenStream]:
    """Opens streams, and leaves those that a test still has open."""
    async with AsyncExitStack() as opened:

        async def open_stream(
            api: ClientSession, path: str = "/api/v1/events", **headers: str
        ) -> ClientResponse:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            answer = await api.get(path, headers=named)
            opened.callback(answer.close)
            assert (answer.status, answer.content_type) == (200, "text/event-stream")
            return answer

        yield open_stream


async def started(api: ClientSession, feed_id: int) -> RunStarted:
    answer = await api.post(f"/api/v1/feeds/{feed_id}/refresh")
    return RunStarted.model_validate((await answer.json())["run"])


async def test_a_stream_begins_now_and_tells_what_happens(
    api: ClientSession, library: Library, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    await library.event(EventKind.FEED_POLLED, feed_id)
    answer = await stream(api)

    await library.event(EventKind.ENTRY_ADDED, feed_id, 7)
    [message] = await take(answer, 1)

    assert (message.event, message.id) == ("entry.added", 2)
    assert message.data == {
        "id": 2,
        "kind": "entry.added",
        "at": message.data["at"],
        "feedId": feed_id,
        "entryId": 7,
        "workflowId": None,
        "runId": None,
        "detail": "",
    }


async def test_news_arrive_sooner_than_the_slow_poll(
    api: ClientSession, library: Library, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    answer = await stream(api)
    await asyncio.sleep(0.5)

    async with asyncio.timeout(2):
        await library.event(EventKind.FEED_POLLED, feed_id)
        [message] = await take(answer, 1)

    assert message.event == "feed.polled"


async def test_a_stream_resumes_with_nothing_lost_and_nothing_twice(
    api: ClientSession,
    library: Library,
    store: Store,
    temporal: Client,
    database_url: str,
    stream: OpenStream,
) -> None:
    feed_id = await library.feed()
    answer = await stream(api)
    for entry_id in range(1, 4):
        await library.event(EventKind.ENTRY_ADDED, feed_id, entry_id)
    seen = await take(answer, 2)
    answer.close()
    for entry_id in range(4, 6):
        await library.event(EventKind.ENTRY_ADDED, feed_id, entry_id)

    async with (
        running_gateway(store, temporal, database_url) as replica,
        client(replica.url) as other,
    ):
        resumed = await stream(other, Last_Event_ID=str(seen[-1].id))
        await library.event(EventKind.ENTRY_ADDED, feed_id, 6)
        seen += await take(resumed, 4)

    assert [message.data["entryId"] for message in seen] == [1, 2, 3, 4, 5, 6]


async def test_a_long_backlog_comes_whole_and_in_order(
    api: ClientSession, library: Library, store: Store, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    async with store.transaction() as tx:
        await tx.connection.execute(
            text(
                "insert into events (kind, feed_id, entry_id) "
                "select 'entry.added', :feed, n from generate_series(1, 450) n"
            ),
            {"feed": feed_id},
        )

    seen = await take(await stream(api, "/api/v1/events?after=0"), 450)

    assert [message.id for message in seen] == list(range(1, 451))


async def test_the_header_wins_over_the_query(
    api: ClientSession, library: Library, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    for entry_id in range(1, 4):
        await library.event(EventKind.ENTRY_ADDED, feed_id, entry_id)

    [message] = await take(await stream(api, "/api/v1/events?after=0", Last_Event_ID="2"), 1)

    assert message.id == 3


async def test_an_event_number_that_is_none_is_refused(api: ClientSession) -> None:
    answer = await api.get("/api/v1/events", headers={"Last-Event-ID": "yesterday"})

    problem = await answer.json(content_type="application/problem+json")
    assert (answer.status, problem["errors"][0]["where"]) == (422, "header.Last-Event-ID")


async def test_only_what_concerns_the_reader_is_told(
    api: ClientSession, library: Library, stream: OpenStream
) -> None:
    followed = await library.feed("https://a.example/")
    foreign = await library.feed("https://b.example/", followed=False)
    left = await library.feed("https://c.example/")
    answer = await stream(api)

    await library.event(EventKind.ENTRY_ADDED, foreign, 1)
    await api.delete(f"/api/v1/feeds/{left}")
    # Somebody else left what the reader still follows.
    await library.event(EventKind.FEED_REMOVED, followed)
    await library.event(EventKind.ENTRY_ADDED, followed, 2)
    seen = await take(answer, 2)

    assert [(message.event, message.data["feedId"]) for message in seen] == [
        ("feed.removed", left),
        ("entry.added", followed),
    ]


async def test_events_are_found_without_being_told_of(
    api: ClientSession, library: Library, store: Store, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    answer = await stream(api)

    async with store.transaction() as tx:
        await tx.connection.execute(
            text("insert into events (kind, feed_id) values ('feed.polled', :feed)"),
            {"feed": feed_id},
        )
    [message] = await take(answer, 1)

    assert message.event == "feed.polled"


async def test_the_listener_connects_again(
    api: ClientSession, library: Library, store: Store, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    answer = await stream(api)
    async with store.transaction() as tx:
        killed = await tx.connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'feedmill gateway events' and datname = current_database()"
            )
        )
        assert len(killed.all()) == 1
    await library.event(EventKind.FEED_POLLED, feed_id)

    async with asyncio.timeout(4):
        [message] = await take(answer, 1)

    assert message.event == "feed.polled"


async def test_a_run_is_told_from_its_beginning_to_its_end(
    api: ClientSession, library: Library, orchestrator: Client, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    run = await started(api, feed_id)
    ref = RunRef(workflow_id=run.workflow_id, run_id=run.run_id)
    handle = orchestrator.get_workflow_handle(run.workflow_id)
    half = IngestionProgress(feed_id=feed_id, step=RunStep.FETCHING, total=2, fetched=1)
    done = IngestionProgress(feed_id=feed_id, step=RunStep.DONE, total=2, distilled=2)
    await library.event(EventKind.FEED_POLLED, feed_id, run=ref)
    await library.event(EventKind.FEED_POLLED, feed_id)
    await handle.signal("come_to", half)

    answer = await stream(api, f"{run.href}/events")
    seen = await take(answer, 2)
    await library.event(EventKind.ENTRY_DISTILLED, feed_id, 7, run=ref)
    await handle.signal("come_to", done)
    await handle.signal("finish")
    seen += await take_all(answer)

    told = [message for message in seen if message.event != "run.progress"]
    assert [(message.event, message.id) for message in told] == [
        ("feed.polled", 1),
        ("entry.distilled", 3),
        ("run.finished", None),
    ]
    assert told[-1].data == {
        "workflowId": run.workflow_id,
        "runId": run.run_id,
        "status": "completed",
        "progress": done.model_dump(mode="json", by_alias=True),
    }
    steps = [message for message in seen if message.event == "run.progress"]
    assert half.model_dump(mode="json", by_alias=True) in [message.data for message in steps]
    assert all(message.id is None for message in steps)


async def test_progress_is_told_only_when_it_changes(
    api: ClientSession, library: Library, orchestrator: Client, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    run = await started(api, feed_id)

    answer = await stream(api, f"{run.href}/events")
    await asyncio.sleep(1.5)
    await orchestrator.get_workflow_handle(run.workflow_id).signal("finish")
    seen = await take_all(answer)

    assert [message.event for message in seen] == ["run.progress", "run.finished"]


async def test_progress_is_told_twice_a_second_however_often_it_changes(
    api: ClientSession, library: Library, orchestrator: Client, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    run = await started(api, feed_id)
    handle = orchestrator.get_workflow_handle(run.workflow_id)
    loop = asyncio.get_running_loop()

    answer = await stream(api, f"{run.href}/events")
    began = loop.time()
    for fetched in range(1, 101):
        progress = IngestionProgress(feed_id=feed_id, total=100, fetched=fetched)
        await handle.signal("come_to", progress)
    seconds = loop.time() - began
    await asyncio.sleep(1)
    await handle.signal("finish")
    seen = await take_all(answer)

    steps = [message.data["fetched"] for message in seen if message.event == "run.progress"]
    assert steps == sorted(set(steps))
    assert steps[-1] == 100
    # One look every half a second, the first at once and the last after the last change.
    assert len(steps) <= 2 * (seconds + 1) + 2


async def test_a_run_that_is_over_is_told_at_once(
    api: ClientSession, library: Library, orchestrator: Client, stream: OpenStream
) -> None:
    run = await started(api, await library.feed())
    await orchestrator.get_workflow_handle(run.workflow_id).terminate()

    seen = await take_all(await stream(api, f"{run.href}/events"))

    assert (seen[-1].event, seen[-1].data["status"]) == ("run.finished", "terminated")


async def test_a_run_resumes_after_the_last_event(
    api: ClientSession, library: Library, orchestrator: Client, stream: OpenStream
) -> None:
    feed_id = await library.feed()
    run = await started(api, feed_id)
    ref = RunRef(workflow_id=run.workflow_id, run_id=run.run_id)
    for entry_id in range(1, 4):
        await library.event(EventKind.ENTRY_ADDED, feed_id, entry_id, run=ref)
    await orchestrator.get_workflow_handle(run.workflow_id).terminate()

    seen = await take_all(await stream(api, f"{run.href}/events", Last_Event_ID="2"))

    assert [message.id for message in seen if message.id] == [3]


async def test_streams_end_when_the_process_drains(
    gateway: RunningGateway,
    api: ClientSession,
    library: Library,
    orchestrator: Client,
    stream: OpenStream,
) -> None:
    run = await started(api, await library.feed())
    streams = [await stream(api), await stream(api, f"{run.href}/events")]

    gateway.stopping.set()

    async with asyncio.timeout(3):
        for answer in streams:
            await answer.read()


async def test_who_leaves_is_listened_for_no_more(api: ClientSession, stream: OpenStream) -> None:
    before = EVENT_LISTENERS._value.get()
    answer = await stream(api)
    await answer.content.readline()
    assert EVENT_LISTENERS._value.get() == before + 1

    answer.close()

    async with asyncio.timeout(3):
        while EVENT_LISTENERS._value.get() != before:
            await asyncio.sleep(0.02)


async def test_a_quiet_stream_is_kept_alive() -> None:
    async def quiet() -> AsyncGenerator[bytes | None]:
        for message in (None, b"news", None, None, None):
            await asyncio.sleep(0.06)
            yield message

    kept = [message async for message in kept_alive(quiet(), quiet_seconds=0.1)]

    assert kept == [b"news", b": ping\n\n"]


@pytest.mark.parametrize("rings", [0, 3])
async def test_a_closed_bell_ends_every_turn(rings: int) -> None:
    bell = Bell()
    turns = 0

    async def listen() -> None:
        nonlocal turns
        with bell.listening() as rung:
            async for _ in bell.turns(rung, at_most=60):
                turns += 1

    listening = asyncio.create_task(listen())
    for _ in range(rings):
        await asyncio.sleep(0.4)
        bell.ring()
    await asyncio.sleep(0.4)
    bell.close()
    async with asyncio.timeout(2):
        await listening

    assert turns == 1 + rings
