from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.workflow import ParentClosePolicy

from feedmill.contracts import options
from feedmill.contracts.activities import IngestionActivities
from feedmill.contracts.workflows import PollShard, ScheduleFetch, schedule_fetch_id
from feedmill.models.feeds import DueFeedsPolled, PollDueFeeds
from feedmill.models.runs import FetchBatch, ShardProgress, TendShard

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.resting import rest_until


@workflow.defn(name="PollShard")
class PollShardWorkflow(PollShard):
    @workflow.init
    def __init__(self, request: TendShard) -> None:  # noqa: ARG002 - given what `run` is given
        self._progress = ShardProgress()
        self._is_woken = False

    @workflow.run
    async def run(self, request: TendShard) -> None:
        while not self._is_long_enough(request):
            polled = await self._poll(request)
            self._progress = _after(self._progress, polled)
            if polled.new_entry_ids:
                await self._hand_over(polled.new_entry_ids)
            await self._rest(rest_until(polled, request, now=workflow.now()))
        workflow.continue_as_new(request)

    @workflow.signal
    async def wake(self) -> None:
        self._is_woken = True

    @workflow.query
    def get_progress(self) -> ShardProgress:
        return self._progress

    def _is_long_enough(self, request: TendShard) -> bool:
        # Somebody who wakes the shard is heard before its history begins anew.
        is_long = self._progress.rounds >= request.rounds
        suggested = workflow.info().is_continue_as_new_suggested()
        return (is_long or suggested) and not self._is_woken

    async def _poll(self, request: TendShard) -> DueFeedsPolled:
        self._is_woken = False
        try:
            return await workflow.execute_activity_method(
                IngestionActivities.poll_due_feeds,
                PollDueFeeds(shard=request.shard, shards=request.shards),
                **options.POLL_DUE_FEEDS,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            # Whatever kept it from ending for so long, the shard goes on when it is over.
            workflow.logger.warning("round given up", extra={"error": str(error.cause or error)})
            return DueFeedsPolled()

    async def _hand_over(self, entry_ids: tuple[int, ...]) -> None:
        """Let a run of their own take new entries the rest of the way, however long it takes."""
        await workflow.start_child_workflow(
            ScheduleFetch.run,
            FetchBatch(entry_ids=entry_ids),
            id=schedule_fetch_id(str(workflow.uuid4())),
            parent_close_policy=ParentClosePolicy.ABANDON,
        )

    async def _rest(self, until: datetime) -> None:
        self._progress = self._progress.model_copy(update={"resting_until": until})
        rest = max(until - workflow.now(), timedelta(seconds=1))
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_woken, timeout=rest)
        self._progress = self._progress.model_copy(update={"resting_until": None})


def _after(progress: ShardProgress, polled: DueFeedsPolled) -> ShardProgress:
    return progress.model_copy(
        update={
            "rounds": progress.rounds + 1,
            "polled": progress.polled + polled.polled,
            "failed": progress.failed + polled.failed,
            "new_entries": progress.new_entries + len(polled.new_entry_ids),
        }
    )
