"""Times as pages write them. Pure."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_EARLIEST, _LATEST = 1990, 2100

# `2026-11-24T09:30:00+0100` and the like: what datetime reads, and zones without a colon.
_DAY = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
_SHORT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?")
_IN_URL = re.compile(r"/((?:19|20)\d\d)/(\d\d?)/(\d\d?)(?:/|-|$)")


def parse_time(text: str) -> datetime | None:
    """Return the time that a text means; None if it means none, or none of this web.

    A time without a zone is taken for UTC: a few hours matter less than a missing date.
    """
    text = text.strip()
    found = _iso(text) or _mail(text) or _day(text)
    return found if found and _EARLIEST <= found.year <= _LATEST else None


def time_in(url: str) -> datetime | None:
    """Return the day that an address names: `/2026/11/24/`."""
    found = _IN_URL.search(url)
    return _made(*map(int, found.groups())) if found else None


def _iso(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except ValueError:
        return None


def _mail(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _day(text: str) -> datetime | None:
    found = _DAY.match(text)
    return _made(*map(int, found.groups())) if found else None


def _made(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day, tzinfo=UTC)
    except ValueError:
        return None


def _aware(time: datetime) -> datetime | None:
    try:
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
