from feedmill.models.hubs import Push
from feedmill.store import Store
from support.clock import NOON, Clock
from support.hubs import FEED, add_announced


async def add(store: Store, feed_id: int, body: bytes, content_type: str = "text/xml") -> bool:
    async with store.transaction() as tx:
        return await tx.pushes.add(feed_id, content_type, body)


async def bodies(store: Store, *, shard: int = 0, shards: int = 1) -> list[bytes]:
    async with store.transaction() as tx:
        ids = await tx.pushes.waiting(shard=shard, shards=shards, limit=100)
        found = [await tx.pushes.get(push_id) for push_id in ids]
        assert await tx.pushes.count(shard=shard, shards=shards) == len(found)
    return [each.body for each in found if each]


async def test_what_a_hub_sends_waits_as_it_came_until_it_is_read(store: Store) -> None:
    await Clock(store).start()
    feed_id = await add_announced(store)

    assert await add(store, feed_id, b"\x00\xff<rss/>", "text/xml; charset=koi8-r")

    async with store.transaction() as tx:
        (push_id,) = await tx.pushes.waiting(shard=0, shards=1, limit=10)
        assert await tx.pushes.get(push_id) == Push(
            id=push_id,
            feed_id=feed_id,
            content_type="text/xml; charset=koi8-r",
            body=b"\x00\xff<rss/>",
            received_at=NOON,
        )
        assert await tx.pushes.remove(push_id)
        assert not await tx.pushes.remove(push_id)
        assert await tx.pushes.get(push_id) is None
    assert await bodies(store) == []


async def test_of_what_nobody_reads_the_newest_is_kept(store: Store) -> None:
    flooded = await add_announced(store)
    other = await add_announced(store, f"{FEED}/2")
    await add(store, other, b"other")

    for number in range(50):
        await add(store, flooded, b"%d" % number)

    assert await bodies(store) == [b"other", b"47", b"48", b"49"]


async def test_a_shard_reads_what_was_sent_for_its_own_feeds(store: Store) -> None:
    ids = [await add_announced(store, f"{FEED}/{number}") for number in range(4)]
    for feed_id in ids:
        await add(store, feed_id, b"%d" % feed_id)

    found = [await bodies(store, shard=shard, shards=2) for shard in range(2)]

    assert found == [[b"%d" % i for i in ids if i % 2 == shard] for shard in range(2)]


async def test_nothing_is_kept_for_a_feed_that_is_gone(store: Store) -> None:
    assert not await add(store, 99, b"late")
    assert await bodies(store) == []


async def test_what_was_sent_goes_with_its_feed(store: Store) -> None:
    feed_id = await add_announced(store)
    await add(store, feed_id, b"news")
    async with store.transaction() as tx:
        await tx.connection.exec_driver_sql("delete from feeds")

    assert await bodies(store) == []
