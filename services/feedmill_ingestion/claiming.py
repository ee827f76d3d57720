"""Which of the feeds that are due are polled now: as many as their hosts may be asked."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from feedmill.models.feeds import FeedToPoll
from feedmill.models.hosts import Admitted, HostLimit, NotYet, Place
from feedmill.store import Transaction
from feedmill.store.feeds import DueFeed

# Feeds looked at for each one wanted: enough to find many hosts among them.
_LOOK_AHEAD = 4


class Claimed(NamedTuple):
    """A feed that is ours to poll at once, and its place at the host."""

    feed: FeedToPoll
    place: Place


class Plan(NamedTuple):
    """What becomes of the feeds of some hosts: these now, each with its place; those later."""

    now: dict[int, Place]
    later: dict[int, datetime]


async def claim_due(
    tx: Transaction,
    limit_of: Callable[[str], HostLimit],
    *,
    owner: str,
    shard: int,
    shards: int,
    most: int,
) -> list[Claimed]:
    """Make at most `most` due feeds ours, each with a place at its host.

    Feeds of a host that has no more places are due again one after the other, as their turns come:
    so a host's long queue never stands before other hosts' short ones.
    """
    due = await tx.feeds.lock_due(shard=shard, shards=shards, limit=most * _LOOK_AHEAD)
    queues = first_hosts(due, limit_of, most)
    answers = await tx.hosts.reserve({limit: len(queue) for limit, queue in queues.items()})
    plan = plan_hosts({limit.host: queue for limit, queue in queues.items()}, answers)
    await tx.feeds.postpone(plan.later)
    await tx.feeds.lease([*plan.now], owner)
    claimed = await tx.feeds.get([*plan.now])
    return [Claimed(claimed[feed_id], place) for feed_id, place in plan.now.items()]


def first_hosts(
    due: Sequence[DueFeed], limit_of: Callable[[str], HostLimit], most: int
) -> dict[HostLimit, list[DueFeed]]:
    """Return the due feeds of the first `most` hosts among them, each host's in order."""
    queues: defaultdict[HostLimit, list[DueFeed]] = defaultdict(list)
    for feed in due:
        limit = limit_of(feed.url)
        if limit in queues or len(queues) < most:
            queues[limit].append(feed)
    return dict(queues)


def plan_hosts(
    queues: Mapping[str, Sequence[DueFeed]], answers: Mapping[str, Admitted | NotYet]
) -> Plan:
    """Return which feeds are polled now, and when the others come back: a spacing apart."""
    plan = Plan({}, {})
    for host, queue in queues.items():
        answer = answers[host]
        places = answer.places if isinstance(answer, Admitted) else ()
        for feed, place in zip(queue, places, strict=False):
            plan.now[feed.id] = place
        for turn, feed in enumerate(queue[len(places) :]):
            plan.later[feed.id] = answer.turn(turn)
    return plan
