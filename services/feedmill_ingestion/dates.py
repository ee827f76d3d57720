"""Moments as feeds write them. Pure."""

import calendar
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from feedparser.datetimes import _parse_date as _read_anyhow

# Nothing that is a date is longer, and nobody should spend time on what is none.
_CHARACTERS = 100

# "Thu, 01 May 2025 10:00:00 +0200" and how it is misspelt: no day, no seconds, two digits of a year.
_MAIL = re.compile(
    r"(?:[a-z]+\.?(?:,\s*|\s+))?(\d{1,2})[\s-]([a-z]{3})[a-z]*\.?,?[\s-](\d{4}|\d{2})"
    r"(?:\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(\S*)$",
    re.IGNORECASE,
)
_MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
        start=1,
    )
}
_OFFSET = re.compile(r"(?:etc/)?(?:gmt|utc?)?([+-])(\d{1,2}):?(\d{2})?$")
# Only what means one offset everywhere, or nearly: an unknown name is taken for UTC.
_ZONE_HOURS = {
    "adt": -3, "ast": -4, "edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7,
    "pdt": -7, "pst": -8, "akdt": -8, "akst": -9, "hst": -10, "brt": -3,
    "wet": 0, "west": 1, "bst": 1, "cet": 1, "met": 1, "cest": 2, "mest": 2, "eet": 2, "eest": 3,
    "msk": 3, "sgt": 8, "hkt": 8, "jst": 9, "kst": 9, "aest": 10, "aedt": 11, "nzst": 12, "nzdt": 13,
}  # fmt: skip
_FIRST_YEAR_OF_1900S = 90


def moment(text: str) -> datetime | None:
    """Return the moment in UTC that a feed's date means, or None.

    What has no time zone is in UTC, what has no time is at midnight.
    """
    text = text.strip()
    if not text or len(text) > _CHARACTERS:
        return None
    try:
        return _iso(text) or _mail(text) or _anyhow(text)
    except (ValueError, OverflowError, OSError):
        return None


def _iso(text: str) -> datetime | None:
    if not text[:4].isdecimal():
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)


def _mail(text: str) -> datetime | None:
    found = _MAIL.match(text)
    month = _MONTHS.get(found[2].lower()) if found else None
    if found is None or month is None:
        return None
    day, _, year, hour, minute, second, zone = found.groups()
    # Python knows no leap seconds.
    at = (int(hour or 0), int(minute or 0), min(int(second or 0), 59))
    return datetime(_year(year), month, int(day), *at, tzinfo=UTC) - _offset(zone.lower())


def _year(digits: str) -> int:
    if len(digits) > len("25"):
        return int(digits)
    return int(digits) + (1900 if int(digits) >= _FIRST_YEAR_OF_1900S else 2000)


@lru_cache(maxsize=256)
def _offset(zone: str) -> timedelta:
    ahead = _OFFSET.match(zone)
    if ahead is None:
        return timedelta(hours=_ZONE_HOURS.get(zone, 0))
    offset = timedelta(hours=int(ahead[2]), minutes=int(ahead[3] or 0))
    return -offset if ahead[1] == "-" else offset


def _anyhow(text: str) -> datetime | None:
    """Ask feedparser, which knows how Korean, Greek and Hungarian sites and forgetful programs write."""
    read = _read_anyhow(text)
    return datetime.fromtimestamp(calendar.timegm(read), UTC) if read else None
