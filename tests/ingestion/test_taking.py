import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text
from temporalio.testing import ActivityEnvironment

from feedmill.errors import StoreUnavailableError
from feedmill.isolation import IsolatedPool
from feedmill.models.events import EventKind
from feedmill.models.feeds import FeedToPoll, Validators
from feedmill.models.hubs import HubState, PushesTaken, TakePushes
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill_ingestion.hub_keeping import HubKeeper
from feedmill_ingestion.taking import PushTaker
from ingestion.conftest import PACE
from support.clock import NOON, Clock
from support.hubs import FEED, add_announced, standing, stands

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ACTIVE = {"state": HubState.ACTIVE, "promised_until": NOON + 9 * DAY, "asked_at": NOON - DAY}


def rss(*guids: str, date: str = "", link: str = "") -> str:
    items = "".join(
        f"<item><guid isPermaLink='false'>{guid}</guid><title>{guid}</title>"
        f"<link>{link}</link><pubDate>{date}</pubDate></item>"
        for guid in guids
    )
    return f'<rss version="2.0"><channel><title>Pushed</title>{items}</channel></rss>'


async def add(store: Store, url: str = FEED, **known: object) -> int:
    """Add a feed that was polled an hour ago and is pushed since."""
    feed_id = await add_announced(store, url)
    async with store.transaction() as tx:
        feed = (await tx.feeds.get([feed_id]))[feed_id]
        polled = {
            "title": "Polled",
            "validators": Validators(etag='"1"', url=url),
            "body_hash": "00",
            "last_polled_at": NOON - 2 * HOUR,
            "last_success_at": NOON - 2 * HOUR,
            "next_poll_at": NOON + 22 * HOUR,
        }
        await tx.feeds.keep([feed.model_copy(update=polled | known)])
    await stands(store, [feed_id], **ACTIVE)
    return feed_id


async def push(
    store: Store, feed_id: int, body: str | bytes, content_type: str = "text/xml"
) -> None:
    content = body.encode() if isinstance(body, str) else body
    async with store.transaction() as tx:
        assert await tx.pushes.add(feed_id, content_type, content)


async def take(
    store: Store,
    parsers: IsolatedPool,
    request: TakePushes | None = None,
    *,
    attempt: int = 1,
    activity: str = "take",
) -> PushesTaken:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt, activity_id=activity)
    keeper = HubKeeper(store, parsers, PACE, None)
    return await environment.run(keeper.take_pushes, request or TakePushes())


async def feed_of(store: Store, feed_id: int) -> FeedToPoll:
    async with store.transaction() as tx:
        return (await tx.feeds.get([feed_id]))[feed_id]


async def told(store: Store) -> list[tuple[EventKind, str]]:
    async with store.transaction() as tx:
        return [(each.kind, each.detail) for each in await tx.events.after(0)]


def pushes(outcome: str) -> float:
    return REGISTRY.get_sample_value("feedmill_pushes_total", {"outcome": outcome}) or 0


async def test_what_a_hub_sends_becomes_entries_as_what_a_poll_finds_does(
    store: Store, parsers: IsolatedPool
) -> None:
    await Clock(store).start()
    feed_id = await add(store)
    before, read = await feed_of(store, feed_id), pushes("read")
    await push(store, feed_id, rss("a", "b", date="Sun, 01 Mar 2026 11:30:00 GMT"))

    taken = await take(store, parsers)

    assert taken == PushesTaken(taken=1, new_entry_ids=taken.new_entry_ids)
    async with store.transaction() as tx:
        waiting = (await tx.entries.waiting([feed_id]))[feed_id]
    assert sorted(waiting) == sorted(taken.new_entry_ids)
    assert len(waiting) == 2
    assert await told(store) == [
        (EventKind.FEED_POLLED, "2 new"),
        (EventKind.ENTRY_ADDED, ""),
        (EventKind.ENTRY_ADDED, ""),
    ]
    # Only a poll can say what a poll has seen.
    assert await feed_of(store, feed_id) == before.model_copy(
        update={"newest_entry_at": NOON - HOUR / 2}
    )
    assert (await standing(store, feed_id)).last_push_at == NOON
    assert pushes("read") == read + 1


async def test_what_is_known_already_is_no_news(store: Store, parsers: IsolatedPool) -> None:
    feed_id = await add(store, newest_entry_at=NOON)
    await push(store, feed_id, rss("a", date="Sun, 01 Mar 2026 09:00:00 GMT"))
    await take(store, parsers)
    before = await told(store)

    await push(store, feed_id, rss("a", date="Sun, 01 Mar 2026 09:00:00 GMT"))
    taken = await take(store, parsers)

    assert taken == PushesTaken(taken=1)
    assert await told(store) == before
    assert (await feed_of(store, feed_id)).newest_entry_at == NOON


async def test_guids_that_are_new_in_every_push_flood_nobody(
    store: Store, parsers: IsolatedPool
) -> None:
    feed_id = await add(store)
    taken = []
    for number in range(3):
        items = "".join(
            f"<item><guid isPermaLink='false'>{title}-{number}</guid><title>{title}</title>"
            f"<link>https://a.example/{title}</link></item>"
            for title in "ab"
        )
        await push(store, feed_id, f"<rss version='2.0'><channel>{items}</channel></rss>")
        taken.append(len((await take(store, parsers)).new_entry_ids))

    assert taken == [2, 0, 0]


async def test_an_entry_known_by_its_link_is_the_same_pushed_and_polled(
    store: Store, parsers: IsolatedPool
) -> None:
    found_at = "https://b.example/moved/feed"
    feed_id = await add(store, validators=Validators(etag='"1"', url=found_at))
    body = '<rss version="2.0"><channel><item><link>../7</link></item></channel></rss>'
    await push(store, feed_id, body)

    taken = await take(store, parsers)

    async with store.transaction() as tx:
        (entry,) = await tx.entries.to_fetch(taken.new_entry_ids)
    assert entry.url == "https://b.example/7"


async def test_the_headers_charset_is_believed(store: Store, parsers: IsolatedPool) -> None:
    feed_id = await add(store)
    await push(store, feed_id, rss("Ёлка").encode("koi8-r"), "text/xml; charset=koi8-r")

    taken = await take(store, parsers)

    async with store.transaction() as tx:
        (entry,) = await tx.entries.to_fetch(taken.new_entry_ids)
    assert entry.title == "Ёлка"


async def test_pushes_of_many_feeds_are_read_in_one_go(store: Store, parsers: IsolatedPool) -> None:
    ids = [await add(store, f"{FEED}/{number}") for number in range(12)]
    for feed_id in ids:
        await push(store, feed_id, rss("a"))

    first = await take(store, parsers, TakePushes(shard=ids[0] % 2, shards=2))
    rest = await take(store, parsers)

    assert (first.taken, len(first.new_entry_ids)) == (6, 6)
    assert (rest.taken, len(rest.new_entry_ids)) == (6, 6)


async def test_once_enough_is_new_the_answer_is_given(
    store: Store, parsers: IsolatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("feedmill_ingestion.taking._SLICE", 2)
    for number in range(5):
        await push(store, await add(store, f"{FEED}/{number}"), rss("a", "b"))

    taken = await take(store, parsers, TakePushes(most_new_entries=3))

    assert (taken.taken, taken.left) == (2, 3)


async def test_a_process_that_is_to_leave_reads_no_more(
    store: Store, parsers: IsolatedPool
) -> None:
    await push(store, await add(store), rss("a"))
    taker = PushTaker(store, parsers, PACE, owner="me", stopping=lambda: True)

    assert await taker.take(TakePushes()) == PushesTaken(left=1)


@pytest.mark.parametrize(
    ("known", "due_at"),
    [
        pytest.param({}, NOON, id="now"),
        pytest.param({"last_polled_at": NOON - MINUTE}, NOON + 59 * MINUTE, id="not so soon"),
        pytest.param({"validators": Validators()}, NOON + 22 * HOUR, id="it would send everything"),
        pytest.param({"last_reason": Reason.RATE_LIMITED}, NOON + 22 * HOUR, id="it wants time"),
        pytest.param({"next_poll_at": NOON - MINUTE}, NOON - MINUTE, id="it is due already"),
        pytest.param({"next_poll_at": None}, None, id="never by itself"),
    ],
)
async def test_a_feed_whose_push_cannot_be_read_is_polled_as_soon_as_it_may_be(
    store: Store, parsers: IsolatedPool, known: dict[str, object], due_at: object
) -> None:
    await Clock(store).start()
    feed_id = await add(store, **known)
    before, unreadable = await feed_of(store, feed_id), pushes("unreadable")
    await push(store, feed_id, "<html>there is news</html>")

    taken = await take(store, parsers)

    assert taken == PushesTaken(taken=1, unreadable=1)
    assert await feed_of(store, feed_id) == before.model_copy(update={"next_poll_at": due_at})
    assert await told(store) == []
    assert pushes("unreadable") == unreadable + 1


async def test_a_push_that_the_store_refuses_does_not_come_again(
    store: Store, parsers: IsolatedPool
) -> None:
    bad, good = await add(store), await add(store, f"{FEED}/2")
    async with store.transaction() as tx:
        await tx.connection.execute(
            text("alter table entries add constraint poison check (guid <> 'poison')")
        )
    await push(store, bad, rss("poison"))
    await push(store, good, rss("a"))

    taken = await take(store, parsers)

    assert (taken.taken, taken.unreadable, taken.left, len(taken.new_entry_ids)) == (2, 1, 0, 1)


async def test_two_workers_read_a_push_once(store: Store, parsers: IsolatedPool) -> None:
    feed_id = await add(store)
    await push(store, feed_id, rss("a", "b"))
    await push(store, feed_id, "no feed")

    taken = await asyncio.gather(
        *(take(store, parsers, activity=str(number)) for number in range(3))
    )

    assert sum(each.taken for each in taken) == 2
    assert sum(len(each.new_entry_ids) for each in taken) == 2
    assert len(await told(store)) == 3


async def test_what_an_attempt_found_that_died_is_not_lost_and_not_told_twice(
    store: Store, parsers: IsolatedPool
) -> None:
    await push(store, await add(store), rss("a"))
    await take(store, parsers)
    await push(store, await add(store, f"{FEED}/2"), rss("b"))

    retried = await take(store, parsers, attempt=2)
    another = await take(store, parsers, attempt=2, activity="another")

    assert (retried.taken, len(retried.new_entry_ids)) == (1, 2)
    assert another == PushesTaken()
    assert len(await told(store)) == 4


async def test_a_feed_that_is_removed_meanwhile_takes_its_pushes_along(
    store: Store, parsers: IsolatedPool
) -> None:
    await push(store, await add(store), rss("a"))
    async with store.transaction() as tx:
        await tx.connection.execute(text("delete from feeds"))

    assert await take(store, parsers) == PushesTaken()


async def test_a_hub_that_was_silent_is_heard_again(store: Store, parsers: IsolatedPool) -> None:
    await Clock(store).start()
    feed_id = await add(store)
    await stands(store, [feed_id], state=HubState.SILENT, missed=2)
    await push(store, feed_id, rss("a"))

    await take(store, parsers)

    found = await standing(store, feed_id)
    assert (found.state, found.missed) == (HubState.ACTIVE, 0)


async def test_a_store_that_goes_away_loses_nothing(
    store: Store, parsers: IsolatedPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await push(store, await add(store), rss("a"))

    async def away(*_: object) -> object:
        raise StoreUnavailableError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(PushTaker, "_write", away)
        with pytest.raises(StoreUnavailableError):
            await take(store, parsers)

    assert (await take(store, parsers, attempt=2)).taken == 1
