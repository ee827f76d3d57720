"""When a feed is polled again. Pure."""

from datetime import timedelta

# However long a feed has failed, it is looked at once a day.
_LONGEST_BACKOFF = timedelta(days=1)
_FIRST_BACKOFF = timedelta(minutes=15)
# 2 ** 20 quarter-hours are 30 years; more would only overflow.
_DOUBLINGS = 20


def next_poll_in(
    interval: timedelta, *, failures: int = 0, at_least: timedelta | None = None
) -> timedelta:
    """Return how long to wait after a poll.

    Parameters
    ----------
    interval
        Least time between two polls of one feed.
    failures
        Polls failed in a row, this one included: each doubles the wait, up to a day.
    at_least
        What the site asked for (`max-age`, `Retry-After`). Never undercut.
    """
    wait = interval
    if failures > 0:
        backoff = max(interval, _FIRST_BACKOFF) * 2 ** min(failures - 1, _DOUBLINGS)
        wait = max(interval, min(backoff, _LONGEST_BACKOFF))
    return max(wait, at_least or timedelta(0))
