"""What a feed says about when to poll it. Pure."""

from collections.abc import Iterable

from feedmill.models.feeds import PollingHints
from feedmill_ingestion.shown import ShownHints

_PERIOD_SECONDS = {
    "hourly": 3_600,
    "daily": 86_400,
    "weekly": 7 * 86_400,
    "monthly": 30 * 86_400,
    "yearly": 365 * 86_400,
}
_LONGEST_SECONDS = 365 * 86_400
_NUMBER_DIGITS = 9

_HOURS = 24
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def polling_hints(shown: ShownHints) -> PollingHints:
    """Return the hints that can be followed; what contradicts itself or says nothing is left out."""
    return PollingHints(
        interval_seconds=min(max(_ttl_seconds(shown), _period_seconds(shown)), _LONGEST_SECONDS),
        skip_hours=_unless_all(map(_hour, shown.hours), _HOURS),
        skip_days=_unless_all(map(_day, shown.days), len(_DAYS)),
    )


def _ttl_seconds(shown: ShownHints) -> int:
    return 60 * (_number(shown.ttl) or 0)


def _period_seconds(shown: ShownHints) -> int:
    """Read the syndication module: so many times in a period, which is a day unless it is given."""
    if not shown.period.strip() and not shown.frequency.strip():
        return 0
    period = _PERIOD_SECONDS.get(shown.period.strip().lower() or "daily", 0)
    return period // max(_number(shown.frequency) or 1, 1)


def _hour(text: str) -> int | None:
    hour = _number(text)
    # Some count from 1 to 24, and mean midnight by the last.
    return hour % _HOURS if hour is not None and hour <= _HOURS else None


def _day(text: str) -> int | None:
    name = text.strip().lower()[:3]
    return _DAYS.index(name) if name in _DAYS else None


def _unless_all(values: Iterable[int | None], all_of_them: int) -> tuple[int, ...]:
    """Return each value once, and none of them if they leave no time at all to poll."""
    known = sorted({value for value in values if value is not None})
    return tuple(known) if len(known) < all_of_them else ()


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) <= _NUMBER_DIGITS else None
