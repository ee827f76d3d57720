"""Running the distillation activity, and what it leaves in the store."""

import asyncio
from collections.abc import Sequence

from prometheus_client import REGISTRY
from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from feedmill.contracts.activities import DistillationActivities
from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    DistillEntries,
    Distiller,
    DistillOutcome,
    EntriesDistilled,
    EntryUndistillable,
    Recipe,
)
from feedmill.models.entries import EntryStanding
from feedmill.models.events import Event
from feedmill.store import Store
from feedmill.store.tables import distillates
from feedmill_distillation.prompt import recipe_for

FERRY, BRIDGE, HARBOUR = "Use the ferry.", "The bridge is closed.", "The harbour is open."


async def distill(
    service: DistillationActivities, entry_ids: Sequence[int]
) -> list[DistillOutcome]:
    request = DistillEntries(entry_ids=tuple(entry_ids))
    distilled: EntriesDistilled = await ActivityEnvironment().run(service.distill_entries, request)
    return list(distilled.outcomes)


async def standings(store: Store, entry_ids: Sequence[int]) -> list[EntryStanding]:
    async with store.transaction() as tx:
        found = await tx.entries.standings(entry_ids)
    return [found[entry_id] for entry_id in entry_ids]


async def stored(store: Store, entry_id: int) -> list[tuple[str, bool]]:
    """Each distillate of an entry: its summary, and whether it was reused."""
    statement = select(distillates.c.summary, distillates.c.reused).where(
        distillates.c.entry_id == entry_id
    )
    async with store.transaction() as tx:
        return [(row.summary, row.reused) for row in await tx.connection.execute(statement)]


async def events(store: Store) -> list[Event]:
    async with store.transaction() as tx:
        return list(await tx.events.after(0))


def counted(outcome: str, distiller: Distiller = Distiller.MODEL) -> float:
    labels = {"distiller": distiller, "outcome": outcome}
    return REGISTRY.get_sample_value("feedmill_entries_distilled_total", labels) or 0.0


class NoDistiller:
    """Fails the test that asks it."""

    recipe: Recipe = recipe_for(Distiller.EXTRACTIVE, "none", "1")

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable:
        raise AssertionError(content)


class GatedDistiller:
    """Waits in every article until let go; remembers how many waited at once."""

    def __init__(self, verdict: EntryUndistillable | None = None) -> None:
        self._verdict = verdict
        self.recipe: Recipe = recipe_for(Distiller.MODEL, "gated", "1")
        self.gate = asyncio.Event()
        self.waiting = self.most = 0

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        await self.gate.wait()
        self.waiting -= 1
        return self._verdict or Distillate(summary=content.text, relevance=0.5)

    async def until_waiting(self, count: int) -> None:
        async with asyncio.timeout(5):
            while self.waiting < count:
                await asyncio.sleep(0.01)
