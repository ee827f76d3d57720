from collections.abc import Sequence

from temporalio import workflow
from temporalio.workflow import ParentClosePolicy

from feedmill.contracts import options
from feedmill.contracts.workflows import (
    ContentDistillation,
    ScheduleFetch,
    content_distillation_id,
    schedule_fetch_id,
)
from feedmill.models.runs import DistillBatch, FetchBatch

# Nobody waits for what is taken up again, even if somebody waits to hear how much that was.
_BEHIND = options.priority_of(interactive=False)


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


async def take_up_again(batch: str, *, new: tuple[int, ...], fetched: tuple[int, ...]) -> None:
    """Let the runs of a batch, whose names its entries know, take them on from where they stand."""
    if new:
        await workflow.start_child_workflow(
            ScheduleFetch.run,
            FetchBatch(entry_ids=new),
            id=schedule_fetch_id(batch),
            priority=_BEHIND,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
    if fetched:
        await workflow.start_child_workflow(
            ContentDistillation.run,
            DistillBatch(entry_ids=fetched),
            id=content_distillation_id(batch),
            priority=_BEHIND,
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
