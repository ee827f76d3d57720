from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import UpkeepActivities
from feedmill.contracts.workflows import PruneEntries
from feedmill.models.upkeep import ForgetOld, OldForgotten, PruneSlice, SlicePruned

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable


@workflow.defn(name="PruneEntries")
class PruneEntriesWorkflow(Describable, PruneEntries):
    @workflow.run
    async def run(self, request: ForgetOld) -> OldForgotten:
        if not request.keep_days:
            return OldForgotten()
        pruned = request.pruned
        after: int | None = request.after_entry_id
        for _ in range(request.slices):
            if after is None:
                break
            slice_ = await self._prune(request, after)
            pruned, after = pruned + slice_.pruned, slice_.next_after
        if after is not None:
            workflow.continue_as_new(
                request.model_copy(update={"pruned": pruned, "after_entry_id": after})
            )
        return OldForgotten(pruned=pruned)

    async def _prune(self, request: ForgetOld, after: int) -> SlicePruned:
        return await workflow.execute_activity_method(
            UpkeepActivities.prune_slice,
            PruneSlice(
                keep_days=request.keep_days, keep_newest=request.keep_newest, after_entry_id=after
            ),
            **options.PRUNE_SLICE,
        )
