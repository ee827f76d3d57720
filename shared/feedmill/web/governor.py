"""How often a host is asked: one clock and one queue for the whole fleet, in Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from feedmill.store import Store
from feedmill.store.hosts import SlotTooFar
from feedmill.web.addresses import literal_address

# A worker that waits holds memory and a place in its slice; longer waits are a workflow's timer.
_PATIENCE = timedelta(seconds=5)
# A redirect's target is worth more patience: giving up wastes the request that led to it.
_PATIENCE_WITHIN_CHAIN = timedelta(seconds=30)


class Governor:
    """Spaces all requests to a host, whichever worker, feed, run or restart they come from."""

    def __init__(self, store: Store, spacing: timedelta) -> None:
        self._store = store
        self._spacing = spacing

    @asynccontextmanager
    async def slot(self, url: str, *, patient: bool = False) -> AsyncIterator[datetime | None]:
        """Wait for the host's next free slot and yield None; the request may start at once.

        When that slot is too far away to wait for (some seconds, or half a minute if `patient`),
        yield the time to come back. Nothing is reserved then.
        """
        yield await self._wait(url, patient=patient)

    async def _wait(self, url: str, *, patient: bool) -> datetime | None:
        patience = _PATIENCE_WITHIN_CHAIN if patient else _PATIENCE
        async with self._store.transaction() as tx:
            slot = await tx.hosts.reserve(host_key(url), spacing=self._spacing, patience=patience)
        if isinstance(slot, SlotTooFar):
            return slot.until
        if not slot.wait:
            return None
        await asyncio.sleep(slot.wait.total_seconds())
        # Meanwhile another request may have been told to leave the host alone.
        async with self._store.transaction() as tx:
            return await tx.hosts.held_until(host_key(url))

    async def hold(self, url: str, wait: timedelta) -> datetime:
        """Ask the URL's host nothing for `wait`, and return when that ends (later if held longer)."""
        async with self._store.transaction() as tx:
            return await tx.hosts.hold(host_key(url), wait)


def host_key(url: str) -> str:
    """Return the name under which requests to a URL's host are spaced.

    Ports of a named host are one site. A bare address is a machine, often with several unrelated
    servers on it (an intranet, a laptop), so its port counts. URLs as `check_url` returns them.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    if literal_address(host) is None or parts.port is None:
        return host
    return f"{host}:{parts.port}"
