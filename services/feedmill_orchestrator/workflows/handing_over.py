from collections.abc import Sequence

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from feedmill.contracts.workflows import ScheduleFetch, schedule_fetch_id
from feedmill.models.runs import FetchBatch


async def hand_over(entry_ids: Sequence[int]) -> None:
    """Let a run of their own take entries the rest of the way, however long it takes."""
    if not entry_ids:
        return
    await workflow.start_child_workflow(
        ScheduleFetch.run,
        FetchBatch(entry_ids=tuple(entry_ids)),
        id=schedule_fetch_id(str(workflow.uuid4())),
        parent_close_policy=ParentClosePolicy.ABANDON,
    )
