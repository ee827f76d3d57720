import asyncio
from datetime import timedelta

import pytest

from feedmill.models.feeds import (
    Enclosure,
    FeedToPoll,
    KnownEntry,
    PollingHints,
    Rejected,
    SnapshotEntry,
    Transcript,
    Validators,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.store.users import OWNER
from support.clock import NOON, Clock

URL = "https://a.example/feed.xml"
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
VALIDATORS = Validators(etag='W/"x"', last_modified="Sun, 22 Nov 2026 06:00:00 GMT", url=URL)


async def only(tx: Transaction, feed_id: int) -> FeedToPoll:
    return (await tx.feeds.get([feed_id]))[feed_id]


async def due(store: Store, *, limit: int = 10, shard: int = 0, shards: int = 1) -> list[int]:
    async with store.transaction() as tx:
        found = await tx.feeds.lock_due(shard=shard, shards=shards, limit=limit)
    return [feed.id for feed in found]


async def test_adding_a_feed_twice_is_one_feed(store: Store) -> None:
    await Clock(store).start()
    async with store.transaction() as tx:
        first, second = await tx.feeds.add(URL), await tx.feeds.add(URL)

        assert first == second
        assert await only(tx, first) == FeedToPoll(id=first, url=URL, next_poll_at=NOON)


async def test_all_that_a_poll_may_change_is_kept(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        other_id = await tx.feeds.add("https://b.example/feed.xml")
        other = await only(tx, other_id)
        changed = FeedToPoll(
            id=feed_id,
            url=URL,
            title='Fish & "chips" 😀',
            site_url="https://a.example/",
            validators=VALIDATORS,
            rejected=Rejected(validators=Validators(etag='"2"', url=URL), parser="7"),
            body_hash="00ff",
            last_polled_at=NOON,
            last_success_at=NOON - HOUR,
            next_poll_at=NOON + HOUR,
            last_reason=Reason.NOT_A_FEED,
            last_detail="an HTML page",
            failures=3,
            failing_since=NOON - MINUTE,
            entries_per_week=3.5,
            newest_entry_at=NOON - 9 * HOUR,
            hints=PollingHints(interval_seconds=60, skip_hours=(1, 2), skip_days=(6,)),
            moved_to="https://c.example/",
            moved_since=NOON,
            moved_polls=2,
            gone_since=NOON,
            retired_at=NOON,
            hub_url="https://hub.example/",
            topic_url=URL,
        )

        await tx.feeds.keep([changed])

        assert await only(tx, feed_id) == changed
        assert await only(tx, other_id) == other


async def test_many_are_kept_at_once(store: Store) -> None:
    async with store.transaction() as tx:
        ids = [await tx.feeds.add(f"{URL}?{number}") for number in range(3)]
        feeds = await tx.feeds.lock(ids)

        await tx.feeds.keep(
            feed.model_copy(update={"title": f"T{feed.id}"}) for feed in feeds.values()
        )
        await tx.feeds.keep([])

        assert [(await only(tx, feed_id)).title for feed_id in ids] == [f"T{id_}" for id_ in ids]


async def test_feeds_are_due_when_their_time_has_come_the_longest_first(store: Store) -> None:
    clock = await Clock(store).start()
    async with store.transaction() as tx:
        later = await tx.feeds.add(f"{URL}?later", first_poll_in=HOUR)
        now = await tx.feeds.add(f"{URL}?now")
        retired = await tx.feeds.add(f"{URL}?retired")
        await tx.feeds.keep([(await only(tx, retired)).model_copy(update={"next_poll_at": None})])

    assert await due(store) == [now]
    await clock.advance(HOUR)
    assert await due(store) == [now, later]
    assert await due(store, limit=1) == [now]
    async with store.transaction() as tx:
        assert await tx.feeds.next_due_at(shard=0, shards=1) == NOON


async def test_shards_divide_the_feeds_among_them(store: Store) -> None:
    async with store.transaction() as tx:
        ids = [await tx.feeds.add(f"{URL}?{number}") for number in range(7)]

    found = [await due(store, shard=shard, shards=3) for shard in range(3)]

    assert sorted(feed_id for shard in found for feed_id in shard) == ids
    assert all(feed_id % 3 == shard for shard in range(3) for feed_id in found[shard])


async def test_a_feed_under_lease_is_nobody_elses(store: Store) -> None:
    clock = await Clock(store).start()
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        assert await tx.feeds.lease([feed_id], "one") == [feed_id]

        assert await tx.feeds.lease([feed_id], "two") == []
        assert await tx.feeds.lease([feed_id], "one") == [feed_id]
        assert await tx.feeds.lock_due(shard=0, shards=1, limit=9) == []
        assert await tx.feeds.next_due_at(shard=0, shards=1) is None
    await clock.advance(10 * MINUTE)

    assert await due(store) == [feed_id]


@pytest.mark.parametrize("how", ["released", "broke off", "kept"])
async def test_a_lease_ends(store: Store, how: str) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.lease([feed_id], "one")
        if how == "released":
            await tx.feeds.release([feed_id], "two")
            assert await tx.feeds.lease([feed_id], "two") == []
            await tx.feeds.release([feed_id], "one")
        elif how == "broke off":
            await tx.feeds.release_all("one")
        else:
            await tx.feeds.keep([await only(tx, feed_id)])

        assert await tx.feeds.polled_by("one") == [feed_id]
        assert await tx.feeds.lease([feed_id], "two") == [feed_id]


async def test_two_pollers_never_look_at_the_same_feeds(store: Store) -> None:
    async with store.transaction() as tx:
        ids = [await tx.feeds.add(f"{URL}?{number}") for number in range(4)]

    async with store.transaction() as one, store.transaction() as two:
        first = await one.feeds.lock_due(shard=0, shards=1, limit=2)
        second = await two.feeds.lock_due(shard=0, shards=1, limit=9)

    assert sorted(feed.id for feed in [*first, *second]) == ids


async def test_feeds_are_postponed_to_times_of_their_own(store: Store) -> None:
    async with store.transaction() as tx:
        ids = [await tx.feeds.add(f"{URL}?{number}") for number in range(3)]

        await tx.feeds.postpone({ids[0]: NOON, ids[2]: NOON + HOUR})
        await tx.feeds.postpone({})

        times = [(await only(tx, feed_id)).next_poll_at for feed_id in ids]
    assert (times[0], times[2]) == (NOON, NOON + HOUR)
    assert times[1] not in times[::2]


async def test_a_feed_moves_to_an_address_that_is_free(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        feed = (await only(tx, feed_id)).model_copy(
            update={"moved_to": "https://b.example/", "moved_since": NOON, "moved_polls": 9}
        )
        await tx.feeds.keep([feed])

        assert await tx.feeds.move(feed_id, "https://b.example/") == feed_id

        moved = await only(tx, feed_id)
    assert (moved.url, moved.moved_to, moved.moved_polls) == ("https://b.example/", None, 0)


async def test_a_feed_that_moves_to_another_becomes_it(store: Store) -> None:
    async with store.transaction() as tx:
        gone, stays = await tx.feeds.add(URL), await tx.feeds.add("https://b.example/")
        one = await tx.users.let_in(OWNER, "a-long-enough-token")
        two = await tx.users.let_in("second", "another-long-token")
        for user, feed_id in ((one, gone), (two, gone), (two, stays)):
            await tx.feeds.subscribe(user, feed_id)
        await tx.entries.add_new(
            {
                gone: [SnapshotEntry(guid="both"), SnapshotEntry(guid="old")],
                stays: [SnapshotEntry(guid="both"), SnapshotEntry(guid="new")],
            }
        )

        assert await tx.feeds.move(gone, "https://b.example/") == stays

        assert await tx.feeds.get([gone]) == {}
        assert (await only(tx, stays)).subscribers == 2
        waiting = (await tx.entries.waiting([stays]))[stays]
        kept = {entry.id for entry in await tx.entries.to_fetch(waiting)}
    assert len(kept) == 3


async def test_sites_that_move_to_one_place_are_counted(store: Store) -> None:
    async with store.transaction() as tx:
        for url in ("https://a.example/1", "https://a.example/2", "https://b.example/"):
            feed_id = await tx.feeds.add(url)
            feed = (await only(tx, feed_id)).model_copy(update={"moved_to": "http://portal/"})
            await tx.feeds.keep([feed])

        assert await tx.feeds.sites_moving_to("http://portal/") == 2


async def test_only_entries_not_shown_before_are_new(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        other_id = await tx.feeds.add("https://b.example/")
        one, two, three = (SnapshotEntry(guid=guid) for guid in "123")

        first = await tx.entries.add_new({feed_id: [one, two], other_id: [one]})
        again = await tx.entries.add_new({feed_id: [two, three], other_id: []})

        assert [len(first[feed_id]), len(first[other_id])] == [2, 1]
        assert [len(again[feed_id]), len(again[other_id])] == [1, 0]
        waiting = await tx.entries.waiting([feed_id, other_id])
        assert waiting == {
            feed_id: (*first[feed_id], *again[feed_id]),
            other_id: tuple(first[other_id]),
        }
        assert await tx.entries.add_new({}) == {}


async def test_all_that_a_feed_showed_of_an_entry_is_stored(store: Store) -> None:
    shown = SnapshotEntry(
        guid="tag:a,2026:\\\"'☕",
        url="https://a.example/1",
        title="Ünïcode & <b>",
        author="A. Writer",
        published_at=NOON,
        teaser="line\nline\t\\u0000",
        image_url="https://a.example/1.png",
        enclosures=(Enclosure(url="https://a.example/1.mp3", size_bytes=7),),
        transcripts=(Transcript(url="https://a.example/1.vtt", is_captions=True),),
        video_id="a1B2c3D4e5_",
    )
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        await tx.entries.add_new({feed_id: [shown]})

        rows = await tx.connection.exec_driver_sql("select * from entries")
        row = rows.mappings().one()

    assert SnapshotEntry.model_validate(row) == shown


async def test_a_feed_is_forgotten_with_its_last_follower(store: Store) -> None:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        one = await tx.users.let_in(OWNER, "a-long-enough-token")
        two = await tx.users.let_in("second", "another-long-token")
        assert await tx.feeds.subscribe(one, feed_id)
        assert await tx.feeds.subscribe(two, feed_id)
        assert not await tx.feeds.subscribe(two, feed_id)

        assert await tx.feeds.unsubscribe(one, feed_id)
        assert await tx.feeds.get([feed_id])

        assert await tx.feeds.unsubscribe(two, feed_id)
        assert not await tx.feeds.get([feed_id])
        assert not await tx.feeds.unsubscribe(two, feed_id)


async def test_a_token_opens_for_its_user_alone(store: Store) -> None:
    async with store.transaction() as tx:
        one = await tx.users.let_in(OWNER, "a-long-enough-token")
        two = await tx.users.let_in("second", "another-long-token")
        assert await tx.users.let_in(OWNER, "a-long-enough-token") == one

        assert await tx.users.by_token("a-long-enough-token") == one
        assert await tx.users.by_token("another-long-token") == two
        assert await tx.users.by_token("guessed") is None


async def test_a_changed_token_closes_the_former_one(store: Store) -> None:
    async with store.transaction() as tx:
        owner = await tx.users.let_in(OWNER, "a-token-that-leaked")

        assert await tx.users.let_in(OWNER, "the-token-after-it") == owner

        assert await tx.users.by_token("the-token-after-it") == owner
        assert await tx.users.by_token("a-token-that-leaked") is None


async def test_a_feed_stays_when_somebody_follows_it_while_its_last_reader_leaves(
    store: Store,
) -> None:
    async with store.transaction() as tx:
        owner = await tx.users.let_in(OWNER, "token")
        neighbour = await tx.users.let_in("neighbour", "another token")
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.subscribe(owner, feed_id)

    async def leave() -> None:
        async with store.transaction() as leaving:
            await leaving.feeds.unsubscribe(owner, feed_id)

    async with store.transaction() as following:
        await following.feeds.subscribe(neighbour, await following.feeds.add(URL))
        left = asyncio.create_task(leave())
        await asyncio.sleep(0.3)
    await left

    async with store.transaction() as tx:
        assert [feed.id for feed in await tx.reader.feeds(neighbour)] == [feed_id]
        assert await tx.reader.feeds(owner) == []


async def test_where_a_feed_was_still_leads_to_it(store: Store) -> None:
    async with store.transaction() as tx:
        user = await tx.users.let_in(OWNER, "a-long-enough-token")
        feed_id = await tx.feeds.add(URL)
        await tx.feeds.subscribe(user, feed_id)

        await tx.feeds.move(feed_id, "https://b.example/")
        await tx.feeds.move(feed_id, "https://c.example/")

        for url in (URL, "https://b.example/", "https://c.example/"):
            assert await tx.feeds.add(url) == feed_id
        await tx.feeds.move(feed_id, URL)
        assert (await only(tx, feed_id)).url == URL
        assert await tx.feeds.known_as([URL]) == {}


async def test_a_feed_that_became_another_is_known_by_its_old_number(store: Store) -> None:
    async with store.transaction() as tx:
        user = await tx.users.let_in(OWNER, "a-long-enough-token")
        first, second, third = [
            await tx.feeds.add(f"https://{name}.example/") for name in ("a", "b", "c")
        ]
        await tx.feeds.subscribe(user, first)

        await tx.feeds.move(first, "https://b.example/")
        await tx.feeds.move(second, "https://c.example/")

        assert (await tx.reader.feed(user, first)).id == third
        assert (await tx.reader.feed(user, second)).id == third
        assert await tx.reader.follows(user, [first, second, third, 99]) == {first, second, third}
        stranger = await tx.users.let_in("stranger", "another-long-token")
        assert await tx.reader.follows(stranger, [first, second, third]) == frozenset()
        assert await tx.feeds.add("https://a.example/") == third


async def test_stored_entries_that_resemble_shown_ones_are_found(store: Store) -> None:
    def entry(guid: str, **fields: object) -> SnapshotEntry:
        return SnapshotEntry.model_validate({"guid": guid, **fields})

    stored = [
        entry("guid"),
        entry("2", url="https://a.example/url"),
        entry("3", title="title", teaser="text"),
        entry("4", url="https://a.example/other", title="title"),
    ]
    shown = [
        entry("guid"),
        entry("new", url="https://a.example/url"),
        entry("newer", title="title"),
    ]
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(URL)
        other_id = await tx.feeds.add("https://b.example/")
        await tx.entries.add_new({feed_id: stored, other_id: [entry("guid")]})

        known = await tx.entries.known({feed_id: shown, other_id: [entry("x")]})

    assert {each.guid for each in known[feed_id]} == {"guid", "2", "3"}
    assert KnownEntry(guid="3", title="title", teaser="text") in known[feed_id]
    assert known[other_id] == []
