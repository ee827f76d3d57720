"""Forgetting pages that were kept for long enough."""

import time
from datetime import timedelta

from feedmill.store import Store
from feedmill.telemetry.logs import get_logger

log = get_logger(__name__)

_EVERY_SECONDS = 600.0
_AT_ONCE = 500


class PagePruner:
    """Forgets old pages now and then, a few at a time, beside whatever else is done.

    Parameters
    ----------
    keep
        How old a page may become.
    """

    def __init__(self, store: Store, keep: timedelta) -> None:
        self._store = store
        self._keep = keep
        self._next = 0.0

    async def prune_if_due(self) -> int:
        """Forget what is too old, if nobody has looked for a while; return how many pages that were."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + _EVERY_SECONDS
        async with self._store.transaction() as tx:
            pruned = await tx.pages.prune(self._keep, _AT_ONCE)
        if pruned:
            log.info("pages forgotten", pages=pruned)
        if pruned == _AT_ONCE:
            # There are more.
            self._next = 0.0
        return pruned
