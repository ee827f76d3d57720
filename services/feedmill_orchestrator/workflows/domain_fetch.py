import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow

from feedmill.contracts.workflows import DomainFetch
from feedmill.models.entries import (
    ContentFetched,
    EntryDeferred,
    EntryNeedsBrowser,
    FetchOutcome,
)
from feedmill.models.runs import (
    DomainServed,
    EntriesPace,
    EntriesProgress,
    JoinDomain,
    RunStep,
    ServeDomain,
)

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.handing_over import hand_over
    from feedmill_orchestrator.workflows.pipeline import Pipeline
    from feedmill_orchestrator.workflows.progress import deferred

# The signal that starts a host's run names who comes first.
_FIRST_COMES_WITHIN = timedelta(seconds=10)


@workflow.defn(name="DomainFetch")
class DomainFetchWorkflow(Describable, DomainFetch):
    @workflow.init
    def __init__(self, request: ServeDomain) -> None:
        # One slice at a time: the host gets one request at a time anyway, and order is kept.
        pace = EntriesPace(slice_size=request.slice_size, slices_in_flight=1)
        progress = request.progress or EntriesProgress(step=RunStep.FETCHING)
        self._pipeline = Pipeline(progress, pace)
        # A host's queue is served for as long as it takes; what bounds it is each entry's patience.
        self._pipeline.give_up_at = workflow.now() + timedelta(days=3_650)
        self._most_waiting = request.most_waiting
        # A dictionary for its order: who came first is served first.
        self._queue: dict[int, None] = dict.fromkeys(request.entry_ids)
        self._shells = frozenset(request.needing_browser)
        self._slices = 0
        self._distilling: list[asyncio.Task[None]] = []
        self._to_be_tried: list[int] = []

    @workflow.run
    async def run(self, request: ServeDomain) -> DomainServed:
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: bool(self._queue), timeout=_FIRST_COMES_WITHIN)
        with saying_what_was_done(self.get_progress):
            await self._serve_all(request)
        await hand_over(self._to_be_tried)
        return DomainServed(progress=self._pipeline.finish())

    @workflow.signal
    async def join(self, request: JoinDomain) -> None:
        new = [entry_id for entry_id in request.entry_ids if entry_id not in self._queue]
        places = max(self._most_waiting - len(self._queue), 0)
        self._queue |= dict.fromkeys(new[:places])
        self._add(total=len(new))
        if new[places:]:
            self._pipeline.leave(len(new[places:]), detail="too many wait for this host")

    @workflow.query
    def get_progress(self) -> EntriesProgress:
        return self._pipeline.progress

    async def _serve_all(self, request: ServeDomain) -> None:
        while await self._somebody_waits():
            if self._is_long_enough(request):
                await self._go_on(request)
            await self._serve(request)
        await asyncio.gather(*self._distilling)

    async def _somebody_waits(self) -> bool:
        """Wait for somebody while the last are being distilled."""
        await workflow.wait_condition(
            lambda: bool(self._queue) or all(task.done() for task in self._distilling)
        )
        return bool(self._queue)

    def _is_long_enough(self, request: ServeDomain) -> bool:
        return self._slices >= request.slices or workflow.info().is_continue_as_new_suggested()

    async def _go_on(self, request: ServeDomain) -> NoReturn:
        await asyncio.gather(*self._distilling)
        await hand_over(self._to_be_tried)
        waiting = {
            "entry_ids": tuple(self._queue),
            "needing_browser": tuple(each for each in self._queue if each in self._shells),
            "progress": self._pipeline.progress,
        }
        workflow.continue_as_new(request.model_copy(update=waiting))

    async def _serve(self, request: ServeDomain) -> None:
        """Fetch the first of the queue, and wait until the host may be asked again."""
        self._slices += 1
        first = tuple(self._queue)[: request.slice_size]
        outcomes = await self._fetch(first)
        later = [entry for entry in deferred(outcomes) if entry.reason is None]
        # A page that failed for a while waits for its own next try, and holds up nobody here.
        self._to_be_tried += [e.entry_id for e in deferred(outcomes) if e.reason is not None]
        shells = {o.entry_id for o in outcomes if isinstance(o, EntryNeedsBrowser)}
        self._shells |= shells
        for entry_id in frozenset(first) - {entry.entry_id for entry in later} - shells:
            self._queue.pop(entry_id, None)
        ready = tuple(o.entry_id for o in outcomes if isinstance(o, ContentFetched))
        if ready:
            distilling = asyncio.create_task(self._pipeline.distill_slice(ready))
            self._distilling.append(distilling)
        await self._wait_for(later, request)

    async def _fetch(self, entry_ids: tuple[int, ...]) -> tuple[FetchOutcome, ...]:
        """Fetch a slice; pages that were empty without their scripts, in a browser."""
        plain = tuple(each for each in entry_ids if each not in self._shells)
        fetched = await self._pipeline.fetch_slice(plain) if plain else ()
        shells = tuple(each for each in entry_ids if each in self._shells)
        browsed = await self._pipeline.fetch_slice(shells, in_browser=True) if shells else ()
        return (*fetched, *browsed)

    async def _wait_for(self, later: list[EntryDeferred], request: ServeDomain) -> None:
        latest = workflow.now() + timedelta(seconds=request.patience_seconds)
        given_up = [entry.entry_id for entry in later if entry.until > latest]
        for entry_id in given_up:
            self._queue.pop(entry_id, None)
        if given_up:
            self._pipeline.leave(len(given_up), detail="the site asked for more time")
        within = [entry.until for entry in later if entry.until <= latest]
        if within:
            await self._pipeline.wait_until(min(within))

    def _add(self, *, total: int) -> None:
        progress = self._pipeline.progress
        self._pipeline.progress = progress.model_copy(update={"total": progress.total + total})
