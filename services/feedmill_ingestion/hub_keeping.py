"""The activities about hubs: asking them, and reading what they send."""

from temporalio import activity

from feedmill.contracts.activities import HubActivities
from feedmill.isolation import IsolatedPool
from feedmill.models.hubs import HubsTended, PushesTaken, TakePushes, TendHubs
from feedmill.store import Store
from feedmill.worker import attempt_key, heartbeating
from feedmill_ingestion.scheduling import Pace
from feedmill_ingestion.taking import PushTaker
from feedmill_ingestion.tending import HubTender


class HubKeeper(HubActivities):
    """Serves `TaskQueue.INGESTION`.

    Parameters
    ----------
    tender
        None where no hub can reach us: then none is asked.
    """

    def __init__(
        self, store: Store, parsers: IsolatedPool, pace: Pace, tender: HubTender | None
    ) -> None:
        self._store = store
        self._parsers = parsers
        self._pace = pace
        self._tender = tender

    @activity.defn
    async def tend_hubs(self, request: TendHubs) -> HubsTended:
        if self._tender is None:
            return HubsTended()
        async with heartbeating():
            return await self._tender.tend(request)

    @activity.defn
    async def take_pushes(self, request: TakePushes) -> PushesTaken:
        taker = PushTaker(
            self._store,
            self._parsers,
            self._pace,
            owner=attempt_key(),
            stopping=activity.is_worker_shutdown,
        )
        async with heartbeating():
            if activity.info().attempt > 1:
                await taker.take_up()
            return await taker.take(request)
