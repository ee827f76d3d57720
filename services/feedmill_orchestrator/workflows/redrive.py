from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.activities import RedriveActivities
from feedmill.contracts.workflows import Redrive
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import (
    CountDeadEnds,
    EndedRedriven,
    RedriveEnded,
    RedriveProgress,
    RedriveSlice,
    SliceRedriven,
)

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.describing import Describable, saying_what_was_done
    from feedmill_orchestrator.workflows.handing_over import take_up_again

# A run of its own stays small enough to be read by a person.
_BATCH_ENTRIES = 500


@workflow.defn(name="Redrive")
class RedriveWorkflow(Describable, Redrive):
    @workflow.init
    def __init__(self, request: RedriveEnded) -> None:
        self._progress = RedriveProgress()
        self._which = {"feed_id": request.feed_id, "host": request.host}

    @workflow.run
    async def run(self, request: RedriveEnded) -> EndedRedriven:
        with saying_what_was_done(self.get_progress):
            counted = await workflow.execute_activity_method(
                RedriveActivities.count_dead_ends,
                CountDeadEnds.model_validate(self._which),
                **options.COUNT_DEAD_ENDS,
            )
            self._progress = RedriveProgress(ends=counted.ends)
            if request.reason is not None and not request.is_dry_run:
                await self._redrive(request.reason, request.most)
        return EndedRedriven(progress=self._progress)

    @workflow.query
    def get_progress(self) -> RedriveProgress:
        return self._progress

    async def _redrive(self, reason: Reason, most: int) -> None:
        # By number, so that who ends the same way again meanwhile is not taken back for ever.
        after, left, batches = 0, most, 0
        while left > 0:
            limit = min(left, _BATCH_ENTRIES)
            batch = f"redrive-{workflow.info().run_id}-{batches}"
            slice_ = await self._take_back(reason, batch, after=after, limit=limit)
            await take_up_again(batch, new=slice_.new_entry_ids, fetched=slice_.fetched_entry_ids)
            if len(slice_.entry_ids) < limit:
                return
            after, left, batches = slice_.entry_ids[-1], left - limit, batches + 1

    async def _take_back(
        self, reason: Reason, batch: str, *, after: int, limit: int
    ) -> SliceRedriven:
        request = {"reason": reason, "batch": batch, "after_entry_id": after, "limit": limit}
        slice_ = await workflow.execute_activity_method(
            RedriveActivities.redrive_slice,
            RedriveSlice.model_validate({**self._which, **request}),
            **options.REDRIVE_SLICE,
        )
        self._progress = self._progress.model_copy(
            update={
                "to_fetch": self._progress.to_fetch + len(slice_.new_entry_ids),
                "to_distill": self._progress.to_distill + len(slice_.fetched_entry_ids),
            }
        )
        return slice_
