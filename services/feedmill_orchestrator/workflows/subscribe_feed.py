from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ChildWorkflowCancellationType

from feedmill.contracts import options
from feedmill.contracts.activities import SubscriptionActivities
from feedmill.contracts.workflows import (
    NOT_FOLLOWED,
    SUMMARY_CHARACTERS,
    SingleFeedIngestion,
    SubscribeFeed,
    feed_ingestion_id,
)
from feedmill.models.runs import IngestFeed, IngestionProgress
from feedmill.models.subscribing import (
    NO_FEED,
    AddFeed,
    FeedSubscribed,
    FeedValidated,
    FollowFeed,
    FollowingBegun,
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
        self._summary = request.url[:SUMMARY_CHARACTERS]
        self._begun: FollowingBegun | None = None
        self._failed = False

    @workflow.run
    async def run(self, request: SubscribeToFeed) -> FeedSubscribed:
        try:
            ended = await self._subscribe(request)
        except GeneratorExit:
            # No failure: a worker that is gone forgets the run, and whoever goes on with it undoes it.
            raise
        except BaseException:
            await self._undo()
            self._failed = True
            await self._answer_everybody()
            raise
        await self._answer_everybody()
        if ended.reason is not None:
            await self._undo()
            return ended.model_copy(update={"feed_id": None, "undone": self._progress.undone})
        self._update(step=SubscribeStep.DONE)
        return ended

    @workflow.update
    async def followed(self) -> FollowingBegun:  # type: ignore[override]  # as the SDK types updates
        await workflow.wait_condition(lambda: self._begun is not None or self._failed)
        if self._begun is None:
            raise ApplicationError(
                "The feed could not be followed, and what was begun is undone.",
                type=NOT_FOLLOWED,
                non_retryable=True,
            )
        return self._begun

    @workflow.query
    def get_progress(self) -> SubscribeProgress:
        return self._progress

    async def _subscribe(self, request: SubscribeToFeed) -> FeedSubscribed:
        validated = await self._validate(request.url)
        if validated.reason is not None:
            self._begun = FollowingBegun(reason=validated.reason, detail=validated.detail)
            return FeedSubscribed(reason=validated.reason, detail=validated.detail)
        feed_id = await self._add(validated.url)
        await self._follow(feed_id)
        ingested = await self._ingest(feed_id)
        if ingested is not None and ingested.reason in NO_FEED:
            return FeedSubscribed(reason=ingested.reason, detail=ingested.detail, ingested=ingested)
        return FeedSubscribed(feed_id=feed_id, ingested=ingested)

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

    async def _ingest(self, feed_id: int) -> IngestionProgress | None:
        """Take the feed the whole way; it is ended with us, and leaves what it has stored."""
        self._update(step=SubscribeStep.INGESTING)
        try:
            ingestion = await workflow.start_child_workflow(
                SingleFeedIngestion.run,
                IngestFeed(feed_id=feed_id),
                id=feed_ingestion_id(feed_id),
                priority=options.INTERACTIVE,
                cancellation_type=ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
                static_summary=self._summary,
            )
        except WorkflowAlreadyStartedError:
            # Somebody else's run of the same feed does it, and is no business of ours.
            self._begun = FollowingBegun(feed_id=feed_id)
            return None
        self._begun = FollowingBegun(
            feed_id=feed_id, ingestion_run_id=ingestion.first_execution_run_id
        )
        return (await ingestion).progress

    async def _answer_everybody(self) -> None:
        """Let nobody who asked go without an answer."""
        await workflow.wait_condition(workflow.all_handlers_finished)

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
