"""What becomes of articles when the day's budget is spent."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from feedmill.models.distillates import (
    DistillationDeferred,
    EntryDistilled,
)
from feedmill.models.entries import Stage
from feedmill.models.spending import NANOS, Ceilings
from feedmill.store import Store
from feedmill.store.tables import subscriptions, users
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.menu import EntryDistiller
from feedmill_distillation.recipe_files import RecipeFile
from support import model_server as serve
from support.articles import store_articles
from support.clock import NOON, Clock
from support.distilling import BRIDGE, FERRY, NoDistiller, distill, standings
from support.entries import entry_row
from support.kitchen import CALL_NANOS, FILE, open_till_model
from support.ladders import OwnWords, made_with
from support.model_server import ModelServer, open_model_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with open_model_server() as opened:
        yield opened


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


def service_of(
    store: Store, usual: EntryDistiller, *ladder: EntryDistiller, concurrency: int = 2
) -> DistillationService:
    return DistillationService(
        store, usual, local=NoDistiller(), concurrency=concurrency, ladder=ladder
    )


async def test_a_cheaper_recipe_goes_on_where_a_dear_one_has_no_room(
    store: Store, server: ModelServer
) -> None:
    [entry_id] = await store_articles(store, FERRY)
    brief = RecipeFile(name="brief", prompt="Be brief.", answer_tokens=100)
    dear = FILE.model_copy(update={"answer_tokens": 50_000})
    room = Ceilings(tokens=5_000)

    async with (
        open_till_model(server, store, ceilings=room, file=dear, model="large") as usual,
        open_till_model(server, store, ceilings=room, file=brief) as cheaper,
    ):
        outcomes = await distill(service_of(store, usual, cheaper, OwnWords()), [entry_id])

    assert outcomes == [EntryDistilled(entry_id=entry_id)]
    assert await made_with(store, entry_id) == [("brief", "small")]
    assert [request.model for request in server.requests] == ["small"]


async def test_with_nothing_left_an_article_gets_its_own_words(
    store: Store, server: ModelServer
) -> None:
    [entry_id] = await store_articles(store, FERRY)

    async with open_till_model(server, store, ceilings=Ceilings(cost_nanos=0)) as usual:
        await distill(service_of(store, usual, OwnWords()), [entry_id])

    assert await made_with(store, entry_id) == [("extractive", "own words")]
    assert server.requests == []


async def test_at_the_end_of_the_ladder_entries_wait_for_the_next_day(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    ids = await store_articles(store, FERRY, BRIDGE)
    midnight = NOON + timedelta(hours=12)

    # A call may use some 700 tokens and uses 120: there is room for one, and not for the next.
    async with open_till_model(server, store, ceilings=Ceilings(tokens=800)) as usual:
        service = service_of(store, usual, concurrency=1)
        today = await distill(service, ids)
        waits = (await entry_row(store, ids[1])).next_try_at
        await clock.advance(timedelta(hours=12))
        tomorrow = await distill(service, ids)

    assert today == [
        EntryDistilled(entry_id=ids[0]),
        DistillationDeferred(entry_id=ids[1], until=midnight),
    ]
    assert waits == midnight
    assert tomorrow == [EntryDistilled(entry_id=entry_id) for entry_id in ids]


async def test_what_is_paid_for_in_part_waits_instead_of_being_thrown_away(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    [entry_id] = await store_articles(store, FERRY)
    server.script(serve.bad_json)

    # Room for the first call, and not for the one that corrects it.
    async with open_till_model(server, store, ceilings=Ceilings(tokens=800)) as usual:
        service = service_of(store, usual, OwnWords())
        today = await distill(service, [entry_id])
        stages = [each.stage for each in await standings(store, [entry_id])]
        await clock.advance(timedelta(hours=12))
        tomorrow = await distill(service, [entry_id])

    assert isinstance(today[0], DistillationDeferred)
    assert stages == [Stage.FETCHED]
    assert tomorrow == [EntryDistilled(entry_id=entry_id)]
    assert await made_with(store, entry_id) == [("standard", "small")]
    assert len(server.requests) == 2


async def follow(store: Store, name: str, feed_id: int, **choice: str | None) -> None:
    """Let somebody follow a feed, with choices of their own."""
    async with store.transaction() as tx:
        user_id = await tx.users.let_in(name, f"the token of {name}")
        await tx.feeds.subscribe(user_id, feed_id)
        await tx.connection.execute(
            update(users).where(users.c.id == user_id).values(language=choice.pop("language", None))
        )
        await tx.connection.execute(
            update(subscriptions).where(subscriptions.c.user_id == user_id).values(choice)
            if choice
            else select(1)
        )


async def feed_of(store: Store, entry_ids: Sequence[int]) -> int:
    async with store.transaction() as tx:
        return (await tx.contents.to_distill(entry_ids))[0].feed_id


async def test_each_choice_among_a_feeds_readers_gets_its_distillate(
    store: Store, server: ModelServer
) -> None:
    [entry_id] = await store_articles(store, FERRY)
    feed_id = await feed_of(store, [entry_id])
    await follow(store, "ann", feed_id)
    await follow(store, "ben", feed_id, recipe="brief")
    await follow(store, "cid", feed_id, recipe="brief")
    await follow(store, "dora", feed_id, language="de")

    brief = FILE.model_copy(update={"name": "brief", "prompt": "Be brief."})
    async with (
        open_till_model(server, store) as usual,
        open_till_model(server, store, file=brief) as other,
    ):
        service = DistillationService(
            store, usual, local=NoDistiller(), concurrency=2, named={"brief": other}
        )
        await distill(service, [entry_id])

    assert await made_with(store, entry_id) == [
        ("standard", "small"), ("standard", "small"), ("brief", "small"),
    ]  # fmt: skip
    asked = [request.messages[0].content for request in server.requests]
    assert sum("with the tag de" in each for each in asked) == 1
    assert sum("Be brief." in each for each in asked) == 1


async def test_two_workers_never_spend_more_than_the_day_may_cost(
    server: ModelServer, store: Store
) -> None:
    ids = await store_articles(store, *(f"Article number {n} says this." for n in range(1_000)))
    budget = 400 * CALL_NANOS
    ceilings = Ceilings(cost_nanos=budget)

    async with (
        open_till_model(server, store, ceilings=ceilings) as one,
        open_till_model(server, store, ceilings=ceilings) as another,
    ):
        slices = [ids[start : start + 50] for start in range(0, 1_000, 50)]
        workers = [service_of(store, one, concurrency=4), service_of(store, another, concurrency=4)]
        outcomes = await asyncio.gather(
            *(distill(workers[number % 2], part) for number, part in enumerate(slices))
        )

    async with store.transaction() as tx:
        report = await tx.spend.report()
    ends = [outcome.outcome for part in outcomes for outcome in part]
    paid = len(server.requests)
    assert (ends.count("distilled"), ends.count("deferred")) == (paid, 1_000 - paid)
    # The ledger is exact, nothing stays reserved, and the ceiling holds. What is left of the budget
    # is less than the most that the calls in flight at once may have reserved.
    assert sum(line.calls for line in report.items) == paid
    assert round(report.today_cost * NANOS) == paid * CALL_NANOS <= budget
    assert (report.reserved_cost, report.reserved_tokens) == (0, 0)
    assert paid >= 400 - 2 * 4 * 10


@pytest.mark.parametrize("recipe", ["nobody-made-this", "standard"])
async def test_a_recipe_that_is_not_there_any_more_means_the_usual_one(
    store: Store, server: ModelServer, recipe: str
) -> None:
    [entry_id] = await store_articles(store, FERRY)
    await follow(store, "ann", await feed_of(store, [entry_id]), recipe=recipe)

    async with open_till_model(server, store) as usual:
        await distill(service_of(store, usual), [entry_id])

    assert await made_with(store, entry_id) == [("standard", "small")]
