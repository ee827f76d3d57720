"""What several workflows do with entries: fetch them in slices, and distil each slice as it comes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import ActivityError, is_cancelled_exception

from feedmill.contracts import options
from feedmill.contracts.activities import (
    BrowserActivities,
    DistillationActivities,
    FetchActivities,
)
from feedmill.models.distillates import DistillEntries
from feedmill.models.entries import (
    ContentFetched,
    EntriesFetched,
    EntryDeferred,
    EntryNeedsBrowser,
    FetchEntries,
    FetchOutcome,
)
from feedmill.models.runs import EntriesPace, EntriesProgress, RunStep

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.patches import EARLY_AND_BY_HOST, is_patched
    from feedmill_orchestrator.workflows.progress import (
        after_distillation,
        after_failures,
        after_fetch,
        deferred,
        early_slices,
        slices,
    )

P = TypeVar("P", bound=EntriesProgress)

HandOver = Callable[[tuple[int, ...]], Awaitable[tuple[int, ...]]]

# Fewer can wait here: to hand them over costs more than their timers.
_WORTH_HANDING_OVER = 3


class Pipeline(Generic[P]):
    """Takes entries the rest of the way, and keeps count of them in `progress`.

    Attributes
    ----------
    to_be_tried
        Entries left whose page could not be had for now, for a run that is patient.

    Parameters
    ----------
    hand_over
        Lets somebody else wait for hosts; given who has to wait, returns those who do so there.
    priority
        Where distillations stand in their queue; as equals of other runs', if not given.
    is_patient
        Whether a page that could not be had for now is waited for until its last try, which may
        take days. Hosts that want time are waited for as long as the run may take, by whomever.
    again_since
        Fetch what has been fetched before, unless that was since then.
    """

    def __init__(
        self,
        progress: P,
        pace: EntriesPace,
        *,
        hand_over: HandOver | None = None,
        priority: Priority | None = None,
        is_patient: bool = False,
        again_since: datetime | None = None,
    ) -> None:
        self.progress = progress
        self._hand_over = hand_over
        self._priority = priority
        self.give_up_at = workflow.now() + timedelta(seconds=pace.give_up_after_seconds)
        self.to_be_tried: list[int] = []
        self._is_patient = is_patient
        self._again_since = again_since
        self._run_time = timedelta(seconds=pace.give_up_after_seconds)
        self._slice_size = pace.slice_size
        # A place is held while an activity runs, not while a host or a model is waited for: what
        # is slow must not keep the rest from moving.
        self._fetching = asyncio.Semaphore(pace.slices_in_flight)
        self._browsing = asyncio.Semaphore(pace.slices_in_flight)
        self._distilling = asyncio.Semaphore(pace.slices_in_flight)

    async def take(self, entry_ids: Sequence[int]) -> None:
        """Take entries to an end stage, or leave them where they stand when time is up."""
        is_current = is_patched(EARLY_AND_BY_HOST)
        if not is_current:
            self._hand_over = None
        cut = (early_slices if is_current else slices)(entry_ids, self._slice_size)
        await asyncio.gather(*(self._take(slice_) for slice_ in cut))

    async def distill(self, entry_ids: Sequence[int]) -> None:
        """Distil fetched entries in slices, or leave them where they stand when time is up."""
        cut = slices(entry_ids, self._slice_size)
        await asyncio.gather(*(self.distill_slice(slice_) for slice_ in cut))

    def finish(self) -> P:
        """Return the progress of a run that has ended."""
        self._update(step=RunStep.DONE, waiting_until=None)
        return self.progress

    async def wait_until(self, until: datetime) -> None:
        """Wait on a durable timer, and say so in the progress."""
        step = self.progress.step
        self._update(step=RunStep.WAITING, waiting_until=until)
        await workflow.sleep(max(until - workflow.now(), timedelta(seconds=1)))
        if self.progress.waiting_until == until:
            self._update(step=step, waiting_until=None)

    async def _take(self, entry_ids: tuple[int, ...]) -> None:
        """Fetch a slice in as many rounds as its hosts ask for; distil each round's articles at once."""
        beside = []
        while entry_ids:
            outcomes = await self.fetch_slice(entry_ids)
            beside += self._go_on_with(outcomes)
            entry_ids = await self._wait_for(await self._keep(deferred(outcomes)))
        await asyncio.gather(*beside)

    def _go_on_with(self, outcomes: Sequence[FetchOutcome]) -> list[asyncio.Task[None]]:
        ready = tuple(o.entry_id for o in outcomes if isinstance(o, ContentFetched))
        shells = tuple(o.entry_id for o in outcomes if isinstance(o, EntryNeedsBrowser))
        beside = [asyncio.create_task(self.distill_slice(ready))] if ready else []
        return [*beside, asyncio.create_task(self._browse(shells))] if shells else beside

    async def _browse(self, entry_ids: tuple[int, ...]) -> None:
        """Have pages looked at in a browser, as often as their hosts ask for, and distil what is found."""
        while entry_ids:
            outcomes = await self.fetch_slice(entry_ids, in_browser=True)
            ready = tuple(o.entry_id for o in outcomes if isinstance(o, ContentFetched))
            if ready:
                await self.distill_slice(ready)
            entry_ids = await self._wait_for(deferred(outcomes))

    async def fetch_slice(
        self, entry_ids: tuple[int, ...], *, in_browser: bool = False
    ) -> tuple[FetchOutcome, ...]:
        """Fetch a slice once, in its turn; no outcomes when it was left where it stands."""
        async with self._browsing if in_browser else self._fetching:
            if self._is_over(len(entry_ids)):
                return ()
            request = FetchEntries(entry_ids=entry_ids, again_since=self._again_since)
            try:
                fetched = await (_browse if in_browser else _fetch)(request)
            except ActivityError as error:
                self._leave_after(error, len(entry_ids))
                return ()
        self.progress = after_fetch(self.progress, fetched.outcomes)
        if self._again_since is not None:
            self.progress = after_failures(self.progress, fetched.outcomes)
        return fetched.outcomes

    async def distill_slice(self, entry_ids: tuple[int, ...]) -> None:
        """Distil a slice, in its turn."""
        async with self._distilling:
            if self._is_over(len(entry_ids)):
                return
            try:
                distilled = await workflow.execute_activity_method(
                    DistillationActivities.distill_entries,
                    DistillEntries(entry_ids=entry_ids),
                    # A run with thousands of entries must not keep the model from all others.
                    priority=self._priority or options.shared_with(workflow.info().workflow_id),
                    **options.DISTILL_ENTRIES,
                )
            except ActivityError as error:
                self._leave_after(error, len(entry_ids))
                return
        self.progress = after_distillation(self.progress, distilled.outcomes)

    async def _keep(self, later: list[EntryDeferred]) -> list[EntryDeferred]:
        """Hand over who waits for a host that has a queue; return who waits here."""
        # A page that failed for a while waits for its own next try, not for its host.
        waiting = tuple(entry.entry_id for entry in later if entry.reason is None)
        if self._hand_over is None or len(waiting) < _WORTH_HANDING_OVER:
            return later
        handed_over = frozenset(await self._hand_over(waiting))
        self._update(handed_over=self.progress.handed_over + len(handed_over))
        return [entry for entry in later if entry.entry_id not in handed_over]

    async def _wait_for(self, later: list[EntryDeferred]) -> tuple[int, ...]:
        """Sleep until the first of these has its turn; return those that are still worth waiting for."""
        within = [entry for entry in later if self._waits_for(entry)]
        if len(within) < len(later):
            detail = self.progress.detail or "the site asked for more time"
            self.leave(len(later) - len(within), detail=detail)
            self.to_be_tried += [e.entry_id for e in later if e.reason and e not in within]
        if within:
            first = min(within, key=lambda entry: entry.until)
            await self.wait_until(first.until)
            if first.reason is not None and self._is_patient:
                # Its next try gets as much time as its first had.
                self.give_up_at = max(self.give_up_at, workflow.now() + self._run_time)
        return tuple(entry.entry_id for entry in within)

    def _waits_for(self, entry: EntryDeferred) -> bool:
        tries_again = self._is_patient and entry.reason is not None
        return tries_again or entry.until <= self.give_up_at

    def _is_over(self, count: int) -> bool:
        """Leave entries whose turn comes after the run's time."""
        over = workflow.now() > self.give_up_at
        if over:
            self.leave(count, detail=self.progress.detail or "the run took too long")
        return over

    def _leave_after(self, error: ActivityError, count: int) -> None:
        """Leave entries where they stand, for the next run, when a worker gave up on them."""
        if is_cancelled_exception(error):
            raise error
        self.leave(count, detail=str(error.cause or error))

    def leave(self, count: int, *, detail: str) -> None:
        """Count entries that stay where they stand, for a later run."""
        self._update(left=self.progress.left + count, detail=detail)

    def _update(self, **changes: object) -> None:
        self.progress = self.progress.model_copy(update=changes)


async def _fetch(request: FetchEntries) -> EntriesFetched:
    return await workflow.execute_activity_method(
        FetchActivities.fetch_entries, request, **options.FETCH_ENTRIES
    )


async def _browse(request: FetchEntries) -> EntriesFetched:
    return await workflow.execute_activity_method(
        BrowserActivities.browse_entries, request, **options.BROWSE_ENTRIES
    )
