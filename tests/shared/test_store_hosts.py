import asyncio
from datetime import timedelta

import pytest_asyncio

from feedmill.models.hosts import Admitted, HostLimit, NotYet, Place
from feedmill.store import Store
from support.clock import NOON, Clock

SECOND = timedelta(seconds=1)
LIMIT = HostLimit(host="a.example", spacing=SECOND, in_flight=1)


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


async def reserve(store: Store, limit: HostLimit = LIMIT, wanted: int = 1) -> Admitted | NotYet:
    async with store.transaction() as tx:
        return (await tx.hosts.reserve({limit: wanted}))[limit.host]


async def give_back(store: Store, answer: Admitted | NotYet, ago: timedelta = SECOND * 0) -> None:
    assert isinstance(answer, Admitted)
    async with store.transaction() as tx:
        places = [place.model_copy(update={"started_ago": ago}) for place in answer.places]
        await tx.hosts.give_back(places)


async def test_the_first_request_to_a_host_starts_at_once(store: Store, clock: Clock) -> None:
    assert await reserve(store) == Admitted(
        places=(Place(limit=LIMIT, lost_at=NOON + timedelta(seconds=90)),),
        next_at=NOON + SECOND,
        spacing=SECOND,
    )


async def test_the_next_one_keeps_its_distance(store: Store, clock: Clock) -> None:
    await give_back(store, await reserve(store))

    too_soon = await reserve(store)
    await clock.advance(SECOND)
    in_time = await reserve(store)

    assert too_soon == NotYet(next_at=NOON + SECOND, wait=SECOND, spacing=SECOND)
    assert isinstance(in_time, Admitted)


async def test_of_many_at_once_one_is_let_in(store: Store) -> None:
    answers = await asyncio.gather(*(reserve(store) for _ in range(5)))

    assert sum(isinstance(answer, Admitted) for answer in answers) == 1


async def test_a_request_under_way_keeps_its_place(store: Store, clock: Clock) -> None:
    first = await reserve(store)
    await clock.advance(10 * SECOND)

    during = await reserve(store)
    await give_back(store, first, ago=10 * SECOND)
    after = await reserve(store)

    assert during == NotYet(next_at=NOON + 11 * SECOND, wait=SECOND, spacing=SECOND)
    assert isinstance(after, Admitted)


async def test_a_place_that_nobody_gives_back_is_free_again_some_time(
    store: Store, clock: Clock
) -> None:
    await reserve(store)

    await clock.advance(timedelta(seconds=89))
    assert isinstance(await reserve(store), NotYet)
    await clock.advance(SECOND)
    assert isinstance(await reserve(store), Admitted)


async def test_distance_is_kept_from_when_a_request_really_started(
    store: Store, clock: Clock
) -> None:
    first = await reserve(store)
    # Let in at noon, sent 0.7 s later, answered another 0.1 s later.
    await clock.advance(timedelta(seconds=0.8))
    await give_back(store, first, ago=timedelta(seconds=0.1))

    answer = await reserve(store)

    assert isinstance(answer, NotYet)
    assert answer.next_at == NOON + timedelta(seconds=1.7)


async def test_an_exception_may_be_asked_several_times_at_once(store: Store, clock: Clock) -> None:
    limit = HostLimit(host="lan", spacing=timedelta(0), in_flight=3)

    first = await reserve(store, limit, wanted=2)
    second = await reserve(store, limit, wanted=2)
    third = await reserve(store, limit, wanted=2)
    await give_back(store, second)
    fourth = await reserve(store, limit, wanted=2)

    taken = [
        len(answer.places) if isinstance(answer, Admitted) else 0
        for answer in (first, second, third, fourth)
    ]
    assert taken == [2, 1, 0, 1]


async def test_one_host_never_delays_another(store: Store, clock: Clock) -> None:
    limits = [HostLimit(host=f"{name}.example", spacing=SECOND, in_flight=1) for name in "abc"]
    await reserve(store, limits[1])

    async with store.transaction() as tx:
        answers = await tx.hosts.reserve(dict.fromkeys(limits, 500))

    assert [type(answers[limit.host]) for limit in limits] == [Admitted, NotYet, Admitted]


async def test_a_crawl_delay_lengthens_the_distance_and_never_shortens_it(
    store: Store, clock: Clock
) -> None:
    spacings = []
    for delay in (5 * SECOND, SECOND / 2, None):
        async with store.transaction() as tx:
            await tx.hosts.heed_crawl_delay("a.example", delay)
        answer = await reserve(store)
        assert isinstance(answer, Admitted)
        spacings.append(answer.places[0].limit.spacing)
        await give_back(store, answer)
        await clock.advance(timedelta(minutes=1))

    assert spacings == [5 * SECOND, SECOND, SECOND]


async def test_what_was_learnt_is_half_forgotten_every_day(store: Store, clock: Clock) -> None:
    async with store.transaction() as tx:
        state = await tx.hosts.lock("a.example")
        await tx.hosts.keep(
            state.model_copy(update={"learnt_spacing": 8 * SECOND, "learnt_at": NOON})
        )
    spacings = []
    for _ in range(5):
        answer = await reserve(store)
        assert isinstance(answer, Admitted)
        spacings.append(answer.places[0].limit.spacing)
        await give_back(store, answer)
        await clock.advance(timedelta(days=1))

    assert spacings == [8 * SECOND, 4 * SECOND, 2 * SECOND, SECOND, SECOND]


async def test_requests_are_counted_for_an_hour(store: Store, clock: Clock) -> None:
    counts = []
    for _ in range(4):
        await give_back(store, await reserve(store))
        async with store.transaction() as tx:
            counts.append((await tx.hosts.lock("a.example")).window_requests)
        await clock.advance(timedelta(minutes=25))

    assert counts == [1, 2, 3, 1]


async def test_many_workers_make_new_hosts_known_without_waiting_for_each_other(
    store: Store,
) -> None:
    limits = [
        HostLimit(host=f"{number}.example", spacing=SECOND, in_flight=1) for number in range(40)
    ]

    async def take(order: list[HostLimit]) -> dict[str, Admitted | NotYet]:
        async with store.transaction() as tx:
            return await tx.hosts.reserve(dict.fromkeys(order, 1))

    answers = await asyncio.gather(take(limits), take(limits[::-1]), take(limits[10:30]))

    for limit in limits:
        admitted = [isinstance(each.get(limit.host), Admitted) for each in answers]
        assert admitted.count(True) == 1
