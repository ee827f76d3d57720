import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

from feedmill.contracts import options
from feedmill.contracts.activities import HandOverActivities, IngestionActivities
from feedmill.contracts.workflows import AllFeedsIngestion, ScheduleFetch, schedule_fetch_id
from feedmill.models.feeds import FeedDeferred, PollFeeds, PollOutcome
from feedmill.models.runs import (
    AllFeedsIngested,
    AllFeedsProgress,
    FetchBatch,
    IngestAllFeeds,
    RunStep,
)
from feedmill.models.upkeep import FeedsSelected, SelectFeeds

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.progress import after_polls, slices, waiting

# A run of its own stays small enough to be read by a person.
_BATCH_ENTRIES = 1_500


@workflow.defn(name="AllFeedsIngestion")
class AllFeedsIngestionWorkflow(Describable, AllFeedsIngestion):
    @workflow.init
    def __init__(self, request: IngestAllFeeds) -> None:
        self._progress = request.progress or AllFeedsProgress()
        self._asked_at = request.asked_at or workflow.now()
        self._give_up_at = self._asked_at + timedelta(seconds=request.give_up_after_seconds)
        self._polling = asyncio.Semaphore(request.slices_in_flight)

    @workflow.run
    async def run(self, request: IngestAllFeeds) -> AllFeedsIngested:
        selected = await self._select(request)
        self._update(total=selected.total)
        cut = slices(selected.feed_ids, request.feeds_per_slice)
        with saying_what_was_done(self.get_progress):
            await asyncio.gather(*(self._take(slice_) for slice_ in cut))
        if len(selected.feed_ids) == request.feeds_per_history:
            self._go_on(request, after=selected.feed_ids[-1])
        self._update(step=RunStep.DONE, waiting_until=None)
        return AllFeedsIngested(progress=self._progress)

    @workflow.query
    def get_progress(self) -> AllFeedsProgress:
        return self._progress

    async def _select(self, request: IngestAllFeeds) -> FeedsSelected:
        return await workflow.execute_activity_method(
            HandOverActivities.select_feeds,
            SelectFeeds(after_feed_id=request.after_feed_id, limit=request.feeds_per_history),
            **options.SELECT_FEEDS,
        )

    def _go_on(self, request: IngestAllFeeds, *, after: int) -> None:
        changes = {
            "after_feed_id": after,
            "asked_at": self._asked_at,
            "progress": self._progress,
        }
        workflow.continue_as_new(request.model_copy(update=changes))

    async def _take(self, feed_ids: tuple[int, ...]) -> None:
        """Poll a slice of feeds in as many rounds as its hosts ask for."""
        while feed_ids:
            outcomes = await self._poll(feed_ids)
            await self._hand_over(waiting(outcomes))
            feed_ids = await self._wait_for([o for o in outcomes if isinstance(o, FeedDeferred)])

    async def _poll(self, feed_ids: tuple[int, ...]) -> Sequence[PollOutcome]:
        async with self._polling:
            try:
                polled = await workflow.execute_activity_method(
                    IngestionActivities.poll_feeds,
                    PollFeeds(feed_ids=feed_ids, asked_at=self._asked_at),
                    **options.POLL_FEEDS,
                )
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                self._leave(len(feed_ids), detail=str(error.cause or error))
                return ()
        self._progress = after_polls(self._progress, polled.outcomes)
        return polled.outcomes

    async def _hand_over(self, entry_ids: tuple[int, ...]) -> None:
        for batch in slices(entry_ids, _BATCH_ENTRIES):
            await workflow.start_child_workflow(
                ScheduleFetch.run,
                FetchBatch(entry_ids=batch),
                id=schedule_fetch_id(str(workflow.uuid4())),
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
            self._update(handed_over=self._progress.handed_over + len(batch))

    async def _wait_for(self, later: Sequence[FeedDeferred]) -> tuple[int, ...]:
        within = [feed for feed in later if feed.until <= self._give_up_at]
        if len(within) < len(later):
            self._leave(len(later) - len(within), detail="the site asked for more time")
        if within:
            await self._wait_until(min(feed.until for feed in within))
        return tuple(feed.feed_id for feed in within)

    async def _wait_until(self, until: datetime) -> None:
        self._update(waiting_until=until)
        await workflow.sleep(max(until - workflow.now(), timedelta(seconds=1)))
        if self._progress.waiting_until == until:
            self._update(waiting_until=None)

    def _leave(self, count: int, *, detail: str) -> None:
        self._update(left=self._progress.left + count, detail=detail)

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)
