import asyncio
from datetime import timedelta

import pytest_asyncio

from feedmill.store import Store
from feedmill.store.drafts import Draft
from feedmill.store.endpoints import KnownEndpoint, Pass
from support.clock import Clock

SECOND = timedelta(seconds=1)
NO_PACE = timedelta(0)
HERE = "http://here/v1 small"


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


async def ask(store: Store, share: timedelta = NO_PACE, endpoint: str = HERE) -> Pass:
    async with store.transaction() as tx:
        return await tx.endpoints.pass_(endpoint, share)


async def hold(store: Store, wait: timedelta, why: str = "busy", *, strike: bool = False) -> None:
    async with store.transaction() as tx:
        await tx.endpoints.hold(HERE, wait, why, strike=strike)


async def test_without_a_pace_everybody_may_call(store: Store, clock: Clock) -> None:
    answers = await asyncio.gather(*(ask(store) for _ in range(20)))

    assert set(answers) == {Pass()}


async def test_a_pace_is_kept_by_all_workers_together(store: Store, clock: Clock) -> None:
    # Five calls use up the ten seconds that may be taken at once; the sixth is the one over.
    answers = [await ask(store, 2 * SECOND) for _ in range(7)]
    await clock.advance(2 * SECOND)

    assert [answer.wait for answer in answers] == [None] * 6 + [2 * SECOND]
    assert await ask(store, 2 * SECOND) == Pass()
    assert (await ask(store, 2 * SECOND)).wait == 2 * SECOND


async def test_a_call_that_used_less_than_was_thought_lets_the_next_begin_sooner(
    store: Store, clock: Clock
) -> None:
    await ask(store, 15 * SECOND)
    waits = [(await ask(store, SECOND)).wait]

    async with store.transaction() as tx:
        await tx.endpoints.correct(HERE, -2 * SECOND)
    waits.append((await ask(store, SECOND)).wait)

    assert waits == [5 * SECOND, 3 * SECOND]


async def test_a_hold_keeps_everybody_from_this_endpoint_alone(store: Store, clock: Clock) -> None:
    await hold(store, 7 * SECOND, "HTTP 429")

    assert await ask(store) == Pass(7 * SECOND, "HTTP 429")
    assert await ask(store, endpoint="http://here/v1 large") == Pass()
    await clock.advance(7 * SECOND)
    assert await ask(store) == Pass()


async def test_the_longest_hold_counts(store: Store, clock: Clock) -> None:
    await hold(store, 30 * SECOND)
    await hold(store, 7 * SECOND)

    assert (await ask(store)).wait == 30 * SECOND


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


async def test_a_draft_is_kept_until_its_text_is_done(store: Store) -> None:
    draft = Draft({"choices": []}, 12)
    async with store.transaction() as tx:
        await tx.drafts.keep("key", "text", draft)
        await tx.drafts.keep("key", "text", Draft({}, None))
        kept = [await tx.drafts.get("key"), await tx.drafts.get("another")]
        await tx.drafts.forget("text")
        forgotten = await tx.drafts.get("key")

    assert kept == [draft, None]
    assert forgotten is None
