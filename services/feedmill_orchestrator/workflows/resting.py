"""For how long a shard rests between two rounds. Pure."""

from datetime import datetime, timedelta

from feedmill.models.feeds import DueFeedsPolled
from feedmill.models.runs import TendShard

# Feeds that wait for a turn at their host come back one after the other: the next is at hand.
_AT_HAND = timedelta(seconds=15)


def rest_until(polled: DueFeedsPolled, request: TendShard, *, now: datetime) -> datetime:
    """Return when the next round begins: when a feed is due, and neither too soon nor too late.

    A round that was cut short goes on when the next feed is due, be that at once.
    """
    soonest = now + timedelta(seconds=request.rest_seconds)
    latest = now + timedelta(seconds=request.longest_rest_seconds)
    if polled.next_due_at is None:
        return latest
    if polled.next_due_at <= now + _AT_HAND:
        return max(polled.next_due_at, now)
    return min(max(polled.next_due_at, soonest), latest)
