import asyncio
from datetime import timedelta

import pytest

from feedmill.models.feeds import Hub
from feedmill.models.hubs import DueSubscription, HubState, HubSubscription
from feedmill.store import Store
from feedmill.store.websub import unguessable
from feedmill_ingestion.promises import asked_now
from support.clock import NOON, Clock
from support.hubs import FEED, HUB, add_announced, announce, standing, stands, subscription

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def due(
    store: Store, *, shard: int = 0, shards: int = 1, per_hub: int = 10, most: int = 100
) -> list[DueSubscription]:
    async with store.transaction() as tx:
        return await tx.websub.lock_due(shard=shard, shards=shards, per_hub=per_hub, most=most)


async def count(store: Store, *, shard: int = 0, shards: int = 1) -> int:
    async with store.transaction() as tx:
        return await tx.websub.due(shard=shard, shards=shards)


async def test_a_hub_is_to_be_asked_as_soon_as_a_feed_names_it(store: Store) -> None:
    await Clock(store).start()
    feed_id = await add_announced(store)

    (found,) = await due(store)

    assert found == DueSubscription(
        feed_id=feed_id,
        hub_url=HUB,
        topic_url=FEED,
        token=found.token,
        secret=found.secret,
        renew_at=NOON,
        offered=Hub(url=HUB, topic=FEED),
    )
    assert await count(store) == 1


async def test_nobody_guesses_where_we_are_called_or_how_we_know_the_hub(store: Store) -> None:
    ids = [await add_announced(store, f"{FEED}/{number}") for number in range(20)]
    async with store.transaction() as tx:
        found = (await tx.websub.lock(ids)).values()

    texts = {each.token for each in found} | {each.secret for each in found}

    assert len(texts) == 40
    # 32 bytes of chance; the protocol allows keys of less than 200 bytes.
    assert all(43 <= len(each) < 200 for each in texts)
    assert not any(each.token in repr(each) or each.secret in repr(each) for each in found)


@pytest.mark.parametrize(
    ("hub", "topic", "known"),
    [
        pytest.param(None, None, {}, id="names no hub"),
        pytest.param(HUB, None, {}, id="does not say what the hub knows it by"),
        pytest.param(HUB, FEED, {"retired_at": NOON}, id="is polled no more"),
    ],
)
async def test_no_hub_is_to_be_asked_for_a_feed_that(
    store: Store, hub: str | None, topic: str | None, known: dict[str, object]
) -> None:
    feed_id = await add_announced(store)
    async with store.transaction() as tx:
        await tx.websub.remove([feed_id])

    await announce(store, feed_id, hub, topic, **known)

    assert await subscription(store, feed_id) is None


@pytest.mark.parametrize(
    ("hub", "topic", "known"),
    [
        pytest.param(None, None, {}, id="names no hub any more"),
        pytest.param("https://new.example/", FEED, {}, id="names another"),
        pytest.param(HUB, FEED, {"retired_at": NOON}, id="is polled no more"),
    ],
)
async def test_the_hub_is_to_be_asked_soon_again_when_a_feed(
    store: Store, hub: str | None, topic: str | None, known: dict[str, object]
) -> None:
    await Clock(store).start()
    feed_id = await add_announced(store)
    await stands(store, [feed_id], asked_at=NOON - 2 * DAY, renew_at=NOON + 5 * DAY)
    before = await standing(store, feed_id)

    await announce(store, feed_id, hub, topic, **known)

    (found,) = await due(store)
    assert HubSubscription.model_validate(found.model_dump()) == before.model_copy(
        update={"renew_at": NOON}
    )
    assert found.offered == (Hub(url=hub, topic=topic) if hub and topic and not known else None)


async def test_a_feed_that_changes_its_mind_all_the_time_bothers_hubs_once_a_day(
    store: Store,
) -> None:
    await Clock(store).start()
    feed_id = await add_announced(store)
    await stands(store, [feed_id], asked_at=NOON - HOUR, renew_at=NOON + 5 * DAY)

    await announce(store, feed_id, "https://new.example/", FEED)

    assert (await standing(store, feed_id)).renew_at == NOON + 23 * HOUR


async def test_what_is_kept_is_found_again(store: Store) -> None:
    feed_id = await add_announced(store)
    kept = HubSubscription(
        feed_id=feed_id,
        hub_url="https://other.example/",
        topic_url="https://a.example/other",
        token="t",
        secret="s",
        state=HubState.LEAVING,
        detail="not now",
        asked_at=NOON,
        promised_until=NOON + HOUR,
        renew_at=NOON + 2 * HOUR,
        last_push_at=NOON - HOUR,
        read_by="me",
        failures=3,
        missed=1,
    )

    async with store.transaction() as tx:
        await tx.websub.keep([kept])

    async with store.transaction() as tx:
        assert await tx.websub.lock([feed_id, 99]) == {feed_id: kept}
        assert await tx.websub.by_token("t") == kept
        assert await tx.websub.by_token("t", lock=True) == kept
        assert await tx.websub.by_token("T") is None
        assert await tx.websub.read_by("me") == [feed_id]
        assert await tx.websub.read_by("you") == []


async def test_one_hubs_backlog_does_not_stand_before_another_hubs_few(store: Store) -> None:
    for number in range(30):
        await add_announced(store, f"{FEED}/{number}")
    few = [await add_announced(store, f"{FEED}/few/{n}", hub="https://b.example/") for n in (1, 2)]

    found = await due(store, per_hub=10, most=8)

    assert len(found) == 8
    assert {each.feed_id for each in found} > set(few)
    assert len(await due(store, per_hub=10)) == 12


async def test_a_shard_asks_for_its_own_feeds(store: Store) -> None:
    ids = [await add_announced(store, f"{FEED}/{number}") for number in range(5)]

    for shard in range(2):
        found = await due(store, shard=shard, shards=2)
        assert [each.feed_id for each in found] == [i for i in ids if i % 2 == shard]
        assert await count(store, shard=shard, shards=2) == len(found)


async def test_what_one_worker_looks_at_another_leaves_alone(store: Store) -> None:
    ids = [await add_announced(store, f"{FEED}/{number}") for number in range(4)]

    async with store.transaction() as tx:
        first = await tx.websub.lock_due(shard=0, shards=1, per_hub=3, most=3)
        second = await due(store)

    assert [each.feed_id for each in [*first, *second]] == ids


async def test_what_was_asked_while_another_looked_is_left_alone(store: Store) -> None:
    feed_id = await add_announced(store)
    (found,) = await due(store)
    async with store.transaction() as tx:
        # Whoever looks from now on does so for a while, at what there was when it began.
        await tx.connection.exec_driver_sql(_SLOW_CLOCK)
    async with store.transaction() as tx:
        looking = asyncio.create_task(due(store))
        await asyncio.sleep(0.2)
        asked = asked_now(found, now=NOON + timedelta(days=9_999), fresh=unguessable)
        assert asked is not None
        await tx.websub.keep([asked])

    assert await looking == []
    assert (await standing(store, feed_id)).state is HubState.ASKED


_SLOW_CLOCK = """
create or replace function feedmill_now() returns timestamptz language plpgsql volatile
as 'begin perform pg_sleep(0.7); return clock_timestamp(); end'
"""


@pytest.mark.parametrize(
    ("known", "pushed"),
    [
        pytest.param({"state": HubState.ACTIVE, "promised_until": NOON + HOUR}, True, id="pushed"),
        pytest.param({"state": HubState.ACTIVE, "promised_until": NOON}, False, id="it lapsed"),
        pytest.param({"state": HubState.SILENT, "promised_until": NOON + HOUR}, False, id="silent"),
        pytest.param({"state": HubState.ASKED}, False, id="not confirmed"),
        pytest.param({"state": HubState.REFUSED}, False, id="refused"),
    ],
)
async def test_a_feed_is_pushed_while_its_hub_keeps_its_promise(
    store: Store, known: dict[str, object], pushed: bool
) -> None:
    await Clock(store).start()
    feed_id = await add_announced(store)
    await stands(store, [feed_id], **known)

    async with store.transaction() as tx:
        assert (await tx.feeds.get([feed_id]))[feed_id].pushed is pushed


async def test_a_removed_feed_has_no_hub(store: Store) -> None:
    feed_id = await add_announced(store)
    async with store.transaction() as tx:
        await tx.connection.exec_driver_sql("delete from feeds")

    assert await subscription(store, feed_id) is None
