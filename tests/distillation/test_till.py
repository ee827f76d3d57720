"""Calls on a real store: what the pool knows, what is paid for, and what never is twice."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from feedmill.errors import BudgetSpentError, ModelUnavailableError
from feedmill.models.distillates import Distillate, EntryUndistillable
from feedmill.models.spending import Ceilings, SpendReport, Usage
from feedmill.store import Store
from feedmill.store.till import Entrant, Later
from feedmill_distillation.model import ModelDistiller
from feedmill_distillation.recipe_files import RecipeFile
from feedmill_distillation.till import Pace
from support import model_server as serve
from support.articles import article
from support.clock import NOON, Clock
from support.kitchen import CALL_NANOS, open_till_model
from support.model_server import ModelServer, open_model_server

ARTICLE = article("The bridge is closed.\nUse the ferry.")
OTHER = article("The harbour is open.")
SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with open_model_server() as opened:
        yield opened


@pytest_asyncio.fixture
async def clock(store: Store) -> Clock:
    return await Clock(store).start()


async def report(store: Store) -> SpendReport:
    async with store.transaction() as tx:
        return await tx.spend.report()


async def test_a_call_is_put_down_with_what_it_cost(store: Store, server: ModelServer) -> None:
    async with open_till_model(server, store) as model:
        made = await model.distill(ARTICLE)

    assert isinstance(made, Distillate)
    assert (made.calls, made.cost_nanos) == (1, CALL_NANOS)
    [line] = (await report(store)).items
    assert (line.feed_id, line.recipe, line.model, line.calls) == (1, "standard", "small", 1)
    assert line.cost == CALL_NANOS / 1e9


async def test_an_unknown_price_is_said_to_be_unknown(store: Store, server: ModelServer) -> None:
    async with open_till_model(server, store, price=None) as model:
        made = await model.distill(ARTICLE)

    assert isinstance(made, Distillate)
    assert made.cost_nanos is None
    [line] = (await report(store)).items
    assert (line.unpriced_calls, line.cost) == (1, 0)


async def test_what_was_answered_before_a_failure_is_not_asked_again(
    store: Store, server: ModelServer
) -> None:
    server.script(serve.bad_json, serve.broken)

    async with open_till_model(server, store) as model:
        with pytest.raises(ModelUnavailableError):
            await model.distill(ARTICLE)
        made = await model.distill(ARTICLE)

    # The first try, the failure, and then the second try alone.
    assert [len(request.messages) for request in server.requests] == [2, 4, 4]
    assert isinstance(made, Distillate)
    assert (made.calls, made.cost_nanos) == (2, 2 * CALL_NANOS)
    assert (await report(store)).items[0].calls == 2


async def test_parts_of_a_long_article_are_not_asked_again(
    store: Store, server: ModelServer
) -> None:
    text = "\n".join(f"Paragraph {n}. " + "It says one thing. " * 20 for n in range(10))
    server.script(serve.good, serve.dropped)
    file = RecipeFile(name="x", input_tokens=500, prompt="Distil.")

    async with open_till_model(server, store, file=file) as model:
        with pytest.raises(ModelUnavailableError):
            await model.distill(article(text))
        made = await model.distill(article(text))

    assert isinstance(made, Distillate)
    assert len(server.requests) == made.calls + 1


@pytest.mark.parametrize(
    ("answer", "wait", "why"),
    [
        pytest.param(serve.rate_limited(7), 7 * SECOND, "HTTP 429", id="Retry-After"),
        pytest.param(serve.rate_limited(), SECOND, "HTTP 429", id="no time"),
        pytest.param(
            serve.error(
                429,
                headers={"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "9s"},
            ),
            9 * SECOND,
            "HTTP 429",
            id="rate limit headers",
        ),
        pytest.param(
            serve.error(503, headers={"Retry-After": "30"}), 30 * SECOND, "HTTP 503", id="overload"
        ),
        pytest.param(serve.unauthorized, 60 * SECOND, "FEEDMILL_MODEL_API_KEY", id="key"),
        pytest.param(serve.error(402), 60 * SECOND, "credit", id="no credit"),
        pytest.param(serve.unknown_model, 60 * SECOND, "FEEDMILL_MODEL_NAME", id="no model"),
    ],
)
async def test_who_is_told_to_wait_makes_the_whole_pool_wait(
    store: Store,
    server: ModelServer,
    clock: Clock,
    answer: serve.Answer,
    wait: timedelta,
    why: str,
) -> None:
    server.script(answer)

    async with open_till_model(server, store) as one, open_till_model(server, store) as another:
        for model in (one, another):
            with pytest.raises(ModelUnavailableError, match=why) as raised:
                await model.distill(ARTICLE)
            assert raised.value.retry_after == wait
        assert len(server.requests) == 1, "the other worker did not ask"

        await clock.advance(wait)
        assert isinstance(await another.distill(ARTICLE), Distillate)

    assert (await report(store)).reserved_tokens == 0


async def test_who_waits_for_a_place_meanwhile_does_not_ask_either(
    store: Store, server: ModelServer
) -> None:
    server.script(serve.rate_limited(30))

    async with open_till_model(server, store, places=1) as model:
        ends = await asyncio.gather(
            *(model.distill(article(f"Article {n}.")) for n in range(5)), return_exceptions=True
        )

    assert [type(end).__name__ for end in ends] == ["ModelUnavailableError"] * 5
    assert len(server.requests) == 1
    assert (await report(store)).reserved_tokens == 0


async def test_no_more_calls_are_made_at_once_than_there_are_places(
    store: Store, server: ModelServer
) -> None:
    flight = serve.Flight()
    server.usual = flight.answer

    async with open_till_model(server, store, places=3) as model:
        await asyncio.gather(*(model.distill(article(f"Article {n}.")) for n in range(9)))

    assert flight.most == 3


async def test_an_answer_that_uses_up_the_limit_makes_the_pool_wait_too(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    server.script(serve.limited(remaining_requests="0", reset_requests="12s"))

    async with open_till_model(server, store) as model:
        assert isinstance(await model.distill(ARTICLE), Distillate)
        with pytest.raises(ModelUnavailableError, match="rate limit is used up") as raised:
            await model.distill(OTHER)

    assert raised.value.retry_after == 12 * SECOND


async def test_one_broken_answer_makes_nobody_wait(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    server.script(serve.broken)

    async with open_till_model(server, store) as model:
        with pytest.raises(ModelUnavailableError):
            await model.distill(ARTICLE)
        assert isinstance(await model.distill(ARTICLE), Distillate)


async def test_a_pace_that_leaves_no_room_for_long_gives_the_slot_back(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    async with open_till_model(server, store, pace=Pace(requests=1)) as model:
        await model.distill(ARTICLE)
        with pytest.raises(ModelUnavailableError, match="the pace that is set") as raised:
            await model.distill(OTHER)
        await clock.advance(60 * SECOND)
        await model.distill(OTHER)

    assert raised.value.retry_after == 50 * SECOND
    assert len(server.requests) == 2


async def test_a_pace_in_tokens_is_charged_with_what_was_used(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    # A call is thought to use some hundreds of tokens, and uses 120: 12 s of this pace.
    async with open_till_model(server, store, pace=Pace(tokens=600)) as model:
        await model.distill(ARTICLE)
        async with store.statement() as tx:
            entrant = Entrant("another call", f"{server.url} small", timedelta(0), Usage())
            later = await tx.till.enter(entrant, Ceilings())

    assert later == Later(2 * SECOND)


async def test_calls_that_begin_and_calls_that_end_do_not_lock_each_other_out(
    store: Store, server: ModelServer
) -> None:
    async def distill_some(model: ModelDistiller, task: int) -> None:
        for number in range(15):
            await model.distill(article(f"Article {number} of {task}."))

    async with open_till_model(server, store, pace=Pace(tokens=1e9)) as model:
        await asyncio.gather(*(distill_some(model, task) for task in range(8)))

    assert len(server.requests) == 8 * 15
    spent = await report(store)
    assert (spent.items[0].calls, spent.reserved_tokens) == (8 * 15, 0)


async def test_short_waits_are_sat_out(store: Store, server: ModelServer) -> None:
    async with open_till_model(server, store, pace=Pace(requests=600)) as model:
        texts = [article(f"Article {number}.") for number in range(4)]
        async with store.statement() as tx:
            entrant = Entrant("another call", f"{server.url} small", 10.2 * SECOND, Usage())
            await tx.till.enter(entrant, Ceilings())
        made = await asyncio.gather(*(model.distill(text) for text in texts))

    assert all(isinstance(each, Distillate) for each in made)


async def test_how_an_endpoint_is_asked_is_found_out_once_for_all_workers(
    store: Store, server: ModelServer
) -> None:
    server.formats = []

    async with open_till_model(server, store) as model:
        await model.distill(ARTICLE)
    async with open_till_model(server, store) as model:
        await model.distill(OTHER)

    assert [request.format for request in server.requests] == [
        "json_schema", "json_object", "json_object", "text", "text",
    ]  # fmt: skip


async def test_a_new_worker_knows_that_the_endpoint_has_answered(
    store: Store, server: ModelServer
) -> None:
    async with open_till_model(server, store) as model:
        await model.distill(ARTICLE)
    server.script(serve.unrecognised)

    async with open_till_model(server, store) as model:
        assert isinstance(await model.distill(OTHER), EntryUndistillable)


async def test_without_room_in_the_budget_nobody_is_asked(
    store: Store, server: ModelServer, clock: Clock
) -> None:
    async with open_till_model(server, store, ceilings=Ceilings(tokens=50)) as model:
        with pytest.raises(BudgetSpentError) as raised:
            await model.distill(ARTICLE)

    assert raised.value.until == NOON + timedelta(hours=12)
    assert server.requests == []


async def test_a_cancelled_call_gives_back_what_it_reserved(
    store: Store, server: ModelServer
) -> None:
    server.script(serve.slow(30))

    async with open_till_model(server, store) as model:
        asking = asyncio.create_task(model.distill(ARTICLE))
        async with asyncio.timeout(10):
            while not server.requests:
                await asyncio.sleep(0.01)
        assert (await report(store)).reserved_tokens > 0
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    assert (await report(store)).reserved_tokens == 0
