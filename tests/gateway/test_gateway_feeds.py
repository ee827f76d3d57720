from datetime import timedelta
from ipaddress import ip_network

from aiohttp import ClientSession
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from feedmill.contracts.workflows import feed_ingestion_id
from feedmill.models.events import EventKind
from feedmill.models.hubs import HubState
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import (
    FeedAdded,
    FeedHealth,
    FeedList,
    FeedView,
    RunStarted,
    StageCounts,
)
from feedmill.store import Store
from support.hubs import announce, stands
from support.library import Library
from support.live_gateway import client, running_gateway

URL = "https://news.example/feed.xml"


async def test_a_feed_is_followed_and_its_run_started(
    api: ClientSession, orchestrator: Client, store: Store
) -> None:
    answer = await api.post(
        "/api/v1/feeds", json={"url": " HTTPS://News.Example:443/feed.xml#top "}
    )

    added = FeedAdded.model_validate(await answer.json())
    assert answer.status == 202
    assert added.feed == FeedView(
        id=added.feed.id,
        url=URL,
        added_at=added.feed.added_at,
        next_poll_at=added.feed.next_poll_at,
    )
    assert added.run.workflow_id == f"feed-ingestion/{added.feed.id}"
    assert (await api.get(added.run.href)).status == 200
    async with store.transaction() as tx:
        [event] = await tx.events.after(0)
    assert (event.kind, event.feed_id) == (EventKind.FEED_ADDED, added.feed.id)


async def test_following_twice_changes_nothing(
    api: ClientSession, orchestrator: Client, store: Store
) -> None:
    first = await (await api.post("/api/v1/feeds", json={"url": URL})).json()
    second = await (await api.post("/api/v1/feeds", json={"url": URL})).json()

    assert second == first
    async with store.transaction() as tx:
        assert len(await tx.events.after(0)) == 1


async def test_what_temporal_is_told_of_a_run_fits(
    api: ClientSession, orchestrator: Client
) -> None:
    url = f"https://news.example/{'x' * 1_900}"

    answer = await api.post("/api/v1/feeds", json={"url": url})

    assert answer.status == 202
    run = FeedAdded.model_validate(await answer.json()).run
    described = await orchestrator.get_workflow_handle(run.workflow_id).describe()
    assert described.raw_info.priority.priority_key == 1
    assert await described.static_summary() == url[:200]


async def test_an_address_inside_an_allowed_network_is_taken(
    store: Store, library: Library, orchestrator: Client, database_url: str
) -> None:
    networks = (ip_network("127.0.0.0/8"),)

    async with (
        running_gateway(store, orchestrator, database_url, networks) as gateway,
        client(gateway.url) as api,
    ):
        answer = await api.post("/api/v1/feeds", json={"url": "http://127.0.0.1:8000/feed"})

    assert answer.status == 202


async def test_a_feed_says_how_it_is_doing(api: ClientSession, library: Library) -> None:
    feed_id = await library.feed()
    await library.entry(feed_id, "new")
    for title in ("distilled", "fetched"):
        entry_id = await library.entry(feed_id, title)
        await library.article(entry_id)
        if title == "distilled":
            await library.distillate(entry_id)
    await library.dead_end(await library.entry(feed_id, "gone"), Reason.NO_ARTICLE)
    await library.failed_poll(feed_id, Reason.TIMED_OUT, "after 20 s")

    shown = FeedView.model_validate(await (await api.get(f"/api/v1/feeds/{feed_id}")).json())

    assert shown.last_polled_at is not None
    assert shown.next_poll_at is not None
    assert (
        timedelta(minutes=29) < shown.next_poll_at - shown.last_polled_at <= timedelta(minutes=30)
    )
    assert shown == FeedView(
        id=feed_id,
        url="https://news.example/feed",
        title="News",
        site_url="https://news.example/",
        added_at=shown.added_at,
        health=FeedHealth.FAILING,
        last_polled_at=shown.last_polled_at,
        next_poll_at=shown.next_poll_at,
        failures=1,
        reason=Reason.TIMED_OUT,
        detail="after 20 s",
        advice=ADVICE[Reason.TIMED_OUT],
        entries=4,
        waiting=2,
        stages=StageCounts(new=1, fetched=1, distilled=1, unavailable=1),
    )


async def test_feeds_are_listed_by_name_and_only_those_followed(
    api: ClientSession, library: Library
) -> None:
    b = await library.feed("https://b.example/", "b news")
    a = await library.feed("https://a.example/", "A news")
    unnamed = await library.feed("https://c.example/", "")
    await library.feed("https://d.example/", "of somebody else", followed=False)

    listed = FeedList.model_validate(await (await api.get("/api/v1/feeds")).json())

    assert [feed.id for feed in listed.items] == [a, b, unnamed]


async def test_what_is_asked_of_a_feed_by_the_number_it_had_is_done(
    api: ClientSession, orchestrator: Client, library: Library, store: Store
) -> None:
    was, now = await library.feed("https://a.example/"), await library.feed("https://b.example/")
    async with store.transaction() as tx:
        assert await tx.feeds.move(was, "https://b.example/") == now

    changed = await api.patch(f"/api/v1/feeds/{was}", json={"title": "B", "category": ["News"]})
    refreshed = await (await api.post(f"/api/v1/feeds/{was}/refresh")).json()
    left = await api.delete(f"/api/v1/feeds/{was}")

    view = FeedView.model_validate(await changed.json())
    assert (view.id, view.title, view.category) == (now, "B", ("News",))
    assert refreshed["run"]["workflowId"] == feed_ingestion_id(now)
    assert left.status == 204
    assert (await api.get(f"/api/v1/feeds/{now}")).status == 404


async def test_a_feed_that_is_left_is_gone(
    api: ClientSession, library: Library, store: Store
) -> None:
    feed_id = await library.feed()
    entry_id = await library.entry(feed_id)

    answer = await api.delete(f"/api/v1/feeds/{feed_id}")

    assert (answer.status, await answer.read()) == (204, b"")
    assert (await api.get(f"/api/v1/feeds/{feed_id}")).status == 404
    assert (await api.get(f"/api/v1/entries/{entry_id}")).status == 404
    assert (await api.delete(f"/api/v1/feeds/{feed_id}")).status == 404
    async with store.transaction() as tx:
        [event] = await tx.events.after(0)
    assert (event.kind, event.feed_id) == (EventKind.FEED_REMOVED, feed_id)


async def test_a_refresh_starts_a_run_or_joins_it(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()

    first = await api.post(f"/api/v1/feeds/{feed_id}/refresh")
    second = await api.post(f"/api/v1/feeds/{feed_id}/refresh")

    assert (first.status, second.status) == (202, 202)
    assert await first.json() == await second.json()
    run = RunStarted.model_validate((await first.json())["run"])
    handle = orchestrator.get_workflow_handle(run.workflow_id, run_id=run.run_id)
    kinds = [event.event_type for event in (await handle.fetch_history()).events]
    # The run was asked twice, and has answered twice.
    assert kinds.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED) == 2
    described = await handle.describe()
    assert described.raw_info.priority.priority_key == 1


async def test_a_refresh_of_a_run_that_has_just_ended_begins_another(
    api: ClientSession, library: Library, orchestrator: Client
) -> None:
    feed_id = await library.feed()
    path = f"/api/v1/feeds/{feed_id}/refresh"
    first = RunStarted.model_validate((await (await api.post(path)).json())["run"])
    handle = orchestrator.get_workflow_handle(first.workflow_id, run_id=first.run_id)
    await handle.signal("finish")

    await handle.result()
    second = RunStarted.model_validate((await (await api.post(path)).json())["run"])

    assert second.workflow_id == first.workflow_id
    assert second.run_id != first.run_id


async def test_nobody_refreshes_what_they_do_not_follow(
    api: ClientSession, library: Library
) -> None:
    feed_id = await library.feed(followed=False)

    answer = await api.post(f"/api/v1/feeds/{feed_id}/refresh")

    assert answer.status == 404


async def test_whether_news_is_pushed_is_said(
    store: Store, api: ClientSession, library: Library
) -> None:
    pushed = await library.feed(title="Pushed")
    await library.feed("https://other.example/feed", title="Polled")
    await announce(store, pushed, "https://hub.example/", "https://news.example/feed")
    async with store.transaction() as tx:
        until = await tx.now() + timedelta(days=1)
    await stands(store, [pushed], state=HubState.ACTIVE, promised_until=until)

    listed = await (await api.get("/api/v1/feeds")).json()

    assert {feed["title"]: feed["pushed"] for feed in listed["items"]} == {
        "Pushed": True,
        "Polled": False,
    }
