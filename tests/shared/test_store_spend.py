import asyncio
from datetime import timedelta

import pytest
import pytest_asyncio

from feedmill.models.spending import Ceilings, Payer, Reservation, Spent, Usage
from feedmill.store import Store
from feedmill.store.till import EXPIRES_AFTER, Draft, Entrant, Kept, Later
from support import spending
from support.clock import NOON, Clock

PAYER = Payer(feed_id=7, recipe="standard", model="small")
TEN = Usage(calls=1, prompt_tokens=8, completion_tokens=2, cost_nanos=100)
NOTHING = Usage()


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


async def reserve(store: Store, ceilings: Ceilings, most: Usage = TEN) -> Reservation | Spent:
    return await spending.reserve(store, most, ceilings)


async def settle(store: Store, reservation: Reservation | Spent, used: Usage = TEN) -> None:
    assert isinstance(reservation, Reservation)
    async with store.statement() as tx:
        await tx.till.settle(reservation, used, PAYER)


@pytest.mark.parametrize(
    ("ceilings", "passed"),
    [
        pytest.param(Ceilings(), 5, id="no ceiling"),
        pytest.param(Ceilings(cost_nanos=350), 3, id="money"),
        pytest.param(Ceilings(tokens=20), 2, id="tokens"),
        pytest.param(Ceilings(cost_nanos=350, tokens=10), 1, id="the lower of two"),
        pytest.param(Ceilings(cost_nanos=99), 0, id="not even one"),
        pytest.param(Ceilings(cost_nanos=0), 0, id="nothing"),
    ],
)
async def test_of_many_at_once_no_more_pass_than_the_ceiling_has_room_for(
    store: Store, ceilings: Ceilings, passed: int
) -> None:
    answers = await asyncio.gather(*(reserve(store, ceilings) for _ in range(5)))

    assert sum(isinstance(answer, Reservation) for answer in answers) == passed


async def test_what_costs_nothing_passes_under_any_ceiling_of_money(store: Store) -> None:
    await settle(store, await reserve(store, Ceilings()))

    free = TEN.model_copy(update={"cost_nanos": 0})

    assert isinstance(await reserve(store, Ceilings(cost_nanos=1), free), Reservation)


async def test_the_difference_to_what_was_reserved_is_given_back(store: Store) -> None:
    ceilings = Ceilings(cost_nanos=150)
    first = await reserve(store, ceilings)

    assert isinstance(await reserve(store, ceilings), Spent)
    await settle(store, first, TEN.model_copy(update={"cost_nanos": 40}))

    assert isinstance(await reserve(store, ceilings), Reservation)


async def test_a_new_day_begins_at_midnight_utc(store: Store, clock: Clock) -> None:
    ceilings = Ceilings(cost_nanos=100)
    await settle(store, await reserve(store, ceilings))

    spent = await reserve(store, ceilings)
    assert spent == Spent(until=NOON + timedelta(hours=12))
    await clock.advance(timedelta(hours=12))

    assert isinstance(await reserve(store, ceilings), Reservation)


async def test_what_the_dead_have_reserved_is_free_again_some_time(
    store: Store, clock: Clock
) -> None:
    ceilings = Ceilings(cost_nanos=100)
    lost = await reserve(store, ceilings)

    await clock.advance(EXPIRES_AFTER - timedelta(seconds=1))
    assert isinstance(await reserve(store, ceilings), Spent)
    await clock.advance(timedelta(seconds=1))
    assert isinstance(await reserve(store, ceilings), Reservation)

    # It was no dead one after all: what it used counts, and nothing is given back twice.
    await settle(store, lost)
    async with store.transaction() as tx:
        report = await tx.spend.report()
    assert (report.today_tokens, report.reserved_tokens) == (10, 10)


async def test_the_ledger_says_what_each_feed_cost(store: Store, clock: Clock) -> None:
    unpriced = Usage(calls=1, prompt_tokens=1, completion_tokens=1, cost_nanos=None)
    for used in (TEN, TEN, unpriced, NOTHING):
        await settle(store, await reserve(store, Ceilings()), used)

    async with store.transaction() as tx:
        report = await tx.spend.report()

    [line] = report.items
    assert (line.day, line.feed_id, line.recipe, line.model) == (
        NOON.date(), 7, "standard", "small",
    )  # fmt: skip
    assert (line.calls, line.unpriced_calls) == (3, 1)
    assert (line.prompt_tokens, line.completion_tokens) == (17, 5)
    assert line.cost == report.today_cost == 200e-9
    assert (report.today_tokens, report.reserved_tokens, report.reserved_cost) == (22, 0, 0)


async def test_an_answer_is_kept_until_its_text_is_done(store: Store) -> None:
    first, second = {"choices": []}, {"choices": [{}]}
    for said in (first, second):
        reserved = await reserve(store, Ceilings())
        assert isinstance(reserved, Reservation)
        async with store.statement() as tx:
            await tx.till.settle(reserved, TEN, PAYER, Kept("key", "text", said))

    entrants = [Entrant(key, "here", timedelta(0), TEN) for key in ("key", "another", "key")]
    async with store.transaction() as tx:
        kept = [await tx.till.enter(entrant, Ceilings()) for entrant in entrants[:2]]
        await tx.drafts.forget("text")
        forgotten = await tx.till.enter(entrants[2], Ceilings())

    assert kept[0] == Draft(first, 100)
    assert isinstance(kept[1], Reservation)
    assert isinstance(forgotten, Reservation)


async def test_who_may_not_call_takes_nothing(store: Store, clock: Clock) -> None:
    second = timedelta(seconds=1)
    async with store.statement() as tx:
        await tx.endpoints.hold("held", second, "busy")
    spent, here, held = (
        Entrant("call", endpoint, 15 * second, TEN) for endpoint in ("here", "here", "held")
    )
    async with store.statement() as tx:
        no_room = await tx.till.enter(spent, Ceilings(tokens=5))
        waits = await tx.till.enter(held, Ceilings())
        report = await tx.spend.report()
        enters = await tx.till.enter(here, Ceilings())

    assert isinstance(no_room, Spent)
    assert waits == Later(second, "busy")
    assert report.reserved_tokens == 0
    assert isinstance(enters, Reservation), "the pace was not charged for what had no room"
