"""Whether requests really start as far apart as the governor let them: it should never say no.

One process sees its own requests only; that two never get one slot is the store's doing, and tested
there. What this sees is a process so late that requests, well spaced when they were let, start together.
"""

from collections import OrderedDict
from datetime import timedelta
from typing import NamedTuple

from feedmill.models.hosts import HostLimit
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import SPACING_VIOLATIONS

log = get_logger(__name__)

# A loop that wakes up a little late is no lack of manners.
_TOLERATED = 0.2
# Hosts that were asked longer ago than the last so many others are spaced well by now.
_HOSTS = 10_000


class _Start(NamedTuple):
    at: float
    spacing: timedelta


class SpacingWatch:
    """Remembers when each host was last asked."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, _Start] = OrderedDict()

    def started(self, limit: HostLimit, at: float) -> bool:
        """Note that a request starts, and return whether it was due.

        Parameters
        ----------
        at
            Seconds on any clock that only goes forward.
        """
        last = self._last.pop(limit.host, None)
        self._last[limit.host] = _Start(at, limit.spacing)
        if len(self._last) > _HOSTS:
            self._last.popitem(last=False)
        if last is None:
            return True
        # The distance was settled by the earlier request, or by what has been learnt since.
        spacing = min(last.spacing, limit.spacing).total_seconds()
        is_due = at - last.at >= spacing * (1 - _TOLERATED)
        if not is_due:
            SPACING_VIOLATIONS.inc()
            log.error("host asked too soon", host=limit.host, after=round(at - last.at, 3))
        return is_due
