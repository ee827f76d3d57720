from temporalio import workflow

from feedmill.contracts.options import priority_of
from feedmill.contracts.workflows import ContentDistillation
from feedmill.models.runs import BatchDistilled, DistillBatch, EntriesProgress, RunStep

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.pipeline import Pipeline


@workflow.defn(name="ContentDistillation")
class ContentDistillationWorkflow(Describable, ContentDistillation):
    @workflow.init
    def __init__(self, request: DistillBatch) -> None:
        progress = EntriesProgress(step=RunStep.DISTILLING, total=len(request.entry_ids))
        priority = priority_of(interactive=request.interactive, tenant=request.tenant)
        self._pipeline = Pipeline(progress, request, priority=priority)

    @workflow.run
    async def run(self, request: DistillBatch) -> BatchDistilled:
        with saying_what_was_done(self.get_progress):
            await self._pipeline.distill(request.entry_ids)
        return BatchDistilled(progress=self._pipeline.finish())

    @workflow.query
    def get_progress(self) -> EntriesProgress:
        return self._pipeline.progress
