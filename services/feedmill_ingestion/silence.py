"""Hubs that promise to push a feed's news, and keep silent about them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from feedmill.models.feeds import FeedToPoll
from feedmill.models.hubs import HubState, HubSubscription, Push
from feedmill.store import Transaction
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

# Hubs hear of an entry, ask for the feed and tell everybody: a poll may well be quicker.
_TIME_TO_PUSH = timedelta(minutes=10)
# Once may be an accident.
_MOST_MISSED = 2


def after_finding(
    subscription: HubSubscription, published: Sequence[datetime | None], *, now: datetime
) -> HubSubscription:
    """Return how a feed stands with its hub after a poll has found news that it did not push.

    Twice in a row, without a push in between, and the hub is taken for silent. Pure.

    Parameters
    ----------
    published
        When the new entries were published, by their own account. Those from before the hub was
        asked it need not push; those of the last minutes it may push yet.
    """
    asked_at = subscription.asked_at or now
    if not any(at is None or asked_at <= at <= now - _TIME_TO_PUSH for at in published):
        return subscription
    missed = subscription.missed + 1
    is_silent = subscription.state is HubState.ACTIVE and missed >= _MOST_MISSED
    state = HubState.SILENT if is_silent else subscription.state
    return subscription.model_copy(update={"missed": missed, "state": state})


def after_push(subscription: HubSubscription, push: Push, *, owner: str) -> HubSubscription:
    """Return how a feed stands with its hub after that has pushed its news. Pure.

    Parameters
    ----------
    owner
        Under which name the push was read.
    """
    is_back = subscription.state is HubState.SILENT
    return subscription.model_copy(
        update={
            "state": HubState.ACTIVE if is_back else subscription.state,
            "last_push_at": push.received_at,
            "read_by": owner,
            "missed": 0,
        }
    )


async def notice_silence(
    tx: Transaction,
    polled: Mapping[int, FeedToPoll],
    new: Mapping[int, Sequence[int]],
    now: datetime,
) -> dict[int, FeedToPoll]:
    """Return those of the polled feeds that are pushed no more, because their hubs kept silent.

    Parameters
    ----------
    new
        The entries that the polls found, by feed.
    """
    found = {feed_id: ids for feed_id, ids in new.items() if ids and polled[feed_id].pushed}
    if not found:
        return {}
    before = await tx.websub.lock(found)
    published = await tx.entries.published([entry_id for ids in found.values() for entry_id in ids])
    after = [
        after_finding(each, [published[entry_id] for entry_id in found[feed_id]], now=now)
        for feed_id, each in before.items()
    ]
    await tx.websub.keep(after)
    silent = [each.feed_id for each in after if each.state is HubState.SILENT]
    for feed_id in silent:
        log.info("hub silent", feed_id=feed_id)
    return {feed_id: polled[feed_id].model_copy(update={"pushed": False}) for feed_id in silent}
