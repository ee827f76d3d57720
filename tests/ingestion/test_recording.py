import asyncio
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from feedmill.config import StoreSettings
from feedmill.errors import StoreUnavailableError
from feedmill.models.events import EventKind, RunRef
from feedmill.models.feeds import FeedLink, FeedSnapshot, FeedToPoll, SnapshotEntry, Validators
from feedmill.models.hosts import Admitted, HostLimit, Place
from feedmill.models.hubs import HubState
from feedmill.models.outcomes import Reason
from feedmill.store import Store, open_store
from feedmill_ingestion.polls import Failed, Found, Poll, Postponed, Shown, TurnedAway
from feedmill_ingestion.recording import Recorded, Recorder
from ingestion.conftest import PACE
from support.clock import NOON, Clock
from support.hubs import standing, stands, subscription
from support.programs import free_port

URL = "https://a.example/feed"
RUN = RunRef(workflow_id="w", run_id="r")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
VALIDATORS = Validators(etag='"1"', url=URL)


def shown(*guids: str, **known: object) -> Shown:
    entries = tuple(SnapshotEntry(guid=guid) for guid in guids)
    return Shown.model_validate(
        {"validators": Validators(), "snapshot": FeedSnapshot(entries=entries), **known}
    )


async def add(store: Store, *urls: str) -> list[FeedToPoll]:
    async with store.transaction() as tx:
        ids = [await tx.feeds.add(url) for url in urls or (URL,)]
        feeds = await tx.feeds.get(ids)
    return [feeds[feed_id] for feed_id in ids]


async def record(store: Store, feed: FeedToPoll, poll: Poll, run: RunRef | None = None) -> Recorded:
    return await Recorder(store, PACE).record(feed, poll, place=None, run=run)


async def waits_for_another(store: Store) -> None:
    """Return once a transaction waits for another one to end."""
    waiting = text("select count(*) from pg_locks where not granted")
    async with asyncio.timeout(10):
        while True:
            async with store.transaction() as tx:
                if (await tx.connection.execute(waiting)).scalar_one():
                    return
            await asyncio.sleep(0.02)


async def told(store: Store) -> list[tuple[EventKind, str]]:
    async with store.transaction() as tx:
        return [(each.kind, each.detail) for each in await tx.events.after(0)]


async def test_a_poll_is_written_with_all_that_belongs_to_it(store: Store) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    limit = HostLimit(host="a.example", spacing=HOUR, in_flight=1)
    async with store.transaction() as tx:
        answer = (await tx.hosts.reserve({limit: 1}))["a.example"]
    assert isinstance(answer, Admitted)

    recorded = await Recorder(store, PACE).record(
        feed, shown("a", "b"), place=answer.places[0], run=None
    )

    assert (len(recorded.new_entry_ids), recorded.overtaken) == (2, False)
    assert recorded.feed is not None
    assert recorded.feed.last_success_at == NOON
    async with store.transaction() as tx:
        assert (await tx.feeds.get([feed.id]))[feed.id] == recorded.feed
        assert (await tx.hosts.lock("a.example")).busy == 0
    assert await told(store) == [
        (EventKind.FEED_POLLED, "2 new"),
        (EventKind.ENTRY_ADDED, ""),
        (EventKind.ENTRY_ADDED, ""),
    ]
    await clock.advance(HOUR)


async def test_polls_that_end_together_are_written_together(store: Store) -> None:
    feeds = await add(store, *(f"{URL}/{number}" for number in range(60)))
    recorder = Recorder(store, PACE)
    commits = 0

    def count(_: object) -> None:
        nonlocal commits
        commits += 1

    event.listen(store._engine.sync_engine, "commit", count)
    recorded = await asyncio.gather(
        *(recorder.record(feed, shown("a"), place=None, run=None) for feed in feeds)
    )

    assert [each.feed and each.feed.id for each in recorded] == [feed.id for feed in feeds]
    assert all(len(each.new_entry_ids) == 1 for each in recorded)
    assert commits == 1


async def test_one_poll_that_cannot_be_written_does_no_harm_to_the_others(store: Store) -> None:
    good, bad, fine = await add(store, f"{URL}/1", f"{URL}/2", f"{URL}/3")
    async with store.transaction() as tx:
        await tx.connection.execute(
            text("alter table entries add constraint poison check (guid <> 'poison')")
        )
    recorder = Recorder(store, PACE)

    recorded = await asyncio.gather(
        recorder.record(good, shown("a"), place=None, run=None),
        recorder.record(bad, shown("b", "poison"), place=None, run=None),
        recorder.record(fine, shown("c"), place=None, run=None),
    )

    assert [len(each.new_entry_ids) for each in recorded] == [1, 0, 1]
    standing = recorded[1].feed
    assert standing is not None
    assert (standing.last_reason, standing.last_detail) == (Reason.PARSER_FAILED, "not storable")


async def test_a_page_whose_feed_somebody_adds_just_then_becomes_that_feed(store: Store) -> None:
    (page,) = await add(store, "https://a.example/")
    found = Found(link=FeedLink(url=URL), shown=shown("a"))
    async with store.transaction() as tx:
        added = await tx.feeds.add(URL)
        recording = asyncio.create_task(record(store, page, found))
        # Until it waits for us: what we add is not to be seen before.
        await waits_for_another(store)

    recorded = await recording

    assert recorded.feed is not None
    assert (recorded.feed.id, recorded.feed.last_reason) == (added, None)


async def test_what_cannot_be_written_at_all_is_raised_where_it_is_waited_for(
    store: Store,
) -> None:
    (feed,) = await add(store)
    async with store.transaction() as tx:
        await tx.connection.execute(text("alter table events add constraint full_up check (false)"))

    with pytest.raises(DBAPIError):
        await record(store, feed, shown("a"), run=RUN)


async def test_a_store_that_is_away_is_told_to_each_who_waits() -> None:
    feeds = [FeedToPoll(id=number, url=f"{URL}/{number}") for number in range(2)]
    nowhere = StoreSettings(database_url=f"postgresql://me@127.0.0.1:{free_port()}/feeds")
    async with open_store(nowhere) as away:
        recorder = Recorder(away, PACE)

        answers = await asyncio.gather(
            *(recorder.record(feed, shown("a"), place=None, run=None) for feed in feeds),
            return_exceptions=True,
        )

    assert [type(answer) for answer in answers] == [StoreUnavailableError] * 2


async def test_a_poll_that_somebody_overtook_changes_nothing(store: Store) -> None:
    (feed,) = await add(store)
    theirs = await record(store, feed, shown("a"))

    ours = await record(store, feed, shown("b"), run=RUN)

    assert ours == Recorded(feed=theirs.feed, overtaken=True)
    async with store.transaction() as tx:
        assert len((await tx.entries.waiting([feed.id]))[feed.id]) == 1


async def test_a_feed_that_was_removed_leaves_its_place_at_least(store: Store) -> None:
    (feed,) = await add(store)
    limit = HostLimit(host="a.example", spacing=HOUR, in_flight=1)
    async with store.transaction() as tx:
        await tx.hosts.reserve({limit: 1})
        await tx.connection.execute(text("delete from feeds"))
        (lost_at,) = (await tx.connection.execute(text("select busy[1] from hosts"))).scalars()

    recorded = await Recorder(store, PACE).record(
        feed, shown("a"), place=Place(limit=limit, lost_at=lost_at), run=RUN
    )

    assert recorded.feed is None
    async with store.transaction() as tx:
        assert (await tx.hosts.lock("a.example")).busy == 0
    assert await told(store) == []


FAILED = Failed(reason=Reason.TIMED_OUT, detail="10 s")


@pytest.mark.parametrize(
    ("before", "poll", "run", "news"),
    [
        pytest.param({}, shown(), None, [], id="nothing new is no news"),
        pytest.param({}, shown(), RUN, ["feed.polled 0 new"], id="but to those who wait for it"),
        pytest.param({"failures": 2}, shown(), None, ["feed.polled 0 new"], id="it is back"),
        pytest.param({}, FAILED, None, ["feed.failed timed_out"], id="it fails"),
        pytest.param({"last_reason": Reason.TIMED_OUT}, FAILED, None, [], id="it fails still"),
        pytest.param(
            {"last_reason": Reason.TIMED_OUT},
            FAILED,
            RUN,
            ["feed.failed timed_out"],
            id="and somebody waits",
        ),
        pytest.param(
            {"last_reason": Reason.GONE, "gone_since": NOON - 48 * HOUR},
            Failed(reason=Reason.GONE),
            None,
            ["feed.retired gone"],
            id="it is retired",
        ),
        pytest.param({}, TurnedAway(until=NOON, detail="429"), None, [], id="its host is busy"),
        pytest.param(
            {},
            TurnedAway(until=NOON, detail="429"),
            RUN,
            ["feed.failed rate_limited"],
            id="its host is busy, and somebody waits",
        ),
        pytest.param({}, Postponed(until=NOON), RUN, [], id="nobody asked it"),
    ],
)
async def test_what_readers_are_told(
    store: Store, before: dict[str, object], poll: Poll, run: RunRef | None, news: list[str]
) -> None:
    await Clock(store).start()
    (feed,) = await add(store)
    async with store.transaction() as tx:
        await tx.feeds.keep([feed.model_copy(update=before)])

    await record(store, feed, poll, run)

    assert [f"{kind} {detail}" for kind, detail in await told(store)] == news


async def test_a_move_that_is_believed_is_made(store: Store) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    moved = shown("a", moved_to="https://b.example/feed")
    first = await record(store, feed, moved)
    await clock.advance(7 * 24 * HOUR)
    assert first.feed is not None
    assert first.feed.url == URL

    await record(store, first.feed, moved)

    async with store.transaction() as tx:
        assert (await tx.feeds.get([feed.id]))[feed.id].url == "https://b.example/feed"
    assert (await told(store))[-1] == (EventKind.FEED_MOVED, "https://b.example/feed")


async def test_many_sites_that_move_to_one_place_at_once_stay_where_they_are(
    store: Store,
) -> None:
    clock = await Clock(store).start()
    portal = shown("a", moved_to="http://portal.example/")
    feeds = await add(store, *(f"https://{number}.example/" for number in range(4)))
    for _ in range(3):
        recorded = [await record(store, feed, portal) for feed in feeds]
        feeds = [each.feed for each in recorded if each.feed]
        await clock.advance(4 * 24 * HOUR)

    assert [feed.url for feed in feeds] == [f"https://{number}.example/" for number in range(4)]


async def test_guids_that_are_new_at_every_poll_flood_nobody(store: Store) -> None:
    def poll(number: int, *titles: str) -> Shown:
        entries = tuple(
            SnapshotEntry(guid=f"{title}?session={number}", url=f"{URL}/{title}", title=title)
            for title in titles
        )
        return Shown(validators=Validators(), snapshot=FeedSnapshot(entries=entries))

    (feed,) = await add(store)
    added = []
    for number, titles in enumerate(("ab", "abc", "abc", "bcd")):
        recorded = await record(store, feed, poll(number, *titles))
        assert recorded.feed is not None
        feed = recorded.feed
        added.append(len(recorded.new_entry_ids))

    assert added == [2, 1, 0, 1]


async def test_what_one_feed_has_shown_says_nothing_of_another(store: Store) -> None:
    feeds = await add(store, f"{URL}/1", f"{URL}/2")
    first = shown("a", "b")
    for feed in feeds[:1]:
        recorded = await record(store, feed, first)
    assert recorded.feed is not None

    again, other = await asyncio.gather(
        record(store, recorded.feed, shown("a", "b", "c")), record(store, feeds[1], first)
    )

    assert (len(again.new_entry_ids), len(other.new_entry_ids)) == (1, 2)


HUB = {"hub_url": "https://hub.example/", "self_url": URL}
NO_HUB: dict[str, str] = {}


def announced(*guids: str, hub: dict[str, str], **dates: object) -> Shown:
    entries = tuple(SnapshotEntry.model_validate({"guid": guid, **dates}) for guid in guids)
    snapshot = FeedSnapshot.model_validate({"entries": entries, **hub})
    return Shown(validators=VALIDATORS, snapshot=snapshot)


async def record_next(store: Store, feed_id: int, poll: Poll) -> FeedToPoll:
    async with store.transaction() as tx:
        feed = (await tx.feeds.get([feed_id]))[feed_id]
    recorded = await record(store, feed, poll)
    assert recorded.feed is not None
    return recorded.feed


async def test_a_hub_is_to_be_asked_once_a_poll_has_found_that_the_feed_names_it(
    store: Store,
) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    await record(store, feed, announced("a", hub=NO_HUB))
    assert await subscription(store, feed.id) is None
    await clock.advance(HOUR)

    await record_next(store, feed.id, announced("b", hub=HUB))

    found = await standing(store, feed.id)
    assert (found.hub_url, found.topic_url) == (HUB["hub_url"], URL)
    assert found.renew_at == NOON + HOUR


async def test_a_feed_that_says_the_same_again_changes_nothing_about_its_hub(store: Store) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    await record(store, feed, announced("a", hub=HUB))
    await stands(store, [feed.id], asked_at=NOON - 2 * DAY, renew_at=NOON + 5 * DAY)
    before = await standing(store, feed.id)
    await clock.advance(HOUR)

    await record_next(store, feed.id, announced("b", hub=HUB))
    await record_next(store, feed.id, Shown(validators=VALIDATORS))
    await record_next(store, feed.id, FAILED)

    assert await standing(store, feed.id) == before


@pytest.mark.parametrize(
    "poll",
    [
        pytest.param(announced("b", hub=NO_HUB), id="it names none any more"),
        pytest.param(announced("b", hub=HUB | {"self_url": f"{URL}/new"}), id="it has moved"),
        pytest.param(Failed(reason=Reason.GONE), id="it is retired"),
    ],
)
async def test_a_hub_is_left_once_a_poll_has_found_that_it_is_not_the_feeds_any_more(
    store: Store, poll: Poll
) -> None:
    await Clock(store).start()
    (feed,) = await add(store)
    said = await record_next(store, feed.id, announced("a", hub=HUB))
    async with store.transaction() as tx:
        await tx.feeds.keep([said.model_copy(update={"gone_since": NOON - 2 * DAY})])
    await stands(store, [feed.id], asked_at=NOON - 2 * DAY, renew_at=NOON + 5 * DAY)

    await record_next(store, feed.id, poll)

    assert (await standing(store, feed.id)).renew_at == NOON


async def test_a_hub_that_keeps_silent_twice_is_trusted_no_more_from_that_poll_on(
    store: Store,
) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    await record(store, feed, announced("a", hub=HUB))
    promise = {"state": HubState.ACTIVE, "promised_until": NOON + 9 * DAY, "asked_at": NOON}
    await stands(store, [feed.id], **promise)
    waits = []
    for guid in ("b", "c"):
        await clock.advance(DAY)
        now = await clock.now()
        news = announced(guid, hub=HUB, published_at=now - HOUR)
        polled = await record_next(store, feed.id, news)
        assert polled.next_poll_at is not None
        waits.append((polled.next_poll_at - now, polled.pushed))

    found = await standing(store, feed.id)
    assert (found.state, found.missed) == (HubState.SILENT, 2)
    (first, was_pushed), (second, is_pushed) = waits
    assert was_pushed
    assert not is_pushed
    assert first >= DAY
    assert second <= HOUR * 13 / 6


async def test_a_hub_that_has_nothing_to_say_is_not_silent(store: Store) -> None:
    clock = await Clock(store).start()
    (feed,) = await add(store)
    await record(store, feed, announced("a", hub=HUB))
    promise = {"state": HubState.ACTIVE, "promised_until": NOON + 9 * DAY, "asked_at": NOON}
    await stands(store, [feed.id], **promise)
    for _ in range(4):
        await clock.advance(DAY)
        await record_next(store, feed.id, announced("a", hub=HUB))

    found = await standing(store, feed.id)
    assert (found.state, found.missed) == (HubState.ACTIVE, 0)


async def test_an_address_too_long_to_be_known_by_is_no_new_home(store: Store) -> None:
    (feed,) = await add(store)
    # Nothing that could be packed.
    ticket = "".join(sha256(bytes([number])).hexdigest() for number in range(100))

    recorded = await record(store, feed, shown("a", moved_to=f"https://b.example/{ticket}"))

    assert recorded.feed is not None
    assert (recorded.feed.last_reason, recorded.feed.moved_to) == (None, None)
    assert len(recorded.new_entry_ids) == 1
