"""What is asked of hubs, and what follows from their answers. Pure; the clock and chance come in."""

from collections.abc import Callable
from datetime import datetime, timedelta

from feedmill.models.base import Model
from feedmill.models.hubs import DueSubscription, HubState, HubSubscription
from feedmill.models.outcomes import Reason
from feedmill_ingestion.polls import Failed, Postponed, TurnedAway

# What most hubs give at the most; they may give less.
_WISHED = timedelta(days=10)
# An hour is enough for any hub to confirm; one that does not is asked twice as late each time.
_FIRST_WAIT = timedelta(hours=1)
_LONGEST_WAIT = timedelta(days=7)
# 2 ** 20 hours are a century; more would only overflow.
_DOUBLINGS = 20
# What is known of a hub that took a request and then said nothing: it may not reach us.
_UNCONFIRMED = "not confirmed"


class Accepted(Model):
    """The hub took the request; whether it keeps it, it says at the callback."""


HubAnswer = Accepted | Failed | TurnedAway | Postponed


def asked_now(
    due: DueSubscription, *, now: datetime, fresh: Callable[[], str]
) -> HubSubscription | None:
    """Return how a feed stands with its hub once that is asked now; None if there is no hub left.

    Each asking counts as failed until the hub confirms it, so that whoever dies meanwhile leaves
    nothing to be put right. A feed that names another hub, or none, leaves the old one first.

    Parameters
    ----------
    fresh
        Makes a text that nobody guesses.
    """
    standing = _standing(due, now, fresh)
    if standing is None:
        return None
    failures = standing.failures + 1
    is_ignored = standing.failures > 0 and standing.detail in {"", _UNCONFIRMED}
    return standing.model_copy(
        update={
            "detail": _UNCONFIRMED if is_ignored else "",
            "asked_at": now,
            "failures": failures,
            "renew_at": now + min(_FIRST_WAIT * 2 ** min(failures - 1, _DOUBLINGS), _LONGEST_WAIT),
        }
    )


def form_for(subscription: HubSubscription, callback: str) -> dict[str, str]:
    """Return what the hub is asked with."""
    leaves = subscription.state is HubState.LEAVING
    fields = {
        "hub.callback": callback,
        "hub.mode": "unsubscribe" if leaves else "subscribe",
        "hub.topic": subscription.topic_url,
        # Hubs of the protocol's first years, WordPress's among them, refuse a form without it.
        "hub.verify": "async",
    }
    if leaves:
        return fields
    # Also without TLS: whoever listens there could forge pushes then, but else everybody could.
    wished = str(int(_WISHED.total_seconds()))
    return fields | {"hub.lease_seconds": wished, "hub.secret": subscription.secret}


def after_answer(
    subscription: HubSubscription, answer: HubAnswer, *, asked: HubSubscription, now: datetime
) -> HubSubscription:
    """Return how a feed stands with its hub after that has answered.

    Parameters
    ----------
    subscription
        As it is now: the hub may have confirmed before it answered.
    asked
        As it was when the hub was asked.
    """
    is_confirmed = subscription.failures == 0
    if isinstance(answer, Accepted) or is_confirmed or subscription.asked_at != asked.asked_at:
        return subscription
    if isinstance(answer, Postponed):
        return subscription.model_copy(
            update={"failures": subscription.failures - 1, "renew_at": answer.until}
        )
    return _refused(subscription, answer, now)


def words_of(answer: HubAnswer) -> str:
    """Return a hub's answer as an outcome with its detail: `http_status 500`, `accepted`."""
    if isinstance(answer, Accepted):
        return "accepted"
    if isinstance(answer, Postponed):
        return "deferred"
    reason = answer.reason if isinstance(answer, Failed) else Reason.RATE_LIMITED
    return f"{reason} {answer.detail}".rstrip()


def _standing(
    due: DueSubscription, now: datetime, fresh: Callable[[], str]
) -> HubSubscription | None:
    is_promised = due.promised_until is not None and due.promised_until > now
    if due.state is HubState.LEAVING:
        is_asked = due.failures > 0
        return _anew(due, now, fresh) if is_asked else due
    if due.offered == due.hub:
        # Renewed at the same callback: at a new one the hub would push everything twice.
        return due if is_promised else due.model_copy(update={"state": HubState.ASKED})
    if is_promised:
        return due.model_copy(update={"state": HubState.LEAVING, "failures": 0})
    return _anew(due, now, fresh)


def _anew(due: DueSubscription, now: datetime, fresh: Callable[[], str]) -> HubSubscription | None:
    """Return the beginning of what the feed asks of the hub that it names now, if it names one.

    Under an address and a key of its own: what the old hub still sends finds nobody.
    """
    if due.offered is None:
        return None
    return HubSubscription(
        feed_id=due.feed_id,
        hub_url=due.offered.url,
        topic_url=due.offered.topic,
        token=fresh(),
        secret=fresh(),
        renew_at=now,
    )


def _refused(
    subscription: HubSubscription, answer: Failed | TurnedAway, now: datetime
) -> HubSubscription:
    if subscription.state is HubState.LEAVING:
        # Best effort: what it promised ends by itself.
        return subscription.model_copy(update={"renew_at": now})
    is_promised = subscription.promised_until is not None and subscription.promised_until > now
    until = answer.until if isinstance(answer, TurnedAway) else now
    return subscription.model_copy(
        update={
            "state": subscription.state if is_promised else HubState.REFUSED,
            "detail": words_of(answer),
            "renew_at": max(subscription.renew_at, until),
        }
    )
