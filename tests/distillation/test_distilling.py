"""The activity on a real store, with a model that misbehaves."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import delete
from temporalio.testing import ActivityEnvironment

from feedmill.errors import ModelUnavailableError
from feedmill.models.distillates import DistillationSkipped, EntryDistilled, EntryUndistillable
from feedmill.models.entries import EntryStanding, Stage
from feedmill.models.events import Event, EventKind
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.store.tables import entries
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.model import open_model
from support import model_server as serve
from support.articles import store_articles
from support.distilling import (
    BRIDGE,
    FERRY,
    HARBOUR,
    NoDistiller,
    counted,
    distill,
    events,
    standings,
    stored,
)
from support.model_server import ModelServer, open_model_server


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with open_model_server() as opened:
        yield opened


@pytest_asyncio.fixture
async def service(server: ModelServer, store: Store) -> AsyncIterator[DistillationService]:
    async with open_model(server.url, "small", None, seconds=5) as model:
        yield DistillationService(store, model, local=NoDistiller(), concurrency=2)


async def test_a_slice_is_distilled_and_stored(store: Store, service: DistillationService) -> None:
    ids = await store_articles(store, FERRY, BRIDGE, HARBOUR)

    assert await distill(service, ids) == [EntryDistilled(entry_id=entry_id) for entry_id in ids]

    assert [each.stage for each in await standings(store, ids)] == [Stage.DISTILLED] * 3
    assert [await stored(store, entry_id) for entry_id in ids] == [
        [(FERRY, False)],
        [(BRIDGE, False)],
        [(HARBOUR, False)],
    ]


async def test_each_entry_is_reported_with_the_run_it_belongs_to(
    store: Store, service: DistillationService
) -> None:
    [entry_id] = await store_articles(store, FERRY)

    await distill(service, [entry_id])

    [event] = await events(store)
    info = ActivityEnvironment.default_info()
    assert event == Event(
        id=event.id,
        kind=EventKind.ENTRY_DISTILLED,
        at=event.at,
        feed_id=event.feed_id,
        entry_id=entry_id,
        workflow_id=info.workflow_id,
        run_id=info.workflow_run_id,
    )
    assert event.feed_id is not None


async def test_running_it_again_asks_nothing_and_answers_the_same(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    server.script(serve.refusal, about=BRIDGE)
    ids = await store_articles(store, FERRY, BRIDGE)
    first = await distill(service, ids)
    asked, reported = len(server.requests), await events(store)

    second = await distill(service, ids)

    assert first == [
        EntryDistilled(entry_id=ids[0]),
        EntryUndistillable(entry_id=ids[1], reason=Reason.MODEL_REFUSED),
    ]
    assert second == first
    assert len(server.requests) == asked
    assert await events(store) == reported


async def test_entries_that_are_not_ready_are_skipped(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    [new, removed] = await store_articles(store, FERRY, BRIDGE)
    async with store.transaction() as tx:
        await tx.entries.move(new, before=Stage.FETCHED, after=Stage.NEW)
        await tx.connection.execute(delete(entries).where(entries.c.id == removed))

    outcomes = await distill(service, [new, removed])

    assert outcomes == [DistillationSkipped(entry_id=new), DistillationSkipped(entry_id=removed)]
    assert server.requests == []


async def test_the_same_text_is_paid_for_once(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    before, reused_before = counted("distilled"), counted("reused")
    [first] = await store_articles(store, FERRY)
    await distill(service, [first])
    [later] = await store_articles(store, FERRY)

    assert await distill(service, [later]) == [EntryDistilled(entry_id=later)]

    assert await stored(store, first) == [(FERRY, False)]
    assert await stored(store, later) == [(FERRY, True)]
    assert len(server.requests) == 1
    assert (counted("distilled") - before, counted("reused") - reused_before) == (1, 1)


async def test_the_same_text_twice_in_one_slice_is_paid_for_once(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    ids = await store_articles(store, FERRY, FERRY)

    assert await distill(service, ids) == [EntryDistilled(entry_id=entry_id) for entry_id in ids]

    assert len(server.requests) == 1
    assert [await stored(store, entry_id) for entry_id in ids] == [
        [(FERRY, False)],
        [(FERRY, True)],
    ]


async def test_another_recipe_makes_its_own_distillate(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    [first] = await store_articles(store, FERRY)
    await distill(service, [first])
    [later] = await store_articles(store, FERRY)

    async with open_model(server.url, "large", None) as model:
        await distill(
            DistillationService(store, model, local=NoDistiller(), concurrency=2), [later]
        )

    assert [request.model for request in server.requests] == ["small", "large"]
    assert await stored(store, later) == [(FERRY, False)]


async def test_one_bad_article_does_not_fail_its_neighbours(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    server.script(serve.bad_json, serve.bad_json, about=BRIDGE)
    ids = await store_articles(store, FERRY, BRIDGE, HARBOUR)
    before = counted("model_answer_invalid")

    outcomes = await distill(service, ids)

    bad = EntryUndistillable(
        entry_id=ids[1],
        reason=Reason.MODEL_ANSWER_INVALID,
        detail="There is no JSON object in it.",
    )
    assert outcomes == [EntryDistilled(entry_id=ids[0]), bad, EntryDistilled(entry_id=ids[2])]
    assert (await standings(store, ids))[1] == EntryStanding(
        id=ids[1], stage=Stage.UNDISTILLABLE, reason=bad.reason, detail=bad.detail
    )
    [event] = [event for event in await events(store) if event.entry_id == ids[1]]
    assert (event.kind, event.detail) == (EventKind.ENTRY_UNDISTILLABLE, bad.reason)
    assert counted("model_answer_invalid") == before + 1


async def test_a_rate_limit_is_raised_after_the_rest_is_committed(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    server.script(serve.rate_limited(7), about=FERRY)
    server.script(serve.rate_limited(30), about=BRIDGE)
    ids = await store_articles(store, FERRY, BRIDGE, HARBOUR)

    with pytest.raises(ModelUnavailableError) as raised:
        await distill(service, ids)

    assert raised.value.retry_after == timedelta(seconds=30)
    stages = [each.stage for each in await standings(store, ids)]
    assert stages == [Stage.FETCHED, Stage.FETCHED, Stage.DISTILLED]

    asked = len(server.requests)
    assert await distill(service, ids) == [EntryDistilled(entry_id=entry_id) for entry_id in ids]
    assert len(server.requests) == asked + 2, "a retry repeats only what is left"


async def test_a_wrong_key_loses_no_entry(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    server.key = "sk-right"
    ids = await store_articles(store, FERRY, BRIDGE)

    with pytest.raises(ModelUnavailableError, match="FEEDMILL_MODEL_API_KEY") as raised:
        await distill(service, ids)

    assert raised.value.retry_after == timedelta(minutes=1)
    assert [each.stage for each in await standings(store, ids)] == [Stage.FETCHED] * 2

    server.key = None
    assert await distill(service, ids) == [EntryDistilled(entry_id=entry_id) for entry_id in ids]


async def test_an_endpoint_that_refuses_every_request_loses_no_entry(
    store: Store, server: ModelServer, service: DistillationService
) -> None:
    server.script(serve.unrecognised, serve.unrecognised)
    ids = await store_articles(store, FERRY, BRIDGE)

    with pytest.raises(ModelUnavailableError, match="refused every request") as raised:
        await distill(service, ids)

    assert raised.value.retry_after == timedelta(minutes=1)
    assert [each.stage for each in await standings(store, ids)] == [Stage.FETCHED] * 2
    assert await distill(service, ids) == [EntryDistilled(entry_id=entry_id) for entry_id in ids]
