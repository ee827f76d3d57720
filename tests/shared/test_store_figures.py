from datetime import timedelta

import pytest_asyncio
from sqlalchemy import update

from feedmill.models.entries import Stage
from feedmill.models.events import EventKind
from feedmill.models.figures import FleetFigures, Readable, Waiting
from feedmill.models.outcomes import Reason
from feedmill.models.reader import FeedHealth
from feedmill.store import Store
from feedmill.store.tables import entries, events, feeds
from support.library import Library, open_library

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    return await open_library(store)


async def figures_of(store: Store) -> FleetFigures:
    async with store.transaction() as tx:
        return await tx.figures.fleet()


async def readable_after(store: Store, number: int) -> list[Readable]:
    async with store.transaction() as tx:
        return await tx.figures.readable_after(number)


async def change(store: Store, table: object, where: object, **values: object) -> None:
    async with store.transaction() as tx:
        await tx.connection.execute(update(table).where(where).values(**values))  # type: ignore[arg-type]


async def test_an_empty_store_has_a_figure_for_everything(store: Store) -> None:
    nothing = timedelta(0)

    assert await figures_of(store) == FleetFigures(
        feeds=dict.fromkeys(FeedHealth, 0),
        overdue=nothing,
        waiting=(
            Waiting(stage=Stage.NEW, entries=0, oldest=nothing),
            Waiting(stage=Stage.FETCHED, entries=0, oldest=nothing),
        ),
    )


async def test_feeds_are_counted_by_how_they_do(store: Store, library: Library) -> None:
    await library.feed()
    await library.failed_poll(await library.feed("https://a.example/"), Reason.TIMED_OUT)
    await library.failed_poll(await library.feed("https://b.example/"), Reason.RATE_LIMITED)

    found = (await figures_of(store)).feeds

    assert {health: n for health, n in found.items() if n} == {
        FeedHealth.GOOD: 1,
        FeedHealth.FAILING: 1,
        FeedHealth.BUSY: 1,
    }


async def test_feeds_are_late_from_the_time_they_are_due_until_somebody_polls_them(
    store: Store, library: Library
) -> None:
    feed_id = await library.feed()
    async with store.transaction() as tx:
        now = await tx.now()
    assert (await figures_of(store)).overdue == timedelta(0)

    await change(store, feeds, feeds.c.id == feed_id, next_poll_at=now - HOUR)
    late = (await figures_of(store)).overdue
    await change(store, feeds, feeds.c.id == feed_id, lease_until=now + HOUR)

    assert HOUR <= late < 2 * HOUR
    assert (await figures_of(store)).overdue == timedelta(0)


async def test_entries_wait_until_they_reach_an_end(store: Store, library: Library) -> None:
    feed_id = await library.feed()
    new = [await library.entry(feed_id, f"new {n}") for n in range(2)]
    fetched = await library.entry(feed_id, "fetched")
    await library.article(fetched)
    done = await library.entry(feed_id, "done")
    await library.dead_end(done, Reason.NO_ARTICLE)
    async with store.transaction() as tx:
        now = await tx.now()
    await change(store, entries, entries.c.id == new[0], created_at=now - HOUR)

    waiting = {each.stage: each for each in (await figures_of(store)).waiting}

    assert {stage: each.entries for stage, each in waiting.items()} == {"new": 2, "fetched": 1}
    assert waiting[Stage.NEW].oldest >= HOUR
    assert waiting[Stage.FETCHED].oldest < HOUR


async def test_what_became_readable_is_told_once_with_how_long_it_took(
    store: Store, library: Library
) -> None:
    feed_id = await library.feed()
    async with store.transaction() as tx:
        now = await tx.now()
    await change(store, feeds, feeds.c.id == feed_id, created_at=now - 24 * HOUR)
    fresh = await library.entry(feed_id, "fresh", published_at=now - 3 * HOUR)
    old = await library.entry(feed_id, "old", published_at=now - 240 * HOUR)
    undated = await library.entry(feed_id, "undated", published_at=None)
    await change(store, entries, entries.c.feed_id == feed_id, created_at=now - HOUR)
    for entry_id in (fresh, old, undated):
        await library.event(EventKind.ENTRY_DISTILLED, feed_id, entry_id)
    await change(store, events, events.c.entry_id.is_not(None), at=now)

    told = await readable_after(store, 0)

    assert [(each.since_seen, each.since_published) for each in told] == [
        (HOUR, 3 * HOUR),
        (HOUR, None),
        (HOUR, None),
    ]
    assert await readable_after(store, told[0].event_id) == told[1:]
    assert await readable_after(store, told[-1].event_id) == []
    async with store.transaction() as tx:
        assert await tx.figures.newest_event() == told[-1].event_id
