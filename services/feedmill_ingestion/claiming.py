"""Which of the feeds that are due are polled now: as many as their hosts may be asked."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from feedmill.models.base import Model
from feedmill.models.feeds import FeedToPoll
from feedmill.models.hosts import Admitted, HostLimit, NotYet, Place
from feedmill.store import Transaction

# Feeds looked at for each one wanted: enough to find many hosts among them.
_LOOK_AHEAD = 4


class Claimed(Model):
    """A feed that is ours to poll at once, and its place at the host."""

    feed: FeedToPoll
    place: Place


class Plan(Model):
    """What becomes of the feeds of some hosts: these now, those later."""

    claimed: tuple[Claimed, ...] = ()
    later: Mapping[int, datetime] = {}


async def claim_due(
    tx: Transaction,
    limit_of: Callable[[str], HostLimit],
    *,
    owner: str,
    shard: int,
    shards: int,
    most: int,
) -> Sequence[Claimed]:
    """Make at most `most` due feeds ours, each with a place at its host.

    Feeds of a host that has no more places are due again one after the other, as their turns come:
    so a host's long queue never stands before other hosts' short ones.
    """
    due = await tx.feeds.lock_due(shard=shard, shards=shards, limit=most * _LOOK_AHEAD)
    queues = first_hosts(due, limit_of, most)
    answers = await tx.hosts.reserve({limit: len(queue) for limit, queue in queues.items()})
    plan = plan_hosts({limit.host: queue for limit, queue in queues.items()}, answers)
    await tx.feeds.postpone(plan.later)
    await tx.feeds.lease([each.feed.id for each in plan.claimed], owner)
    return plan.claimed


def first_hosts(
    due: Sequence[FeedToPoll], limit_of: Callable[[str], HostLimit], most: int
) -> dict[HostLimit, list[FeedToPoll]]:
    """Return the due feeds of the first `most` hosts among them, each host's in order."""
    queues: defaultdict[HostLimit, list[FeedToPoll]] = defaultdict(list)
    for feed in due:
        limit = limit_of(feed.url)
        if limit in queues or len(queues) < most:
            queues[limit].append(feed)
    return dict(queues)


def plan_hosts(
    queues: Mapping[str, Sequence[FeedToPoll]], answers: Mapping[str, Admitted | NotYet]
) -> Plan:
    """Return which feeds are polled now, and when the others come back: a spacing apart."""
    claimed: list[Claimed] = []
    later: dict[int, datetime] = {}
    for host, queue in queues.items():
        answer = answers[host]
        places = answer.places if isinstance(answer, Admitted) else ()
        claimed += [
            Claimed(feed=feed, place=place) for feed, place in zip(queue, places, strict=False)
        ]
        rest = queue[len(places) :]
        later |= {feed.id: answer.turn(turn) for turn, feed in enumerate(rest)}
    return Plan(claimed=tuple(claimed), later=later)
