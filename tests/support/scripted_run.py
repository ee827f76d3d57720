"""Plays the orchestrator's workflow: a test says how far it has come, and how it ends."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from feedmill.contracts.workflows import SingleFeedIngestion
from feedmill.models.runs import FeedIngested, IngestFeed, IngestionProgress


@workflow.defn(name="SingleFeedIngestion")
class ScriptedRun(SingleFeedIngestion):
    @workflow.init
    def __init__(self, request: IngestFeed) -> None:
        self._progress = IngestionProgress(feed_id=request.feed_id)
        self._over = False
        self._failure = ""

    @workflow.run
    async def run(self, request: IngestFeed) -> FeedIngested:
        await workflow.wait_condition(lambda: self._over)
        if self._failure:
            raise ApplicationError(self._failure, non_retryable=True)
        return FeedIngested(progress=self._progress)

    @workflow.update
    def refresh(self, request: IngestFeed) -> IngestionProgress:
        return self._progress

    @workflow.query
    def get_progress(self) -> IngestionProgress:
        return self._progress

    @workflow.signal
    def come_to(self, progress: IngestionProgress) -> None:
        self._progress = progress

    @workflow.signal
    def finish(self) -> None:
        self._over = True

    @workflow.signal
    def fail(self, message: str) -> None:
        self._failure, self._over = message, True
