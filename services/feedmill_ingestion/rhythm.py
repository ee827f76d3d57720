"""How often a feed publishes, as far as its own dates tell. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

_WEEK = timedelta(weeks=1)
_MEMORY = timedelta(weeks=4)
# Ten entries within an hour are a batch, not a rhythm.
_LEAST_SPAN = timedelta(days=1)
_ENOUGH = 2


def entries_per_week(now: datetime, published: Sequence[datetime]) -> float | None:
    """Return how many entries a week a feed has had over the last four, None if nobody can tell.

    Parameters
    ----------
    published
        Dates of everything the feed shows. A feed that shows nothing older than four weeks is
        judged by the time it does show.
    """
    past = sorted(date for date in published if date <= now)
    if len(past) < _ENOUGH:
        return None
    recent = [date for date in past if date > now - _MEMORY]
    span = _MEMORY if len(recent) < len(past) else max(now - past[0], _LEAST_SPAN)
    return len(recent) / (span / _WEEK)


def newest(now: datetime, published: Sequence[datetime]) -> datetime | None:
    """Return the last of these dates that has passed, None if none has."""
    return max((date for date in published if date <= now), default=None)


def usual_wait(
    now: datetime, per_week: float | None, newest_at: datetime | None
) -> timedelta | None:
    """Return after how long the next entry is to be expected; None if nobody can tell.

    A feed that has fallen silent is expected to stay so for half as long again.
    """
    if per_week is None:
        return None
    silence = (now - newest_at) / 2 if newest_at is not None else timedelta(0)
    return max(_WEEK / per_week if per_week > 0 else _MEMORY, silence)
