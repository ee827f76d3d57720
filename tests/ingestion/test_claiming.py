from datetime import timedelta

from feedmill.models.hosts import Admitted, HostLimit, NotYet, Place
from feedmill.store import Store
from feedmill.store.feeds import DueFeed
from feedmill_ingestion.claiming import Plan, claim_due, first_hosts, plan_hosts
from support.clock import NOON, Clock

SECOND = timedelta(seconds=1)


def limit_of(url: str) -> HostLimit:
    return HostLimit(host=url.split("/")[2], spacing=SECOND, in_flight=1)


def feed(number: int, host: str = "a.example") -> DueFeed:
    return DueFeed(number, f"https://{host}/{number}")


PLACE = Place(limit=limit_of("https://a.example/"), lost_at=NOON)


def test_each_host_has_a_queue_of_its_own_in_the_order_feeds_are_due() -> None:
    due = [feed(1), feed(2, "b.example"), feed(3), feed(4, "c.example"), feed(5, "b.example")]

    queues = first_hosts(due, limit_of, most=2)

    assert {limit.host: [each.id for each in queue] for limit, queue in queues.items()} == {
        "a.example": [1, 3],
        "b.example": [2, 5],
    }


def test_who_gets_no_place_comes_back_a_spacing_after_the_one_before() -> None:
    queues = {"a.example": [feed(1), feed(2), feed(3)], "b.example": [feed(4, "b.example")]}
    answers = {
        "a.example": Admitted(places=(PLACE,), next_at=NOON + SECOND, spacing=SECOND),
        "b.example": NotYet(next_at=NOON + 60 * SECOND, spacing=SECOND, wait=60 * SECOND),
    }

    assert plan_hosts(queues, answers) == Plan(
        now={1: PLACE},
        later={2: NOON + SECOND, 3: NOON + 2 * SECOND, 4: NOON + 60 * SECOND},
    )


async def claim(store: Store, most: int = 10, owner: str = "me") -> list[str]:
    async with store.transaction() as tx:
        claimed = await claim_due(tx, limit_of, owner=owner, shard=0, shards=1, most=most)
    return [each.feed.url for each in claimed]


async def test_one_feed_of_each_host_is_claimed_and_the_others_take_turns(store: Store) -> None:
    clock = await Clock(store).start()
    async with store.transaction() as tx:
        for number in range(3):
            await tx.feeds.add(f"https://a.example/{number}")
        await tx.feeds.add("https://b.example/0")

    first = await claim(store)
    again = await claim(store)
    async with store.transaction() as tx:
        next_due_at = await tx.feeds.next_due_at(shard=0, shards=1)
        places = (await tx.hosts.lock("a.example")).busy

    assert sorted(first) == ["https://a.example/0", "https://b.example/0"]
    assert again == []
    assert next_due_at == NOON + SECOND
    assert places == 1
    await clock.advance(SECOND)
    # The host still answers the first; the second waits for its place, a spacing at a time.
    assert await claim(store) == []


async def test_a_hosts_long_queue_never_stands_before_other_hosts_short_ones(
    store: Store,
) -> None:
    await Clock(store).start()
    async with store.transaction() as tx:
        for number in range(500):
            await tx.feeds.add(f"https://busy.example/{number}")
        for number in range(10):
            await tx.feeds.add(f"https://quiet{number}.example/")

    claimed: list[str] = []
    for _ in range(15):
        claimed += await claim(store)

    assert len(claimed) == 11
    assert sum("quiet" in url for url in claimed) == 10


async def test_no_more_are_claimed_than_can_be_polled(store: Store) -> None:
    async with store.transaction() as tx:
        for number in range(9):
            await tx.feeds.add(f"https://{number}.example/")

    assert [len(await claim(store, most=4)) for _ in range(4)] == [4, 4, 1, 0]
