from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import UpkeepActivities
from feedmill.contracts.workflows import Supervise
from feedmill.models.upkeep import KeepShards, ShardsKept

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable


@workflow.defn(name="Supervise")
class SuperviseWorkflow(Describable, Supervise):
    @workflow.run
    async def run(self, request: KeepShards) -> ShardsKept:
        return await workflow.execute_activity_method(
            UpkeepActivities.keep_shards, request, **options.KEEP_SHARDS
        )
