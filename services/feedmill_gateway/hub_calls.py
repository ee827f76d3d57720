"""What hubs say at a subscription's callback, and what follows from it. Pure; the clock comes in."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta

from starlette.datastructures import ImmutableMultiDict

from feedmill.models.base import Model
from feedmill.models.hubs import HubState, HubSubscription

# A hub that promises more is asked sooner: it may have forgotten us meanwhile.
_LONGEST_PROMISE = timedelta(days=14)
# The protocol wants hubs to say how long; those that do not are asked again soon.
_UNSAID_PROMISE = timedelta(days=1)
_LEAST_AHEAD = timedelta(days=1)
# Whatever hubs promise, they are not asked more often than this.
_LEAST_WAIT = timedelta(hours=1)
# Hubs try for hours to reach somebody who has asked; later than this it is somebody else's doing.
_OPEN_FOR = timedelta(days=1)
# Somebody has decided it; whoever changes their mind need not hurry.
_DENIED_FOR = timedelta(days=30)

_DETAIL_CHARACTERS = 200
# So many digits are more than any promise that is kept.
_DIGITS = 12
_ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})


class HubCall(Model):
    """A hub asks whether we mean it, or says that it will not."""

    mode: str
    topic: str
    challenge: str = ""
    lease: timedelta | None = None
    reason: str = ""


def read_call(query: ImmutableMultiDict[str, str]) -> HubCall | None:
    """Return what a hub says in its query; None if it says it twice, or not at all."""
    said = {
        name: query.getlist(f"hub.{name}")
        for name in ("mode", "topic", "challenge", "lease_seconds", "reason")
    }
    if any(len(values) > 1 for values in said.values()) or not (said["mode"] and said["topic"]):
        return None
    only = {name: values[0] for name, values in said.items() if values}
    return HubCall.model_validate({**only, "lease": _lease(only.get("lease_seconds", ""))})


def after_call(
    subscription: HubSubscription, call: HubCall, *, now: datetime
) -> HubSubscription | None:
    """Return how a feed stands with its hub after that has called; None if we do not mean it.

    What was asked for within a day, and not confirmed yet, is confirmed with what the hub promises.
    While a promise lasts it is confirmed again and again, but lasts no longer for it.
    """
    if call.topic != subscription.topic_url or subscription.asked_at is None:
        return None
    leaves = subscription.state is HubState.LEAVING
    if call.mode == "denied":
        return _ended(subscription, now) if leaves else _denied(subscription, call, now)
    if call.mode != ("unsubscribe" if leaves else "subscribe") or not call.challenge:
        return None
    if subscription.failures > 0 and now - subscription.asked_at <= _OPEN_FOR:
        return _ended(subscription, now) if leaves else _promised(subscription, call, now)
    return subscription if _is_promised(subscription, now) and not leaves else None


def takes_pushes(subscription: HubSubscription) -> bool:
    """Tell whether a hub may push: it has confirmed, and we have not left."""
    return subscription.state in {HubState.ACTIVE, HubState.SILENT}


def is_signed(body: bytes, signatures: Sequence[str], secret: str) -> bool:
    """Tell whether one of the signatures (`sha256=…`) is that of the body, by whoever has the secret."""
    return any(_is_signature(body, signature, secret) for signature in signatures)


def _is_signature(body: bytes, signature: str, secret: str) -> bool:
    method, _, digest = signature.strip().partition("=")
    if method.lower() not in _ALGORITHMS:
        return False
    expected = hmac.new(secret.encode(), body, method.lower()).hexdigest()
    # As bytes: what is no ASCII is to be refused, not an error.
    return hmac.compare_digest(expected.encode(), digest.strip().lower().encode())


def _lease(seconds: str) -> timedelta | None:
    is_number = seconds.isascii() and seconds.isdigit() and int(seconds[:_DIGITS])
    return timedelta(seconds=int(seconds[:_DIGITS])) if is_number else None


def _promised(subscription: HubSubscription, call: HubCall, now: datetime) -> HubSubscription:
    lasts = min(call.lease or _UNSAID_PROMISE, _LONGEST_PROMISE)
    # A third of it before its end, and a day; but half of a short one must have passed.
    ahead = min(max(lasts / 3, _LEAST_AHEAD), lasts / 2)
    return subscription.model_copy(
        update={
            "state": HubState.ACTIVE,
            "detail": "",
            "promised_until": now + lasts,
            "renew_at": now + max(lasts - ahead, _LEAST_WAIT),
            "failures": 0,
            "missed": 0,
        }
    )


def _is_promised(subscription: HubSubscription, now: datetime) -> bool:
    return subscription.promised_until is not None and subscription.promised_until > now


def _denied(subscription: HubSubscription, call: HubCall, now: datetime) -> HubSubscription:
    said = "".join(letter if letter.isprintable() else " " for letter in call.reason)
    return subscription.model_copy(
        update={
            "state": HubState.REFUSED,
            "detail": f"denied {said}".strip()[:_DETAIL_CHARACTERS],
            "promised_until": None,
            "renew_at": now + _DENIED_FOR,
        }
    )


def _ended(subscription: HubSubscription, now: datetime) -> HubSubscription:
    # Whoever asks hubs next puts the row away, or asks the hub that the feed names now.
    return subscription.model_copy(update={"renew_at": now})
