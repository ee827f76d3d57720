"""When a feed is polled again. Pure."""

from datetime import UTC, datetime, timedelta

from feedmill.config import IngestionSettings
from feedmill.models.base import Model
from feedmill.models.feeds import DEAD_AFTER, FeedToPoll, PollingHints
from feedmill_ingestion.rhythm import usual_wait

# However seldom a feed publishes, its reader should know by tomorrow.
_LONGEST = timedelta(days=1)
# A hub that sends us the news may fail; so we look ourselves, now and then.
_BACK_UP = timedelta(days=1)
# Sites that ask for more are mistaken.
_LONGEST_ASKED = timedelta(days=31)

_FIRST_BACKOFF = timedelta(hours=1)
_LONGEST_BACKOFF = timedelta(days=1)
# 2 ** 20 hours are a century; more would only overflow.
_DOUBLINGS = 20
_DEAD_INTERVAL = timedelta(days=7)

# Longer than the shortest interval, so that a poll a few minutes late skips no turn.
_PERIOD = 13 / 12
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)
_HOURS_A_WEEK = 7 * 24


class Pace(Model):
    """Least times between two polls of one feed, by our own settings.

    Attributes
    ----------
    conditional
        Of a feed that can be asked whether it has changed.
    unconditional
        Of a feed that cannot, and sends everything each time.
    refresh
        When a person asks for it.
    """

    conditional: timedelta
    unconditional: timedelta
    refresh: timedelta


def pace_of(settings: IngestionSettings) -> Pace:
    """Return the pace that an installation's settings ask for."""
    return Pace(
        conditional=timedelta(seconds=settings.poll_interval_seconds),
        unconditional=timedelta(seconds=settings.unconditional_poll_interval_seconds),
        refresh=timedelta(seconds=settings.refresh_interval_seconds),
    )


def interval_after_success(
    feed: FeedToPoll, *, now: datetime, pace: Pace, fresh_for: timedelta | None
) -> timedelta:
    """Return the least time until a feed that has just answered is polled again.

    Twice per entry it usually has, at least daily; and never sooner than our settings, the answer's
    freshness and the feed itself ask for.

    Parameters
    ----------
    fresh_for
        `max-age` or `Expires` of the answer, if any.
    """
    floor = pace.conditional if feed.validators.usable else pace.unconditional
    expected = usual_wait(now, feed.entries_per_week, feed.newest_entry_at) or floor
    asked = timedelta(seconds=feed.hints.interval_seconds)
    return max(
        floor,
        min(expected / 2, _LONGEST),
        min(max(asked, fresh_for or asked), _LONGEST_ASKED),
        _BACK_UP if feed.pushed else floor,
    )


def interval_after_failure(
    feed: FeedToPoll, *, now: datetime, least: timedelta, asked: timedelta | None
) -> timedelta:
    """Return the least time until a feed that has just failed is polled again.

    Each failure in a row doubles it, up to a day; after two weeks it is a week.

    Parameters
    ----------
    feed
        This failure counted.
    least
        By our own settings.
    asked
        `Retry-After` of the answer, if any.
    """
    doubled: timedelta = _FIRST_BACKOFF * 2 ** min(feed.failures - 1, _DOUBLINGS)
    is_dead = feed.failing_since is not None and now - feed.failing_since >= DEAD_AFTER
    backoff = _DEAD_INTERVAL if is_dead else min(doubled, _LONGEST_BACKOFF)
    return max(least, backoff, min(asked or least, _LONGEST_ASKED))


def hastened(feed: FeedToPoll, *, now: datetime, pace: Pace) -> datetime | None:
    """Return when a feed is polled whose hub says that there is news, but not which.

    As soon as our settings allow, and not sooner than before if it fails: then its site asked for
    time, or needs some.
    """
    if feed.next_poll_at is None or feed.last_polled_at is None or feed.last_reason is not None:
        return feed.next_poll_at
    floor = pace.conditional if feed.validators.usable else pace.unconditional
    return min(feed.next_poll_at, max(now, feed.last_polled_at + floor))


def next_turn(
    feed_id: int, *, now: datetime, interval: timedelta, shortest: timedelta, hints: PollingHints
) -> datetime:
    """Return a feed's first turn that is at least `interval` from now.

    Each feed has turns of its own, a little further apart than the shortest interval there is. So
    feeds polled together once, after an import or an outage, do not stay together, whatever becomes
    of their intervals. Hours and days on which the feed does not want to be polled pass by.
    """
    earliest = now + interval
    period = shortest * _PERIOD
    if not period:
        return _at_a_welcome_hour(earliest, hints)
    first = _EPOCH + period * _phase(feed_id)
    return _at_a_welcome_hour(first - (first - earliest) // period * period, hints)


def _phase(feed_id: int) -> float:
    """Return a number from 0 to 1 that is always the same for a feed and differs between them."""
    return (feed_id * 2_654_435_761 % 2**32) / 2**32


def _at_a_welcome_hour(at: datetime, hints: PollingHints) -> datetime:
    for hours in range(_HOURS_A_WEEK):
        later = at + hours * _HOUR
        if later.hour not in hints.skip_hours and later.weekday() not in hints.skip_days:
            return later
    # It never wants to be polled: then nobody meant it.
    return at
