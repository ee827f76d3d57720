"""The activity: looks up what is ready, has each article distilled, stores each result as it comes."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from temporalio import activity

from feedmill.contracts.activities import DistillationActivities
from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    DistillationSkipped,
    DistillEntries,
    DistillOutcome,
    EntriesDistilled,
    EntryDistilled,
    EntryUndistillable,
    Recipe,
)
from feedmill.models.entries import EntryStanding, Stage
from feedmill.models.events import EventKind, NewEvent
from feedmill.store import Store, Transaction
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_DISTILLED
from feedmill.worker import current_run, heartbeating
from feedmill_distillation.failures import unless_failed

log = get_logger(__name__)


class EntryDistiller(Protocol):
    """Makes one distillate. `recipe` says how: what one entry got, the same text may have again."""

    recipe: Recipe

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable: ...


class DistillationService(DistillationActivities):
    """Distils slices of entries.

    Parameters
    ----------
    local
        Distils what its publisher keeps from language models; asks nobody outside this machine.
    concurrency
        How many articles are distilled at once, in all slices together.
    """

    def __init__(
        self, store: Store, distiller: EntryDistiller, *, local: EntryDistiller, concurrency: int
    ) -> None:
        self._store = store
        self._distiller = distiller
        self._local = local
        self._places = asyncio.Semaphore(concurrency)

    @activity.defn
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        async with heartbeating():
            ready = await self._ready(request.entry_ids)
            # Every article gets its try before a failure of one ends the attempt: a retry then
            # repeats only what is left.
            results = await asyncio.gather(
                *(self._distill_alike(alike) for alike in _by_text(ready)), return_exceptions=True
            )
            unless_failed(results)
            return EntriesDistilled(outcomes=await self._outcomes(request.entry_ids))

    async def _ready(self, entry_ids: Sequence[int]) -> list[ContentToDistill]:
        async with self._store.transaction() as tx:
            return await tx.contents.to_distill(entry_ids)

    async def _outcomes(self, entry_ids: Sequence[int]) -> tuple[DistillOutcome, ...]:
        # What the store says is the answer, so that a retry answers the same.
        async with self._store.transaction() as tx:
            standings = await tx.entries.standings(entry_ids)
        return tuple(_outcome(entry_id, standings.get(entry_id)) for entry_id in entry_ids)

    async def _distill_alike(self, alike: Iterable[ContentToDistill]) -> None:
        """Distil entries with the same text, one by one: only the first is paid for."""
        async with self._places:
            for content in alike:
                await self._distill(content)

    async def _distill(self, content: ContentToDistill) -> None:
        distiller = self._distiller if content.withheld is None else self._local
        recipe = distiller.recipe
        async with self._store.transaction() as tx:
            made = await tx.distillates.made_before(content.content_hash, recipe.id)
        verdict = made or await distiller.distill(content)
        async with self._store.transaction() as tx:
            if isinstance(verdict, EntryUndistillable):
                moved = await _give_up(tx, content, verdict)
            else:
                moved = await _save(tx, content, recipe, verdict, reused=made is not None)
        if moved:
            ended = "reused" if made else _ended(verdict)
            ENTRIES_DISTILLED.labels(recipe.distiller, ended).inc()


async def _save(
    tx: Transaction,
    content: ContentToDistill,
    recipe: Recipe,
    distillate: Distillate,
    *,
    reused: bool,
) -> bool:
    # Moved first: a removed entry has nothing to hang a distillate on.
    if not await tx.entries.move(content.entry_id, before=Stage.FETCHED, after=Stage.DISTILLED):
        return False
    await tx.distillates.register(recipe)
    await tx.distillates.save(content, recipe.id, distillate, reused=reused)
    tx.events.append(_event(EventKind.ENTRY_DISTILLED, content))
    return True


async def _give_up(tx: Transaction, content: ContentToDistill, verdict: EntryUndistillable) -> bool:
    moved = await tx.entries.move(
        content.entry_id,
        before=Stage.FETCHED,
        after=Stage.UNDISTILLABLE,
        reason=verdict.reason,
        detail=verdict.detail,
    )
    if moved:
        tx.events.append(_event(EventKind.ENTRY_UNDISTILLABLE, content, detail=verdict.reason))
        log.warning("entry undistillable", **verdict.model_dump(mode="json", exclude={"outcome"}))
    return moved


def _event(kind: EventKind, content: ContentToDistill, *, detail: str = "") -> NewEvent:
    return NewEvent(
        kind=kind,
        feed_id=content.feed_id,
        entry_id=content.entry_id,
        run=current_run(),
        detail=detail,
    )


def _by_text(contents: Iterable[ContentToDistill]) -> list[list[ContentToDistill]]:
    alike: dict[str, list[ContentToDistill]] = defaultdict(list)
    for content in contents:
        alike[content.content_hash].append(content)
    return list(alike.values())


def _outcome(entry_id: int, standing: EntryStanding | None) -> DistillOutcome:
    if standing is not None and standing.stage is Stage.DISTILLED:
        return EntryDistilled(entry_id=entry_id)
    if standing is not None and standing.stage is Stage.UNDISTILLABLE and standing.reason:
        return EntryUndistillable(entry_id=entry_id, reason=standing.reason, detail=standing.detail)
    return DistillationSkipped(entry_id=entry_id)


def _ended(verdict: Distillate | EntryUndistillable) -> str:
    return verdict.outcome if isinstance(verdict, EntryUndistillable) else "distilled"
