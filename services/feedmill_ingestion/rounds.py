"""One round over the feeds that are due: for as long as some are, so many at once."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from feedmill.models.feeds import DueFeedsPolled, PollDueFeeds
from feedmill.models.hosts import Place
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.web.governor import Governor
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.claiming import Claimed, claim_due
from feedmill_ingestion.polls import Failed, TurnedAway
from feedmill_ingestion.recording import Recorder

# What a process can have in flight without its event loop falling behind.
_AT_ONCE = 150
# Claiming one by one would cost a transaction per feed.
_LEAST_CLAIM = 40
# Each costs half a millisecond to begin; everybody else on the event loop waits for all of them.
_IN_ONE_GO = 16
# Feeds that are due so soon are waited for: asking Temporal to come back costs more.
_WORTH_WAITING = timedelta(seconds=10)
_LOOK_AGAIN_SECONDS = 0.25


class Round:
    """Polls due feeds until none is due, time is up or enough is new.

    Parameters
    ----------
    owner
        Under which name feeds are leased: the same for every attempt of one activity.
    stopping
        Whether the process is asked to leave: then nothing new is begun.
    asks_hubs
        Whether to say of how many feeds the hubs are to be asked.
    """

    def __init__(
        self,
        store: Store,
        governor: Governor,
        asker: Asker,
        recorder: Recorder,
        *,
        owner: str,
        stopping: Callable[[], bool],
        asks_hubs: bool,
    ) -> None:
        self._store = store
        self._governor = governor
        self._asker = asker
        self._recorder = recorder
        self._owner = owner
        self._stopping = stopping
        self._asks_hubs = asks_hubs
        self._polling: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._answer = DueFeedsPolled()
        self._new: list[int] = []

    async def take_up(self) -> None:
        """Go on after an attempt that broke off: what it leased is free, what it found is not lost."""
        async with self._store.transaction() as tx:
            await tx.feeds.release_all(self._owner)
            waiting = await tx.entries.waiting(await tx.feeds.polled_by(self._owner))
        self._new += [entry_id for ids in waiting.values() for entry_id in ids]

    async def run(self, request: PollDueFeeds) -> DueFeedsPolled:
        """Poll what is due; say what is new and when the next feed is due.

        Polls under way are always finished. The first error of the store among them is raised then:
        what was written stands.
        """
        try:
            await self._begin_what_is_due(request)
            while self._polling:
                await self._some_end(None)
        except asyncio.CancelledError:
            # Another attempt takes these feeds up: they must not be asked by both.
            for task in self._polling:
                task.cancel()
            raise
        if self._broken is not None:
            raise self._broken
        what_is_next = await self._what_is_next(request)
        return self._answer.model_copy(
            update={"new_entry_ids": tuple(self._new), **what_is_next},
        )

    async def _begin_what_is_due(self, request: PollDueFeeds) -> None:
        deadline = time.monotonic() + request.seconds
        try:
            while time.monotonic() < deadline and self._may_go_on(request):
                is_all = await self._begin_more(request)
                if (
                    is_all
                    and not self._polling
                    and not await self._wait_for_next(request, deadline)
                ):
                    break
                await self._some_end(_LOOK_AGAIN_SECONDS if is_all else None)
        except Exception as error:  # noqa: BLE001 - raised once the polls under way have ended
            self._broken = self._broken or error

    def _may_go_on(self, request: PollDueFeeds) -> bool:
        is_enough = len(self._new) >= request.most_new_entries
        return not (self._stopping() or self._broken or is_enough)

    async def _begin_more(self, request: PollDueFeeds) -> bool:
        """Begin as many polls as there is room for; return whether that was all that is due."""
        room = _AT_ONCE - len(self._polling)
        if room < _LEAST_CLAIM:
            return False
        async with self._store.transaction() as tx:
            claimed = await claim_due(
                tx,
                self._governor.limit,
                owner=self._owner,
                shard=request.shard,
                shards=request.shards,
                most=room,
            )
        for number, each in enumerate(claimed, start=1):
            task = asyncio.create_task(self._poll(each), name=f"poll feed {each.feed.id}")
            self._polling.add(task)
            task.add_done_callback(self._ended)
            if number % _IN_ONE_GO == 0:
                await asyncio.sleep(0)
        return len(claimed) < room

    async def _some_end(self, seconds: float | None) -> None:
        if self._polling:
            await asyncio.wait(self._polling, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._polling.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._broken = self._broken or task.exception()

    async def _wait_for_next(self, request: PollDueFeeds, deadline: float) -> bool:
        """Wait for the next feed if it is due soon; return whether it is worth it."""
        async with self._store.transaction() as tx:
            next_due_at = await tx.feeds.next_due_at(shard=request.shard, shards=request.shards)
            now = await tx.now()
        if next_due_at is None or next_due_at - now > _WORTH_WAITING:
            return False
        wait = max((next_due_at - now).total_seconds(), _LOOK_AGAIN_SECONDS)
        await asyncio.sleep(min(wait, max(deadline - time.monotonic(), 0)))
        return True

    async def _what_is_next(self, request: PollDueFeeds) -> dict[str, datetime | int | None]:
        part = {"shard": request.shard, "shards": request.shards}
        async with self._store.transaction() as tx:
            return {
                "next_due_at": await tx.feeds.next_due_at(**part),
                "hubs_to_tend": await tx.websub.due(**part) if self._asks_hubs else 0,
                "pushes_waiting": await tx.pushes.count(**part),
            }

    async def _poll(self, claimed: Claimed) -> None:
        admission = _Admission(self._governor, claimed.place)
        with spans.span("poll feed", {"feedmill.feed_id": claimed.feed.id}):
            poll = await self._asker.ask(claimed.feed, admission)
            recorded = await self._recorder.record(
                claimed.feed, poll, place=admission.place, run=None
            )
        self._new += recorded.new_entry_ids
        has_failed = isinstance(poll, Failed | TurnedAway)
        self._answer = self._answer.model_copy(
            update={
                "polled": self._answer.polled + 1,
                "failed": self._answer.failed + has_failed,
            }
        )


class _Admission:
    """Lets the first request to a feed's host start at once: its place was taken with the feed."""

    def __init__(self, governor: Governor, place: Place) -> None:
        self._governor = governor
        self._place: Place | None = place
        self._started_at: float | None = None

    @property
    def place(self) -> Place | None:
        """The place to give back, with the age of the request that had it; None if it was already."""
        seconds = 0.0 if self._started_at is None else time.monotonic() - self._started_at
        ago = timedelta(seconds=seconds)
        return self._place and self._place.model_copy(update={"started_ago": ago})

    @asynccontextmanager
    async def __call__(self, url: str, *, patient: bool) -> AsyncIterator[datetime | None]:
        place = self._meant_for(url)
        if place is not None:
            self._started_at = self._governor.note_start(place)
            yield None
            return
        await self._leave()
        async with self._governor.slot(url, patient=patient) as until:
            yield until

    def _meant_for(self, url: str) -> Place | None:
        if self._place is None or self._started_at is not None:
            return None
        # What is asked first may be where another host keeps the feeds of this one's pages.
        return self._place if self._governor.limit(url).host == self._place.limit.host else None

    async def _leave(self) -> None:
        # Most redirects lead to the same host, where the next request may need this very place.
        place, self._place = self.place, None
        if place is not None:
            await self._governor.give_back(place)
