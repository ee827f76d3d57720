from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import IngestionActivities
from feedmill.contracts.workflows import SingleFeedIngestion
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedPolled, PollFeeds, PollOutcome
from feedmill.models.runs import FeedIngested, IngestFeed, IngestionProgress

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.handing_over import hand_over
    from feedmill_orchestrator.workflows.pipeline import Pipeline
    from feedmill_orchestrator.workflows.progress import after_poll


@workflow.defn(name="SingleFeedIngestion")
class SingleFeedIngestionWorkflow(Describable, SingleFeedIngestion):
    @workflow.init
    def __init__(self, request: IngestFeed) -> None:
        self._pipeline = Pipeline(IngestionProgress(feed_id=request.feed_id), request)

    @workflow.run
    async def run(self, request: IngestFeed) -> FeedIngested:
        with saying_what_was_done(self.get_progress):
            await self._ingest(PollFeeds(feed_ids=(request.feed_id,), asked_at=workflow.now()))
        await hand_over(self._pipeline.to_be_tried)
        progress = self._pipeline.finish()
        workflow.logger.info(
            "feed ingested", extra=progress.model_dump(mode="json", by_alias=False)
        )
        return FeedIngested(progress=progress)

    @workflow.update
    def refresh(  # type: ignore[override]  # the SDK types an update by its own class
        self,
        request: IngestFeed,  # noqa: ARG002 - what was validated
    ) -> IngestionProgress:
        return self._pipeline.progress

    @refresh.validator
    def _validate_refresh(self, request: IngestFeed) -> None:
        ours = self._pipeline.progress.feed_id
        if request.feed_id != ours:
            raise ValueError(f"this run refreshes feed {ours}, not {request.feed_id}")

    @workflow.query
    def get_progress(self) -> IngestionProgress:
        return self._pipeline.progress

    async def _ingest(self, request: PollFeeds) -> None:
        polled = await self._poll(request)
        self._pipeline.progress = after_poll(self._pipeline.progress, polled)
        if isinstance(polled, FeedPolled | FeedFailed):
            await self._pipeline.take(polled.waiting_entry_ids)

    async def _poll(self, request: PollFeeds) -> PollOutcome:
        while True:
            polled = await workflow.execute_activity_method(
                IngestionActivities.poll_feeds, request, **options.POLL_FEEDS
            )
            outcome = polled.outcomes[0]
            if not isinstance(outcome, FeedDeferred) or outcome.until > self._pipeline.give_up_at:
                return outcome
            await self._pipeline.wait_until(outcome.until)
