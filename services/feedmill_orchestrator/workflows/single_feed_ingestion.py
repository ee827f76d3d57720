import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from feedmill.contracts import options
from feedmill.contracts.activities import (
    DistillationActivities,
    FetchActivities,
    IngestionActivities,
)
from feedmill.contracts.workflows import SingleFeedIngestion
from feedmill.models.distillates import DistillEntries
from feedmill.models.entries import (
    ContentFetched,
    EntryDeferred,
    FetchEntries,
    FetchOutcome,
)
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedPolled, PollFeeds, PollOutcome
from feedmill.models.runs import FeedIngested, IngestFeed, IngestionProgress, RunStep

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.progress import (
        after_distillation,
        after_fetch,
        after_poll,
        deferred,
        slices,
    )


@workflow.defn(name="SingleFeedIngestion")
class SingleFeedIngestionWorkflow(SingleFeedIngestion):
    @workflow.init
    def __init__(self, request: IngestFeed) -> None:
        self._progress = IngestionProgress(feed_id=request.feed_id)
        self._give_up_at = workflow.now() + timedelta(seconds=request.give_up_after_seconds)
        # A place is held while an activity runs, not while a host or a model is waited for: what
        # is slow must not keep the rest from moving.
        self._fetching = asyncio.Semaphore(request.slices_in_flight)
        self._distilling = asyncio.Semaphore(request.slices_in_flight)

    @workflow.run
    async def run(self, request: IngestFeed) -> FeedIngested:
        polled = await self._poll(PollFeeds(feed_ids=(request.feed_id,), asked_at=workflow.now()))
        self._progress = after_poll(self._progress, polled)
        if isinstance(polled, FeedPolled | FeedFailed):
            cut = slices(polled.waiting_entry_ids, request.slice_size)
            await asyncio.gather(*(self._take(entry_ids) for entry_ids in cut))
        self._progress = self._progress.model_copy(
            update={"step": RunStep.DONE, "waiting_until": None}
        )
        workflow.logger.info(
            "feed ingested", extra=self._progress.model_dump(mode="json", by_alias=False)
        )
        return FeedIngested(progress=self._progress)

    @workflow.query
    def get_progress(self) -> IngestionProgress:
        return self._progress

    async def _poll(self, request: PollFeeds) -> PollOutcome:
        while True:
            polled = await workflow.execute_activity_method(
                IngestionActivities.poll_feeds, request, **options.POLL_FEEDS
            )
            outcome = polled.outcomes[0]
            if not isinstance(outcome, FeedDeferred) or outcome.until > self._give_up_at:
                return outcome
            await self._wait_until(outcome.until)

    async def _take(self, entry_ids: tuple[int, ...]) -> None:
        """Fetch a slice in as many rounds as its hosts ask for; distil each round's articles at once."""
        distilling = []
        while entry_ids:
            outcomes = await self._fetch(entry_ids)
            ready = tuple(o.entry_id for o in outcomes if isinstance(o, ContentFetched))
            if ready:
                distilling.append(asyncio.create_task(self._distill(ready)))
            entry_ids = await self._wait_for(deferred(outcomes))
        await asyncio.gather(*distilling)

    async def _fetch(self, entry_ids: tuple[int, ...]) -> tuple[FetchOutcome, ...]:
        async with self._fetching:
            if self._is_over(len(entry_ids)):
                return ()
            try:
                fetched = await workflow.execute_activity_method(
                    FetchActivities.fetch_entries,
                    FetchEntries(entry_ids=entry_ids),
                    **options.FETCH_ENTRIES,
                )
            except ActivityError as error:
                self._leave_after(error, len(entry_ids))
                return ()
        self._progress = after_fetch(self._progress, fetched.outcomes)
        return fetched.outcomes

    async def _distill(self, entry_ids: tuple[int, ...]) -> None:
        async with self._distilling:
            if self._is_over(len(entry_ids)):
                return
            try:
                distilled = await workflow.execute_activity_method(
                    DistillationActivities.distill_entries,
                    DistillEntries(entry_ids=entry_ids),
                    **options.DISTILL_ENTRIES,
                )
            except ActivityError as error:
                self._leave_after(error, len(entry_ids))
                return
        self._progress = after_distillation(self._progress, distilled.outcomes)

    async def _wait_for(self, later: list[EntryDeferred]) -> tuple[int, ...]:
        """Sleep until the first of these has its turn; return those that are still worth waiting for."""
        within = [entry for entry in later if entry.until <= self._give_up_at]
        if len(within) < len(later):
            self._leave(len(later) - len(within), detail="the site asked for more time")
        if within:
            await self._wait_until(min(entry.until for entry in within))
        return tuple(entry.entry_id for entry in within)

    async def _wait_until(self, until: datetime) -> None:
        waiting = {"step": RunStep.WAITING, "waiting_until": until}
        going_on = {"step": self._progress.step, "waiting_until": None}
        self._progress = self._progress.model_copy(update=waiting)
        await workflow.sleep(max(until - workflow.now(), timedelta(seconds=1)))
        if self._progress.waiting_until == until:
            self._progress = self._progress.model_copy(update=going_on)

    def _is_over(self, count: int) -> bool:
        """Leave entries whose turn comes after the run's time."""
        over = workflow.now() > self._give_up_at
        if over:
            self._leave(count, detail=self._progress.detail or "the run took too long")
        return over

    def _leave_after(self, error: ActivityError, count: int) -> None:
        """Leave entries where they stand, for the next run, when a worker gave up on them."""
        if is_cancelled_exception(error):
            raise error
        self._leave(count, detail=str(error.cause or error))

    def _leave(self, count: int, *, detail: str) -> None:
        self._progress = self._progress.model_copy(
            update={"left": self._progress.left + count, "detail": detail}
        )
