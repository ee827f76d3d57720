"""The activities: polling feeds that somebody asks for, and feeds that are due."""

from datetime import datetime, timedelta

from temporalio import activity

from feedmill.contracts.activities import IngestionActivities
from feedmill.models.feeds import (
    DueFeedsPolled,
    FeedDeferred,
    FeedFailed,
    FeedLink,
    FeedMissing,
    FeedPolled,
    FeedsPolled,
    FeedToPoll,
    PollDueFeeds,
    PollFeeds,
    PollOutcome,
)
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.web.governor import Governor
from feedmill.worker import attempt_key, current_run, heartbeating, in_parallel
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.polls import Found, Postponed
from feedmill_ingestion.recording import Recorder
from feedmill_ingestion.rounds import Round
from feedmill_ingestion.scheduling import Pace

_FEEDS_AT_ONCE = 16
# How soon to look again at a feed that somebody else is asking right now.
_OTHERS_TURN = timedelta(seconds=5)


class Poller(IngestionActivities):
    """Serves `TaskQueue.INGESTION`.

    Parameters
    ----------
    asks_hubs
        Whether hubs are asked for news; else nobody is told that some are to be.
    """

    def __init__(
        self,
        store: Store,
        governor: Governor,
        asker: Asker,
        pace: Pace,
        *,
        asks_hubs: bool = False,
    ) -> None:
        self._asks_hubs = asks_hubs
        self._store = store
        self._governor = governor
        self._asker = asker
        self._pace = pace
        self._recorder = Recorder(store, pace)

    @activity.defn
    async def poll_feeds(self, request: PollFeeds) -> FeedsPolled:
        owner = attempt_key()
        feed_ids = tuple(dict.fromkeys(request.feed_ids))
        async with heartbeating():
            async with self._store.transaction() as tx:
                leased = frozenset(await tx.feeds.lease(feed_ids, owner))
                known = await tx.feeds.get(feed_ids)
                now = await tx.now()

            async def poll(feed_id: int) -> PollOutcome:
                if feed_id not in known:
                    return FeedMissing(feed_id=feed_id)
                if feed_id not in leased:
                    return FeedDeferred(feed_id=feed_id, until=now + _OTHERS_TURN)
                return await self._poll(known[feed_id], request.asked_at, now, owner)

            outcomes = await in_parallel(poll, feed_ids, at_once=_FEEDS_AT_ONCE)
        return FeedsPolled(outcomes=tuple(outcomes))

    @activity.defn
    async def poll_due_feeds(self, request: PollDueFeeds) -> DueFeedsPolled:
        due = Round(
            self._store,
            self._governor,
            self._asker,
            self._recorder,
            owner=attempt_key(),
            stopping=activity.is_worker_shutdown,
            asks_hubs=self._asks_hubs,
        )
        async with heartbeating():
            if activity.info().attempt > 1:
                await due.take_up()
            return await due.run(request)

    async def _poll(
        self, feed: FeedToPoll, asked_at: datetime, now: datetime, owner: str
    ) -> PollOutcome:
        if self._is_too_soon(feed, asked_at, now):
            async with self._store.transaction() as tx:
                await tx.feeds.release([feed.id], owner)
            return await self._outcome(feed)
        with spans.span("poll feed", {"feedmill.feed_id": feed.id}):
            poll = await self._asker.ask(feed, self._governor.slot)
            recorded = await self._recorder.record(feed, poll, place=None, run=current_run())
        if recorded.feed is None:
            return FeedMissing(feed_id=feed.id)
        if isinstance(poll, Postponed) and not recorded.overtaken:
            return FeedDeferred(feed_id=feed.id, until=poll.until)
        found = (poll.link, *poll.others) if isinstance(poll, Found) else ()
        return await self._outcome(recorded.feed, found)

    def _is_too_soon(self, feed: FeedToPoll, asked_at: datetime, now: datetime) -> bool:
        """Tell whether a feed has been asked since, or so recently that it need not be again."""
        if feed.last_polled_at is None:
            return False
        return feed.last_polled_at >= asked_at or now - feed.last_polled_at < self._pace.refresh

    async def _outcome(self, feed: FeedToPoll, found: tuple[FeedLink, ...] = ()) -> PollOutcome:
        """Return what a feed's last poll came to, and which of its entries wait."""
        async with self._store.transaction() as tx:
            waiting = (await tx.entries.waiting([feed.id]))[feed.id]
        if feed.last_reason is None:
            return FeedPolled(feed_id=feed.id, waiting_entry_ids=waiting, found=found)
        return FeedFailed(
            feed_id=feed.id,
            reason=feed.last_reason,
            detail=feed.last_detail,
            waiting_entry_ids=waiting,
        )
