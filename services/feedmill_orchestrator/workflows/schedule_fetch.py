from temporalio import workflow

from feedmill.contracts.workflows import ScheduleFetch
from feedmill.models.runs import BatchFetched, EntriesProgress, FetchBatch, RunStep

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.handing_over import hand_over
    from feedmill_orchestrator.workflows.pipeline import Pipeline


@workflow.defn(name="ScheduleFetch")
class ScheduleFetchWorkflow(ScheduleFetch):
    @workflow.init
    def __init__(self, request: FetchBatch) -> None:
        progress = EntriesProgress(step=RunStep.FETCHING, total=len(request.entry_ids))
        # Somebody waits for what is fetched again, and nobody for what is new.
        self._pipeline = Pipeline(
            progress,
            request,
            is_patient=request.again_since is None,
            again_since=request.again_since,
        )

    @workflow.run
    async def run(self, request: FetchBatch) -> BatchFetched:
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
