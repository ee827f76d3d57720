"""The activity on a real store, with the extractor in its own process."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from feedmill.isolation import IsolatedPool
from feedmill.models.distillates import (
    Distiller,
    EntryDistilled,
    EntryUndistillable,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.extractive import ExtractiveDistiller
from support.articles import ARABIC, ENGLISH, JAPANESE, RUSSIAN, store_articles
from support.distilling import (
    counted,
    distill,
    stored,
)

FATAL = "This text ends whoever reads it."


class FatalPool(IsolatedPool):
    """A pool in which one text kills the process that reads it."""

    async def run(self, seconds: float, function: Any, *args: Any, **kwargs: Any) -> Any:
        if FATAL in args:
            return await super().run(seconds, os._exit, 9)
        return await super().run(seconds, function, *args, **kwargs)


@pytest_asyncio.fixture
async def extractive(store: Store) -> AsyncIterator[DistillationService]:
    pool = FatalPool(1)
    try:
        distiller = ExtractiveDistiller(pool)
        yield DistillationService(store, distiller, local=distiller, concurrency=2)
    finally:
        await pool.close()


async def test_without_a_model_articles_still_get_their_own_sentences(
    store: Store, extractive: DistillationService
) -> None:
    before = counted("distilled", Distiller.EXTRACTIVE)
    ids = await store_articles(store, ENGLISH, JAPANESE, RUSSIAN, ARABIC, " … ")

    outcomes = await distill(extractive, ids)

    assert outcomes == [
        *(EntryDistilled(entry_id=entry_id) for entry_id in ids[:4]),
        EntryUndistillable(entry_id=ids[4], reason=Reason.NO_TEXT),
    ]
    [(summary, _)] = await stored(store, ids[0])
    assert summary.startswith("The harbour of Norwick opened a tidal power station")
    assert counted("distilled", Distiller.EXTRACTIVE) - before == 4


async def test_an_article_that_ends_its_process_costs_one_outcome(
    store: Store, extractive: DistillationService
) -> None:
    ids = await store_articles(store, ENGLISH, FATAL, RUSSIAN)

    outcomes = await distill(extractive, ids)

    assert outcomes == [
        EntryDistilled(entry_id=ids[0]),
        EntryUndistillable(
            entry_id=ids[1],
            reason=Reason.EXTRACTOR_FAILED,
            detail="ended its process with code 9",
        ),
        EntryDistilled(entry_id=ids[2]),
    ]


async def test_the_service_itself_never_loads_what_ranks() -> None:
    program = (
        "import sys, feedmill_distillation.__main__;"
        "sys.exit(bool({'sumy', 'nltk', 'numpy'} & set(sys.modules)))"
    )

    running = await asyncio.create_subprocess_exec(sys.executable, "-c", program)

    assert await running.wait() == 0
