"""The activity while things happen at the same time: other slices, other attempts, removals."""

import asyncio

import pytest
from sqlalchemy import delete
from temporalio.testing import ActivityEnvironment

from feedmill.config import StoreSettings
from feedmill.errors import StoreUnavailableError
from feedmill.models.distillates import (
    DistillationSkipped,
    DistillEntries,
    EntryDistilled,
    EntryUndistillable,
)
from feedmill.models.entries import Stage
from feedmill.models.events import EventKind
from feedmill.models.outcomes import Reason
from feedmill.store import Store, open_store
from feedmill.store.tables import entries
from feedmill_distillation.distilling import DistillationService
from support.articles import store_articles
from support.distilling import (
    BRIDGE,
    FERRY,
    GatedDistiller,
    NoDistiller,
    distill,
    events,
    standings,
    stored,
)


async def test_all_slices_together_respect_the_models_concurrency(store: Store) -> None:
    distiller = GatedDistiller()
    service = DistillationService(store, distiller, local=NoDistiller(), concurrency=3)
    ids = await store_articles(store, *(f"Article {n}." for n in range(8)))

    slices = [asyncio.create_task(distill(service, part)) for part in (ids[:4], ids[4:])]
    await distiller.until_waiting(3)
    await asyncio.sleep(0.05)
    distiller.gate.set()
    await asyncio.gather(*slices)

    assert distiller.most == 3
    assert {each.stage for each in await standings(store, ids)} == {Stage.DISTILLED}


async def test_it_heartbeats_while_the_model_thinks(store: Store) -> None:
    distiller = GatedDistiller()
    service = DistillationService(store, distiller, local=NoDistiller(), concurrency=1)
    [entry_id] = await store_articles(store, FERRY)
    beats: list[object] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)

    running = asyncio.create_task(
        environment.run(service.distill_entries, DistillEntries(entry_ids=(entry_id,)))
    )
    await distiller.until_waiting(1)

    assert beats
    distiller.gate.set()
    await running


async def test_an_entry_removed_while_the_model_thinks_is_skipped(store: Store) -> None:
    distiller = GatedDistiller()
    service = DistillationService(store, distiller, local=NoDistiller(), concurrency=2)
    ids = await store_articles(store, FERRY, BRIDGE)

    running = asyncio.create_task(distill(service, ids))
    await distiller.until_waiting(2)
    async with store.transaction() as tx:
        await tx.connection.execute(delete(entries).where(entries.c.id == ids[0]))
    distiller.gate.set()

    assert await running == [DistillationSkipped(entry_id=ids[0]), EntryDistilled(entry_id=ids[1])]


def worker(store: Store, distiller: GatedDistiller) -> DistillationService:
    """One of several that know nothing of one another."""
    return DistillationService(store, distiller, local=NoDistiller(), concurrency=2)


async def test_two_attempts_at_once_report_an_entry_once(store: Store) -> None:
    distiller = GatedDistiller()
    ids = await store_articles(store, FERRY)

    attempts = [asyncio.create_task(distill(worker(store, distiller), ids)) for _ in range(2)]
    await distiller.until_waiting(2)
    distiller.gate.set()

    assert await asyncio.gather(*attempts) == [[EntryDistilled(entry_id=ids[0])]] * 2
    assert len(await events(store)) == 1
    assert len(await stored(store, ids[0])) == 1


async def test_two_attempts_at_once_give_up_an_entry_once(store: Store) -> None:
    ids = await store_articles(store, FERRY)
    verdict = EntryUndistillable(entry_id=ids[0], reason=Reason.MODEL_REFUSED)
    distiller = GatedDistiller(verdict)

    attempts = [asyncio.create_task(distill(worker(store, distiller), ids)) for _ in range(2)]
    await distiller.until_waiting(2)
    distiller.gate.set()

    assert await asyncio.gather(*attempts) == [[verdict]] * 2
    assert [event.kind for event in await events(store)] == [EventKind.ENTRY_UNDISTILLABLE]


async def test_a_database_that_is_away_is_no_outcome() -> None:
    settings = StoreSettings.model_validate({"database_url": "postgresql://a:b@127.0.0.1:1/c"})
    async with open_store(settings) as store:
        service = DistillationService(store, GatedDistiller(), local=NoDistiller(), concurrency=1)

        with pytest.raises(StoreUnavailableError):
            await distill(service, [1])
