from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from feedmill.contracts import options
from feedmill.contracts.activities import HandOverActivities
from feedmill.contracts.workflows import ScheduleFetch
from feedmill.models.runs import BatchFetched, EntriesProgress, FetchBatch, RunStep
from feedmill.models.upkeep import JoinDomains

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.handing_over import hand_over
    from feedmill_orchestrator.workflows.pipeline import Pipeline


@workflow.defn(name="ScheduleFetch")
class ScheduleFetchWorkflow(Describable, ScheduleFetch):
    @workflow.init
    def __init__(self, request: FetchBatch) -> None:
        progress = EntriesProgress(step=RunStep.FETCHING, total=len(request.entry_ids))
        # Somebody waits for what is fetched again, and nobody for what is new.
        self._pipeline = Pipeline(
            progress,
            request,
            hand_over=self._join_domains if request.again_since is None else None,
            is_patient=request.again_since is None,
            again_since=request.again_since,
        )

    @workflow.run
    async def run(self, request: FetchBatch) -> BatchFetched:
        with saying_what_was_done(self.get_progress):
            await self._pipeline.take(request.entry_ids)
        await hand_over(self._pipeline.to_be_tried)
        progress = self._pipeline.finish()
        workflow.logger.info(
            "batch fetched", extra=progress.model_dump(mode="json", by_alias=False)
        )
        return BatchFetched(progress=progress)

    @workflow.query
    def get_progress(self) -> EntriesProgress:
        return self._pipeline.progress

    async def _join_domains(self, entry_ids: tuple[int, ...]) -> tuple[int, ...]:
        """Let entries wait where their host's queue is; who cannot join waits here."""
        try:
            joined = await workflow.execute_activity_method(
                HandOverActivities.join_domains,
                JoinDomains(entry_ids=entry_ids),
                **options.JOIN_DOMAINS,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("domains not joined", extra={"error": str(error.cause)})
            return ()
        return joined.entry_ids
