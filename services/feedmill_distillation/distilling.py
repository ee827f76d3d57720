"""The activity: looks up what is ready, has each article distilled, stores each result as it comes."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from temporalio import activity

from feedmill.contracts.activities import DistillationActivities
from feedmill.errors import BudgetSpentError, StoreUnavailableError
from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    DistillationDeferred,
    DistillationSkipped,
    DistillEntries,
    DistillOutcome,
    EntriesDistilled,
    EntryDistilled,
    EntryUndistillable,
    Recipe,
    RecipeChoice,
)
from feedmill.models.entries import EntryStanding, Stage
from feedmill.models.events import EventKind, NewEvent
from feedmill.store import Store, Transaction
from feedmill.store.distillates import Result
from feedmill.telemetry import spans
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import BUDGET_STEPS, ENTRIES_DISTILLED
from feedmill.worker import current_run, heartbeating
from feedmill_distillation.failures import unless_failed
from feedmill_distillation.menu import EntryDistiller, Menu
from feedmill_distillation.storytelling import Storyteller

log = get_logger(__name__)

_RETRY_SECONDS = 2.0
# So few that the first call need not wait for long, so many that the store is asked rarely.
_PLACED_AT_ONCE = 10


class Made(NamedTuple):
    """What one recipe came to."""

    recipe: Recipe
    verdict: Distillate | EntryUndistillable
    reused: bool

    @property
    def ended(self) -> str:
        if isinstance(self.verdict, EntryUndistillable):
            return self.verdict.reason
        return "reused" if self.reused else "distilled"


Choices = Mapping[int, Sequence[RecipeChoice]]


class DistillationService(DistillationActivities):
    """Distils slices of entries.

    Parameters
    ----------
    distiller, local, named, ladder
        What there is to choose from; see `Menu`.
    concurrency
        How many articles are distilled at once, in all slices together.
    """

    def __init__(
        self,
        store: Store,
        distiller: EntryDistiller,
        *,
        local: EntryDistiller,
        concurrency: int,
        named: Mapping[str, EntryDistiller] | None = None,
        ladder: Sequence[EntryDistiller] = (),
    ) -> None:
        self._store = store
        self._menu = Menu(distiller, local, named, ladder)
        self._storyteller = Storyteller(store)
        self._places = asyncio.Semaphore(concurrency)

    @activity.defn
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        async with heartbeating():
            ready, choices = await self._ready(request.entry_ids)
            # Every article gets its try before a failure of one ends the attempt: a retry then
            # repeats only what is left.
            results = await asyncio.gather(
                *(self._distill_some(some, choices) for some in _some_at_once(_by_text(ready))),
                return_exceptions=True,
            )
            deferred = {each.entry_id: each for some in unless_failed(results) for each in some}
            return EntriesDistilled(outcomes=await self._outcomes(request.entry_ids, deferred))

    async def offer(self) -> None:
        """Tell people which recipes they can choose, as soon as the schema has a place for them."""
        while not await self._offered():  # noqa: ASYNC110 - there is nothing to wait on
            await asyncio.sleep(_RETRY_SECONDS)

    async def _offered(self) -> bool:
        try:
            await self._store.check()
            async with self._store.transaction() as tx:
                await tx.recipes.offer(self._menu.recipes())
        except StoreUnavailableError as error:
            log.warning("recipes not offered", error=str(error))
            return False
        return True

    async def _ready(self, entry_ids: Sequence[int]) -> tuple[list[ContentToDistill], Choices]:
        async with self._store.transaction() as tx:
            ready = await tx.contents.to_distill(entry_ids)
            return ready, await tx.recipes.chosen({content.feed_id for content in ready})

    async def _outcomes(
        self, entry_ids: Sequence[int], deferred: Mapping[int, DistillationDeferred]
    ) -> tuple[DistillOutcome, ...]:
        # What the store says is the answer, so that a retry answers the same.
        async with self._store.transaction() as tx:
            standings = await tx.entries.standings(entry_ids)
        return tuple(
            deferred.get(entry_id) or _outcome(entry_id, standings.get(entry_id))
            for entry_id in entry_ids
        )

    async def _distill_some(
        self, some: Sequence[Sequence[ContentToDistill]], choices: Choices
    ) -> list[DistillationDeferred]:
        """Find the stories of some entries at once, then distil them side by side."""
        placed = await self._storyteller.placed([content for alike in some for content in alike])
        results = await asyncio.gather(
            *(
                self._distill_alike([placed[each.entry_id] for each in alike], choices)
                for alike in some
            ),
            return_exceptions=True,
        )
        return [end for ends in unless_failed(results) for end in ends]

    async def _distill_alike(
        self, alike: Iterable[ContentToDistill], choices: Choices
    ) -> list[DistillationDeferred]:
        """Distil entries with the same text, one by one: only the first is paid for."""
        async with self._places:
            ends = [await self._distill(each, choices[each.feed_id]) for each in alike]
        return [end for end in ends if end is not None]

    async def _distill(
        self, content: ContentToDistill, choices: Sequence[RecipeChoice]
    ) -> DistillationDeferred | None:
        facts = {"feedmill.entry_id": content.entry_id, "feedmill.feed_id": content.feed_id}
        with spans.span("distil entry", facts):
            async with self._storyteller.turn(content):
                return await self._distill_story(content, choices)

    async def _distill_story(
        self, content: ContentToDistill, choices: Sequence[RecipeChoice]
    ) -> DistillationDeferred | None:
        try:
            # What one choice cost is kept as drafts should the next one fail.
            made = [await self._make(content, choice) for choice in choices]
        except BudgetSpentError as error:
            BUDGET_STEPS.labels("deferred").inc()
            async with self._store.statement() as tx:
                await tx.entries.distil_later(content.entry_id, until=error.until)
            return DistillationDeferred(entry_id=content.entry_id, until=error.until)
        await self._keep(content, made)
        return None

    async def _make(self, content: ContentToDistill, choice: RecipeChoice) -> Made:
        """Go down the ladder to the first distiller that today's budget has room for."""
        rungs = self._menu.rungs(content, choice)
        for distiller in rungs:
            recipe = distiller.recipe
            async with self._store.statement() as tx:
                before = await tx.distillates.made_before(content.content_hash, recipe.id)
            before = before or await self._storyteller.told_before(content, recipe)
            if before is not None:
                return Made(recipe, before, reused=True)
            try:
                return Made(recipe, await distiller.distill(content), reused=False)
            except BudgetSpentError:
                if distiller is rungs[-1] or await self._is_begun(content):
                    raise
                BUDGET_STEPS.labels("cheaper").inc()
        raise AssertionError("there is always somebody")

    async def _is_begun(self, content: ContentToDistill) -> bool:
        """Whether a part of it is paid for already: then the rest waits for tomorrow's budget."""
        async with self._store.statement() as tx:
            return await tx.drafts.any(content.content_hash)

    async def _keep(self, content: ContentToDistill, made: Sequence[Made]) -> None:
        good = [
            Result(each.recipe, each.verdict, each.reused)
            for each in made
            if isinstance(each.verdict, Distillate)
        ]
        bad = [each for each in made if isinstance(each.verdict, EntryUndistillable)]
        async with self._store.transaction() as tx:
            moved = await (_save(tx, content, good) if good else _give_up(tx, content, bad[0]))
            if not (good and moved):
                await tx.drafts.forget(content.content_hash)
        for each in made if moved else ():
            ENTRIES_DISTILLED.labels(each.recipe.distiller, each.ended).inc()


async def _save(tx: Transaction, content: ContentToDistill, results: Sequence[Result]) -> bool:
    # Moved first: a removed entry has nothing to hang a distillate on.
    if not await tx.entries.move(content.entry_id, before=Stage.FETCHED, after=Stage.DISTILLED):
        return False
    await tx.distillates.save(content, results)
    tx.events.append(_event(EventKind.ENTRY_DISTILLED, content))
    return True


async def _give_up(tx: Transaction, content: ContentToDistill, made: Made) -> bool:
    verdict = made.verdict
    if not isinstance(verdict, EntryUndistillable):
        return False
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


def _some_at_once(
    groups: Sequence[Sequence[ContentToDistill]],
) -> list[Sequence[Sequence[ContentToDistill]]]:
    return [
        groups[start : start + _PLACED_AT_ONCE] for start in range(0, len(groups), _PLACED_AT_ONCE)
    ]


def _outcome(entry_id: int, standing: EntryStanding | None) -> DistillOutcome:
    if standing is not None and standing.stage is Stage.DISTILLED:
        return EntryDistilled(entry_id=entry_id)
    if standing is not None and standing.stage is Stage.UNDISTILLABLE and standing.reason:
        return EntryUndistillable(entry_id=entry_id, reason=standing.reason, detail=standing.detail)
    return DistillationSkipped(entry_id=entry_id)
