from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import ReextractionActivities
from feedmill.contracts.workflows import Reextract
from feedmill.models.reextraction import (
    PagesReextracted,
    Reextracted,
    ReextractionProgress,
    ReextractKept,
    ReextractPages,
)

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.handing_over import hand_over


@workflow.defn(name="Reextract")
class ReextractWorkflow(Describable, Reextract):
    @workflow.init
    def __init__(self, request: ReextractKept) -> None:
        self._progress = request.progress

    @workflow.run
    async def run(self, request: ReextractKept) -> Reextracted:
        with saying_what_was_done(self.get_progress):
            await self._reextract_all(request)
        self._progress = self._progress.model_copy(update={"done": True})
        return Reextracted(progress=self._progress)

    @workflow.query
    def get_progress(self) -> ReextractionProgress:
        return self._progress

    async def _reextract_all(self, request: ReextractKept) -> None:
        after: int | None = request.after
        while after is not None:
            reextracted = await self._reextract(request, after)
            self._count(reextracted)
            await hand_over(reextracted.to_distill)
            after = reextracted.last
            if after is not None and workflow.info().is_continue_as_new_suggested():
                so_far = {"after": after, "progress": self._progress}
                workflow.continue_as_new(request.model_copy(update=so_far))

    async def _reextract(self, request: ReextractKept, after: int) -> PagesReextracted:
        return await workflow.execute_activity_method(
            ReextractionActivities.reextract_pages,
            ReextractPages(feed_id=request.feed_id, since=request.since, after=after),
            **options.REEXTRACT_PAGES,
        )

    def _count(self, slice_: PagesReextracted) -> None:
        before = self._progress
        self._progress = ReextractionProgress(
            total=before.examined + slice_.kept,
            examined=before.examined + slice_.examined,
            changed=before.changed + slice_.changed,
            failed=before.failed + slice_.failed,
        )
