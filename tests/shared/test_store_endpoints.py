import asyncio
from datetime import timedelta

import pytest_asyncio

from feedmill.models.spending import Ceilings, Reservation, Usage
from feedmill.store import Store
from feedmill.store.endpoints import KnownEndpoint
from feedmill.store.till import Entrant, Later
from support.clock import Clock

SECOND = timedelta(seconds=1)
NO_PACE = timedelta(0)
HERE = "http://here/v1 small"


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


async def ask(store: Store, share: timedelta = NO_PACE, endpoint: str = HERE) -> Later | None:
    """Return how long to wait; None: a call may be made."""
    async with store.statement() as tx:
        answer = await tx.till.enter(Entrant("key", endpoint, share, Usage()), Ceilings())
    assert isinstance(answer, Later | Reservation)
    return answer if isinstance(answer, Later) else None


async def wait(store: Store, share: timedelta) -> timedelta | None:
    later = await ask(store, share)
    return later and later.wait


async def hold(store: Store, wait: timedelta, why: str = "busy", *, strike: bool = False) -> None:
    async with store.transaction() as tx:
        await tx.endpoints.hold(HERE, wait, why, strike=strike)


async def test_without_a_pace_everybody_may_call(store: Store, clock: Clock) -> None:
    answers = await asyncio.gather(*(ask(store) for _ in range(20)))

    assert set(answers) == {None}


async def test_a_pace_is_kept_by_all_workers_together(store: Store, clock: Clock) -> None:
    # Five calls use up the ten seconds that may be taken at once; the sixth is the one over.
    waits = [await wait(store, 2 * SECOND) for _ in range(7)]
    await clock.advance(2 * SECOND)

    assert waits == [None] * 6 + [2 * SECOND]
    assert await ask(store, 2 * SECOND) is None
    assert await wait(store, 2 * SECOND) == 2 * SECOND


async def test_a_pace_is_kept_by_all_who_come_at_once(store: Store, clock: Clock) -> None:
    # Even the first time, when nothing is known of the endpoint that one could hold on to.
    answers = await asyncio.gather(*(ask(store, 2 * SECOND) for _ in range(20)))

    assert answers.count(None) == 6
    assert {answer.wait for answer in answers if answer} == {2 * SECOND}


async def test_who_comes_while_another_enters_waits_for_what_that_one_takes(
    store: Store, clock: Clock
) -> None:
    await ask(store)
    async with store.transaction() as tx:
        await tx.till.enter(Entrant("key", HERE, 15 * SECOND, Usage()), Ceilings())
        another = asyncio.create_task(wait(store, SECOND))
        await asyncio.sleep(0.2)

    assert await another == 5 * SECOND


async def test_a_call_that_used_less_than_was_thought_lets_the_next_begin_sooner(
    store: Store, clock: Clock
) -> None:
    await ask(store, 15 * SECOND)
    waits = [await wait(store, SECOND)]

    async with store.transaction() as tx:
        await tx.endpoints.correct(HERE, -2 * SECOND)
    waits.append(await wait(store, SECOND))

    assert waits == [5 * SECOND, 3 * SECOND]


async def test_a_hold_keeps_everybody_from_this_endpoint_alone(store: Store, clock: Clock) -> None:
    await hold(store, 7 * SECOND, "HTTP 429")

    assert await ask(store) == Later(7 * SECOND, "HTTP 429")
    assert await ask(store, endpoint="http://here/v1 large") is None
    await clock.advance(7 * SECOND)
    assert await ask(store) is None


async def test_the_longest_hold_counts(store: Store, clock: Clock) -> None:
    await hold(store, 30 * SECOND)
    await hold(store, 7 * SECOND)

    assert await wait(store, NO_PACE) == 30 * SECOND


async def test_strikes_are_counted_until_it_answers(store: Store, clock: Clock) -> None:
    counts = []
    for strike in (True, False, True):
        await hold(store, SECOND, strike=strike)
        async with store.transaction() as tx:
            counts.append(await tx.endpoints.strikes(HERE))
    async with store.transaction() as tx:
        await tx.endpoints.learn(HERE, {})
        counts.append(await tx.endpoints.strikes(HERE))

    assert counts == [1, 1, 2, 0]


async def test_what_one_worker_finds_out_all_know(store: Store) -> None:
    async with store.transaction() as tx:
        before = await tx.endpoints.known(HERE)
        await tx.endpoints.learn(HERE, {"answer_format": "plain"})
        after = await tx.endpoints.known(HERE)

    assert before == KnownEndpoint()
    assert after == KnownEndpoint({"answer_format": "plain"}, has_answered=True)
