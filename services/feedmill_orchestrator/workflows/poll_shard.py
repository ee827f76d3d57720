import asyncio
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

from feedmill.contracts import options
from feedmill.contracts.activities import HubActivities, IngestionActivities
from feedmill.contracts.workflows import PollShard
from feedmill.models.feeds import DueFeedsPolled, PollDueFeeds
from feedmill.models.hubs import HubsTended, PushesTaken, TakePushes, TendHubs
from feedmill.models.runs import ShardProgress, TendShard

with workflow.unsafe.imports_passed_through():
    from feedmill_orchestrator.workflows.chores import Chore
    from feedmill_orchestrator.workflows.describing import Describable
    from feedmill_orchestrator.workflows.handing_over import hand_over
    from feedmill_orchestrator.workflows.resting import rest_until


@workflow.defn(name="PollShard")
class PollShardWorkflow(Describable, PollShard):
    @workflow.init
    def __init__(self, request: TendShard) -> None:
        self._progress = ShardProgress(paused=request.paused)
        self._is_woken = False
        self._is_paused = request.paused
        # Pushes do not wait for polls, nor polls for hubs that take their time.
        self._pushes = Chore()
        self._hubs = Chore()

    @workflow.run
    async def run(self, request: TendShard) -> None:
        beside = (
            asyncio.create_task(self._pushes.keep_doing(lambda: self._take_pushes(request))),
            asyncio.create_task(self._hubs.keep_doing(lambda: self._tend_hubs(request))),
        )
        while not self._is_long_enough(request):
            await workflow.wait_condition(lambda: not self._is_paused)
            polled = await self._poll(request)
            await self._hand_over(polled.new_entry_ids)
            self._pushes.is_wanted |= polled.pushes_waiting > 0
            self._hubs.is_wanted |= polled.hubs_to_tend > 0
            await self._rest(rest_until(polled, request, now=workflow.now()))
        # What is wanted from now on, the new history's first round finds.
        self._pushes.is_over = self._hubs.is_over = True
        await asyncio.gather(*beside)
        workflow.continue_as_new(request.model_copy(update={"paused": self._is_paused}))

    @workflow.signal
    async def wake(self) -> None:
        self._is_woken = True

    @workflow.signal
    async def pause(self) -> None:
        self._set_paused(paused=True)

    @workflow.signal
    async def resume(self) -> None:
        self._set_paused(paused=False)
        self._is_woken = True

    @workflow.signal
    async def pushed(self) -> None:
        self._pushes.is_wanted = True

    @workflow.query
    def get_progress(self) -> ShardProgress:
        return self._progress

    def _set_paused(self, *, paused: bool) -> None:
        self._is_paused = paused
        self._progress = self._progress.model_copy(update={"paused": paused})

    async def _may_begin(self, chore: Chore) -> bool:
        """Wait while we are paused; False when the chore is to end instead."""
        await workflow.wait_condition(lambda: chore.is_over or not self._is_paused)
        return not self._is_paused

    def _is_long_enough(self, request: TendShard) -> bool:
        # Somebody who wakes the shard is heard before its history begins anew.
        is_long = self._progress.rounds >= request.rounds
        suggested = workflow.info().is_continue_as_new_suggested()
        return (is_long or suggested) and not self._is_woken

    async def _poll(self, request: TendShard) -> DueFeedsPolled:
        self._is_woken = False
        polled = DueFeedsPolled()
        try:
            polled = await workflow.execute_activity_method(
                IngestionActivities.poll_due_feeds,
                PollDueFeeds(shard=request.shard, shards=request.shards),
                **options.POLL_DUE_FEEDS,
            )
        except ActivityError as error:
            _go_on_after(error, "round given up")
        self._count(rounds=1, polled=polled.polled, failed=polled.failed)
        return polled

    async def _take_pushes(self, request: TendShard) -> bool:
        if not await self._may_begin(self._pushes):
            return False
        taken = PushesTaken()
        try:
            taken = await workflow.execute_activity_method(
                HubActivities.take_pushes,
                TakePushes(shard=request.shard, shards=request.shards),
                **options.TAKE_PUSHES,
            )
        except ActivityError as error:
            _go_on_after(error, "pushes given up")
        self._count(pushes=taken.taken)
        await self._hand_over(taken.new_entry_ids)
        # Feeds whose pushes could not be read are due sooner than the last round has said.
        self._is_woken |= taken.unreadable > 0
        return taken.left > 0

    async def _tend_hubs(self, request: TendShard) -> bool:
        if not await self._may_begin(self._hubs):
            return False
        tended = HubsTended()
        try:
            tended = await workflow.execute_activity_method(
                HubActivities.tend_hubs,
                TendHubs(shard=request.shard, shards=request.shards),
                **options.TEND_HUBS,
            )
        except ActivityError as error:
            _go_on_after(error, "hubs given up")
        self._count(hubs_asked=tended.asked + tended.refused)
        return tended.left > 0

    async def _hand_over(self, entry_ids: tuple[int, ...]) -> None:
        if entry_ids:
            self._count(new_entries=len(entry_ids))
        await hand_over(entry_ids)

    async def _rest(self, until: datetime) -> None:
        self._progress = self._progress.model_copy(update={"resting_until": until})
        rest = max(until - workflow.now(), timedelta(seconds=1))
        with suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._is_woken, timeout=rest)
        self._progress = self._progress.model_copy(update={"resting_until": None})

    def _count(self, **more: int) -> None:
        counts = {name: getattr(self._progress, name) + count for name, count in more.items()}
        self._progress = self._progress.model_copy(update=counts)


def _go_on_after(error: ActivityError, what: str) -> None:
    """Go on when whatever kept an activity from ending for so long is over, unless we are to end."""
    if is_cancelled_exception(error):
        raise error
    workflow.logger.warning(what, extra={"error": str(error.cause or error)})
