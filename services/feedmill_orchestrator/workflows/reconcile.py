from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import UpkeepActivities
from feedmill.contracts.workflows import Reconcile
from feedmill.models.upkeep import PickUpStalled, RepairStages, StagesRepaired

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable
    from feedmill_orchestrator.workflows.handing_over import take_up_again


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
        await take_up_again(batch, new=found.new_entry_ids, fetched=found.fetched_entry_ids)
        picked_up = len(found.new_entry_ids) + len(found.fetched_entry_ids)
        return StagesRepaired(picked_up=picked_up, left=found.left)
