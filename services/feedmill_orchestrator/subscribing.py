"""The steps of following a feed, and how each is undone."""

from collections.abc import Sequence
from datetime import timedelta

from temporalio import activity

from feedmill.config import Network
from feedmill.contracts.activities import SubscriptionActivities
from feedmill.errors import UrlRefusedError
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.outcomes import Reason
from feedmill.models.subscribing import (
    AddFeed,
    FeedAddedBy,
    FeedFollowed,
    FeedValidated,
    FollowFeed,
    StepUndone,
    UndoneBy,
    ValidateFeed,
)
from feedmill.store import Store
from feedmill.web.addresses import check_url
from feedmill.worker import current_run, heartbeating

# Postgres cannot index much more, and no feed needs it.
_URL_CHARACTERS = 2_000
# The run polls a new feed itself; should it not come to that, the shard's turn comes.
_RUNS_OWN = timedelta(minutes=2)


class Subscriber(SubscriptionActivities):
    """Serves `TaskQueue.ORCHESTRATION`."""

    def __init__(self, store: Store, networks: Sequence[Network] = ()) -> None:
        self._store = store
        self._networks = networks

    @activity.defn
    async def validate_feed(self, request: ValidateFeed) -> FeedValidated:
        try:
            url = check_url(request.url.strip(), self._networks)
        except UrlRefusedError as error:
            return FeedValidated(url=request.url, reason=Reason(error.reason), detail=str(error))
        if len(url) > _URL_CHARACTERS:
            detail = "The address is too long."
            return FeedValidated(url=url[:100], reason=Reason.URL_INVALID, detail=detail)
        return FeedValidated(url=url)

    @activity.defn
    async def add_feed(self, request: AddFeed) -> FeedAddedBy:
        async with heartbeating(), self._store.transaction() as tx:
            feed_id = await tx.subscribing.add_feed(
                request.url, request.by, first_poll_in=_RUNS_OWN
            )
        return FeedAddedBy(feed_id=feed_id)

    @activity.defn
    async def follow_feed(self, request: FollowFeed) -> FeedFollowed:
        async with heartbeating(), self._store.transaction() as tx:
            new = await tx.subscribing.follow(request.user_id, request.feed_id, request.by)
            if new:
                tx.events.append(_event(EventKind.FEED_ADDED, request.feed_id))
        return FeedFollowed(new=new)

    @activity.defn
    async def undo_follow(self, request: UndoneBy) -> StepUndone:
        async with heartbeating(), self._store.transaction() as tx:
            left = await tx.subscribing.undo_follow(request.user_id, request.by)
            tx.events.append(*(_event(EventKind.FEED_REMOVED, feed_id) for feed_id in left))
        return StepUndone(changed=bool(left))

    @activity.defn
    async def undo_add_feed(self, request: UndoneBy) -> StepUndone:
        async with heartbeating(), self._store.transaction() as tx:
            forgotten = await tx.subscribing.undo_add_feed(request.by)
        return StepUndone(changed=bool(forgotten))


def _event(kind: EventKind, feed_id: int) -> NewEvent:
    return NewEvent(kind=kind, feed_id=feed_id, run=current_run())
