"""How often a host is asked: one clock and one queue for the whole fleet, in Postgres."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from random import SystemRandom
from weakref import WeakValueDictionary

from feedmill.errors import StoreUnavailableError
from feedmill.models.hosts import Admitted, HostLimit, Place
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.web.answers import Answer
from feedmill.web.manners import Manners, after_refusal, after_spending
from feedmill.web.spacing import SpacingWatch

log = get_logger(__name__)

_chance = SystemRandom()

# A worker that waits holds memory and a place in its slice; longer waits are a workflow's timer.
_PATIENCE_SECONDS = 5.0
# A redirect's target is worth more patience: giving up wastes the request that led to it. Hosts that
# allow one request a minute are known, and what is learnt of such a limit is a little more.
_PATIENCE_WITHIN_CHAIN_SECONDS = 75.0


class Governor:
    """Spaces all requests to a host, whichever worker, feed, run or restart they come from."""

    def __init__(
        self, store: Store, manners: Manners, luck: Callable[[], float] = _chance.random
    ) -> None:
        self._store = store
        self._manners = manners
        self._luck = luck
        # Requests of one process queue up here, in order, and one at a time looks at the store.
        self._queues: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._watch = SpacingWatch()

    def limit(self, url: str) -> HostLimit:
        """Return how often the host of a URL may be asked. URLs as `check_url` returns them."""
        return self._manners.limit(url)

    @asynccontextmanager
    async def slot(self, url: str, *, patient: bool = False) -> AsyncIterator[datetime | None]:
        """Wait until the URL's host may be asked, and hold a place there while the block runs.

        Yields None then. When that is too far away to wait for (some seconds, or a little over a
        minute if `patient`), yields the time to come back; nothing is reserved.
        """
        seconds = _PATIENCE_WITHIN_CHAIN_SECONDS if patient else _PATIENCE_SECONDS
        place = await self._place(self.limit(url), time.monotonic() + seconds)
        if isinstance(place, datetime):
            yield place
            return
        started = self.note_start(place)
        try:
            yield None
        finally:
            ago = timedelta(seconds=time.monotonic() - started)
            await self.give_back(place.model_copy(update={"started_ago": ago}))

    def patiently(
        self,
        url: str,
        *,
        patient: bool = True,  # noqa: ARG002 - every admission is asked with it
    ) -> AbstractAsyncContextManager[datetime | None]:
        """Do as `slot` does for whoever is patient from the first request on.

        That is right where giving up would waste what was asked before.
        """
        return self.slot(url, patient=True)

    async def give_back(self, place: Place) -> None:
        """Free the place of a request that has ended."""
        try:
            async with self._store.transaction() as tx:
                await tx.hosts.give_back([place])
        except StoreUnavailableError as error:
            # What the request brought is worth more than its place, which ends by itself.
            log.warning("place not given back", host=place.limit.host, error=str(error))

    def note_start(self, place: Place) -> float:
        """Say that the request which holds this place starts now; return the moment, monotonic."""
        now = time.monotonic()
        self._watch.started(place.limit, now)
        return now

    async def heed(self, answer: Answer, *, as_refusal: bool = False) -> datetime | None:
        """Learn from an answer; return until when its host is left alone, None if it did not ask.

        Refusals that ask for fewer requests (`Answer.asks_for_time`) are remembered, and from now
        on the host is asked as often as it seems to bear.

        Parameters
        ----------
        as_refusal
            Take it for such a refusal though it does not say so.
        """
        is_refusal = as_refusal or answer.asks_for_time
        if not is_refusal and answer.spent_for is None:
            return None
        async with self._store.transaction() as tx:
            state = await tx.hosts.lock(self.limit(answer.url).host)
            now = await tx.now()
            if is_refusal:
                asked = answer.asked_wait
                state = after_refusal(state, now=now, asked=asked, luck=self._luck())
            elif answer.spent_for is not None:
                state = after_spending(state, now=now, wait=answer.spent_for)
            await tx.hosts.keep(state)
        return state.next_free_at

    async def heed_crawl_delay(self, url: str, delay: timedelta | None) -> None:
        """Keep the distance that the host's robots.txt asks for; None: it asks for none."""
        async with self._store.transaction() as tx:
            await tx.hosts.heed_crawl_delay(self.limit(url).host, delay)

    async def _place(self, limit: HostLimit, deadline: float) -> Place | datetime:
        queue = self._queues.setdefault(limit.host, asyncio.Lock())
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await queue.acquire()
        except TimeoutError:
            async with self._store.transaction() as tx:
                return await tx.hosts.next_free_at(limit.host)
        try:
            return await self._first_place(limit, deadline)
        finally:
            queue.release()

    async def _first_place(self, limit: HostLimit, deadline: float) -> Place | datetime:
        while True:
            async with self._store.transaction() as tx:
                answer = (await tx.hosts.reserve({limit: 1}))[limit.host]
            if isinstance(answer, Admitted):
                return answer.places[0]
            if time.monotonic() + answer.wait.total_seconds() > deadline:
                return answer.next_at
            await asyncio.sleep(answer.wait.total_seconds())
