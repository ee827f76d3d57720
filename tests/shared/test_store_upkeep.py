from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from feedmill.models.entries import Stage
from feedmill.models.feeds import SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.models.upkeep import FeedsSelected, SlicePruned
from feedmill.store import Store
from feedmill.store.tables import contents, distillates, entries, tombstones
from support.clock import Clock
from support.library import Library, open_library

HOUR = timedelta(hours=1)
OWNERS = {Stage.NEW: "schedule-fetch/a", Stage.FETCHED: "content-distillation/a"}
NOBODY = {Stage.NEW: (), Stage.FETCHED: ()}


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start(datetime.now(UTC))


@pytest_asyncio.fixture
async def library(store: Store) -> Library:
    return await open_library(store)


async def pick_up(
    store: Store, *, most: int = 10, batch: str = "a", living: tuple[str, ...] = ()
) -> dict[Stage, tuple[int, ...]]:
    owners = {stage: f"{owner[:-1]}{batch}" for stage, owner in OWNERS.items()}
    async with store.transaction() as tx:
        return await tx.upkeep.pick_up(4 * HOUR, most, owners=owners, living=living)


async def test_who_has_stood_still_for_too_long_is_picked_up_once(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    new, fetched, ended = [await library.entry(feed, title) for title in "abc"]
    await library.article(fetched)
    await library.dead_end(ended, Reason.NO_ARTICLE)

    early = await pick_up(store)
    await clock.advance(5 * HOUR)
    found, again = await pick_up(store), await pick_up(store, batch="b")
    await clock.advance(5 * HOUR)
    later = await pick_up(store, batch="c")

    assert early == again == NOBODY
    assert found == later == {Stage.NEW: (new,), Stage.FETCHED: (fetched,)}


async def test_only_so_many_are_picked_up_the_longest_waiting_first(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    ids = [await library.entry(feed, str(number)) for number in range(5)]
    await clock.advance(5 * HOUR)

    first, second = await pick_up(store, most=3), await pick_up(store, most=3)

    assert first[Stage.NEW] + second[Stage.NEW] == tuple(ids)
    assert len(first[Stage.NEW]) == 3


async def test_what_waited_for_a_budget_is_picked_up_as_soon_as_there_may_be_one(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    await library.article(entry)
    async with store.transaction() as tx:
        await tx.entries.distil_later(entry, until=await tx.now() + 9 * HOUR)

    await clock.advance(8 * HOUR)
    early = await pick_up(store)
    await clock.advance(2 * HOUR)
    found = await pick_up(store)

    assert early == NOBODY
    assert found == {Stage.NEW: (), Stage.FETCHED: (entry,)}


async def test_who_moved_lately_has_not_stalled(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    await clock.advance(5 * HOUR)
    await library.article(entry)

    assert await pick_up(store) == NOBODY


async def test_a_living_owner_keeps_its_entries_and_a_dead_one_does_not(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    async with store.transaction() as tx:
        await tx.upkeep.own([entry], "domain-fetch/slow.example")
    await clock.advance(5 * HOUR)

    async with store.transaction() as tx:
        owners = await tx.upkeep.owners_of_stalled(4 * HOUR)
        left = [await tx.upkeep.count_stalled(4 * HOUR, living) for living in (owners, ())]
    kept = await pick_up(store, living=owners)
    taken = await pick_up(store)

    assert owners == ("domain-fetch/slow.example",)
    assert left == [0, 1]
    assert (kept, taken[Stage.NEW]) == (NOBODY, (entry,))


async def test_a_batch_finds_its_entries_again(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed)
    await clock.advance(5 * HOUR)
    found = await pick_up(store)

    async with store.transaction() as tx:
        again = await tx.upkeep.owned_by(OWNERS.values())

    assert found == again == {Stage.NEW: (entry,), Stage.FETCHED: ()}


async def prune(store: Store, *, newest: int = 0, after: int = 0, limit: int = 10) -> SlicePruned:
    async with store.transaction() as tx:
        return await tx.upkeep.prune(
            timedelta(days=90), keep_newest=newest, after=after, limit=limit
        )


async def count(store: Store, table: object) -> int:
    async with store.transaction() as tx:
        statement = select(func.count()).select_from(table)  # type: ignore[arg-type]
        return int((await tx.connection.execute(statement)).scalar_one())


async def test_what_is_old_is_forgotten_with_all_that_belongs_to_it(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    entry = await library.entry(feed, "old")
    await library.article(entry)
    await library.distillate(entry)
    waiting = await library.entry(feed, "waiting")
    assert await prune(store) == SlicePruned()
    await clock.advance(timedelta(days=91))

    pruned, again = await prune(store), await prune(store)

    assert (pruned, again) == (SlicePruned(pruned=1), SlicePruned())
    assert [await count(store, table) for table in (contents, distillates, tombstones)] == [0, 0, 1]
    async with store.transaction() as tx:
        assert (await tx.connection.execute(select(entries.c.id))).scalars().all() == [waiting]


async def test_what_was_forgotten_is_not_brought_back_by_its_feed(
    store: Store, clock: Clock, library: Library
) -> None:
    feed, other = await library.feed(), await library.feed("https://other.example/feed")
    entry = await library.entry(feed, "old")
    await library.dead_end(entry, Reason.NO_ARTICLE)
    await clock.advance(timedelta(days=91))
    await prune(store)

    shown = [SnapshotEntry(guid="old"), SnapshotEntry(guid="new")]
    async with store.transaction() as tx:
        added = await tx.entries.add_new({feed: shown, other: shown})

    assert (len(added[feed]), len(added[other])) == (1, 2)


async def test_the_newest_of_a_feed_stay_however_old_they_are(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    published = datetime(2020, 1, 1, tzinfo=UTC)
    ids = [
        await library.entry(feed, str(day), published_at=published + timedelta(days=day))
        for day in (3, 1, 2)
    ]
    for entry in ids:
        await library.dead_end(entry, Reason.NO_ARTICLE)
    await clock.advance(timedelta(days=91))

    assert await prune(store, newest=2) == SlicePruned(pruned=1)
    async with store.transaction() as tx:
        left = (await tx.connection.execute(select(entries.c.guid))).scalars().all()
    assert sorted(left) == ["2", "3"]


async def test_slices_go_on_where_the_last_one_ended(
    store: Store, clock: Clock, library: Library
) -> None:
    feed = await library.feed()
    ids = [await library.entry(feed, str(number)) for number in range(5)]
    for entry in ids:
        await library.dead_end(entry, Reason.NO_ARTICLE)
    await clock.advance(timedelta(days=91))

    first = await prune(store, limit=2, newest=3)
    second = await prune(store, limit=2, newest=3, after=ids[1])
    third = await prune(store, limit=2, newest=3, after=ids[3])

    assert first == SlicePruned(pruned=2, next_after=ids[1])
    assert second == SlicePruned(pruned=0, next_after=ids[3])
    assert third == SlicePruned(pruned=0)


async def test_feeds_are_named_page_by_page(store: Store, library: Library) -> None:
    ids = [await library.feed(f"https://{name}.example/feed") for name in "abc"]

    async with store.transaction() as tx:
        first = await tx.upkeep.select_feeds(after=0, limit=2)
        second = await tx.upkeep.select_feeds(after=ids[1], limit=2)

    assert first == FeedsSelected(feed_ids=tuple(ids[:2]), total=3)
    assert second == FeedsSelected(feed_ids=(ids[2],), total=3)


@pytest.mark.parametrize("stage", [Stage.NEW, Stage.FETCHED])
async def test_only_pages_that_are_still_to_be_fetched_have_an_address(
    store: Store, library: Library, stage: Stage
) -> None:
    feed = await library.feed()
    entry, bare = await library.entry(feed, "a"), await library.entry(feed, "b", url=None)
    if stage is Stage.FETCHED:
        await library.article(entry)

    async with store.transaction() as tx:
        urls = await tx.upkeep.urls([entry, bare, 999])

    assert urls == ({entry: "https://news.example/night"} if stage is Stage.NEW else {})
