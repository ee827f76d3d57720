from temporalio import workflow
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType

from feedmill.contracts import options
from feedmill.contracts.activities import SubscriptionActivities
from feedmill.contracts.workflows import SingleFeedIngestion, SubscribeFeed, feed_ingestion_id
from feedmill.models.runs import IngestFeed, IngestionProgress
from feedmill.models.subscribing import (
    NO_FEED,
    AddFeed,
    FeedSubscribed,
    FeedValidated,
    FollowFeed,
    SubscribeProgress,
    SubscribeStep,
    SubscribeToFeed,
    UndoneBy,
    ValidateFeed,
)

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable
    from feedmill_orchestrator.workflows.saga import Saga


@workflow.defn(name="SubscribeFeed")
class SubscribeFeedWorkflow(Describable, SubscribeFeed):
    @workflow.init
    def __init__(self, request: SubscribeToFeed) -> None:
        self._progress = SubscribeProgress()
        self._saga: Saga[SubscribeStep] = Saga()
        self._by = UndoneBy(user_id=request.user_id, by=f"subscribe/{workflow.info().run_id}")

    @workflow.run
    async def run(self, request: SubscribeToFeed) -> FeedSubscribed:
        try:
            ended = await self._subscribe(request)
        except BaseException:
            await self._undo()
            raise
        if ended.reason is not None:
            await self._undo()
            return ended.model_copy(update={"feed_id": None, "undone": self._progress.undone})
        self._update(step=SubscribeStep.DONE)
        return ended

    @workflow.query
    def get_progress(self) -> SubscribeProgress:
        return self._progress

    async def _subscribe(self, request: SubscribeToFeed) -> FeedSubscribed:
        validated = await self._validate(request.url)
        if validated.reason is not None:
            return FeedSubscribed(reason=validated.reason, detail=validated.detail)
        feed_id = await self._add(validated.url)
        await self._follow(feed_id)
        ingested = await self._ingest(feed_id)
        if ingested.reason in NO_FEED:
            return FeedSubscribed(reason=ingested.reason, detail=ingested.detail)
        return FeedSubscribed(feed_id=feed_id)

    async def _validate(self, url: str) -> FeedValidated:
        return await workflow.execute_activity_method(
            SubscriptionActivities.validate_feed, ValidateFeed(url=url), **options.VALIDATE_FEED
        )

    async def _add(self, url: str) -> int:
        self._update(step=SubscribeStep.ADDING)
        self._saga.about_to(SubscribeStep.ADDING, self._undo_add)
        added = await workflow.execute_activity_method(
            SubscriptionActivities.add_feed, AddFeed(url=url, by=self._by.by), **options.ADD_FEED
        )
        return added.feed_id

    async def _follow(self, feed_id: int) -> None:
        self._update(step=SubscribeStep.SUBSCRIBING, feed_id=feed_id)
        self._saga.about_to(SubscribeStep.SUBSCRIBING, self._undo_follow)
        await workflow.execute_activity_method(
            SubscriptionActivities.follow_feed,
            FollowFeed(feed_id=feed_id, **self._by.model_dump()),
            **options.FOLLOW_FEED,
        )

    async def _ingest(self, feed_id: int) -> IngestionProgress:
        """Take the feed the whole way; it is ended with us, and leaves what it has stored."""
        self._update(step=SubscribeStep.INGESTING)
        try:
            ingested = await workflow.execute_child_workflow(
                SingleFeedIngestion.run,
                IngestFeed(feed_id=feed_id),
                id=feed_ingestion_id(feed_id),
                priority=options.INTERACTIVE,
                cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except WorkflowAlreadyStartedError:
            # Somebody else's run of the same feed does it, and is no business of ours.
            return IngestionProgress(feed_id=feed_id)
        return ingested.progress

    async def _undo(self) -> None:
        self._update(step=SubscribeStep.UNDOING)
        await self._saga.undo()
        self._update(undone=self._saga.undone)

    async def _undo_add(self) -> bool:
        undone = await workflow.execute_activity_method(
            SubscriptionActivities.undo_add_feed, self._by, **options.UNDO_ADD_FEED
        )
        return undone.changed

    async def _undo_follow(self) -> bool:
        undone = await workflow.execute_activity_method(
            SubscriptionActivities.undo_follow, self._by, **options.UNDO_FOLLOW
        )
        return undone.changed

    def _update(self, **changes: object) -> None:
        self._progress = self._progress.model_copy(update=changes)
