import asyncio

from temporalio import workflow
from temporalio.workflow import ActivityCancellationType

from feedmill.contracts import options
from feedmill.contracts.activities import ImportActivities
from feedmill.contracts.workflows import ImportSubscriptions
from feedmill.models.lists import FollowListed, ImportEnded, ImportList, ImportProgress

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done


@workflow.defn(name="ImportSubscriptions")
class ImportSubscriptionsWorkflow(Describable, ImportSubscriptions):
    @workflow.init
    def __init__(self, request: ImportList) -> None:
        self._progress = request.progress
        self._asked = True

    @workflow.run
    async def run(self, request: ImportList) -> ImportEnded:
        with saying_what_was_done(self.get_progress):
            while self._asked:
                self._asked = False
                await self._follow_all(request)
        return ImportEnded(progress=self._progress)

    @workflow.signal
    def again(self) -> None:
        self._asked = True

    @workflow.query
    def get_progress(self) -> ImportProgress:
        return self._progress

    async def _follow_all(self, request: ImportList) -> None:
        waiting = True
        while waiting:
            followed = await workflow.execute_activity_method(
                ImportActivities.follow_listed,
                FollowListed(import_id=request.import_id, limit=request.slice_size),
                # What is in hand when it is cancelled is done, or undone, before we say how far it is.
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                **options.FOLLOW_LISTED,
            )
            self._progress = followed.progress
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError
            waiting = followed.progress.waiting > 0
            if waiting and workflow.info().is_continue_as_new_suggested():
                so_far = {"progress": self._progress}
                workflow.continue_as_new(request.model_copy(update=so_far))
