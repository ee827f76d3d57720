"""Which failures pass, and how long a page is given until it is asked for again. Pure."""

from datetime import datetime, timedelta

from feedmill.models.outcomes import Reason

# Within a day and a half: what has not passed by then has moved, or gone.
_WAITS = (
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
    timedelta(hours=24),
)
# A host that wants time says nothing of the page, and its holds double by themselves.
_MOST_REFUSALS = 12

_PASSING = frozenset(
    {
        Reason.BAD_ENCODING,
        Reason.CONNECT_FAILED,
        Reason.HOST_UNKNOWN,
        Reason.LOOK_UP_FAILED,
        Reason.NOT_HTTP,
        Reason.SITE_BROKEN,
        Reason.TIMED_OUT,
        Reason.TLS_FAILED,
        Reason.TRUNCATED,
    }
)


def next_try_at(
    reason: Reason, *, tries: int, now: datetime, held_until: datetime | None = None
) -> datetime | None:
    """Return when to ask for a page again that could not be had; None when it never will.

    Parameters
    ----------
    tries
        How often in a row it could not be had before.
    held_until
        Until when its host wants to be left alone, if it said so.
    """
    if held_until is not None:
        return held_until if tries < _MOST_REFUSALS else None
    if reason not in _PASSING or tries >= len(_WAITS):
        return None
    return now + _WAITS[tries]
