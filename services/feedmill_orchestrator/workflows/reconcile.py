from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from feedmill.contracts import options
from feedmill.contracts.activities import UpkeepActivities
from feedmill.contracts.workflows import (
    ContentDistillation,
    Reconcile,
    ScheduleFetch,
    content_distillation_id,
    schedule_fetch_id,
)
from feedmill.models.runs import DistillBatch, FetchBatch
from feedmill.models.upkeep import PickUpStalled, RepairStages, StagesRepaired

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable


@workflow.defn(name="Reconcile")
class ReconcileWorkflow(Describable, Reconcile):
    @workflow.run
    async def run(self, request: RepairStages) -> StagesRepaired:
        batch = f"reconcile-{workflow.info().run_id}"
        found = await workflow.execute_activity_method(
            UpkeepActivities.pick_up_stalled,
            PickUpStalled(
                batch=batch,
                stalled_after_seconds=request.stalled_after_seconds,
                most=request.most,
            ),
            **options.PICK_UP_STALLED,
        )
        await self._fetch(batch, found.new_entry_ids)
        await self._distill(batch, found.fetched_entry_ids)
        picked_up = len(found.new_entry_ids) + len(found.fetched_entry_ids)
        return StagesRepaired(picked_up=picked_up, left=found.left)

    async def _fetch(self, batch: str, entry_ids: tuple[int, ...]) -> None:
        if entry_ids:
            await workflow.start_child_workflow(
                ScheduleFetch.run,
                FetchBatch(entry_ids=entry_ids),
                id=schedule_fetch_id(batch),
                parent_close_policy=ParentClosePolicy.ABANDON,
            )

    async def _distill(self, batch: str, entry_ids: tuple[int, ...]) -> None:
        if entry_ids:
            await workflow.start_child_workflow(
                ContentDistillation.run,
                DistillBatch(entry_ids=entry_ids),
                id=content_distillation_id(batch),
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
