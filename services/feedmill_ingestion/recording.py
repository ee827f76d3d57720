"""Writing down what polls came to: all of a poll in one transaction, and many polls in the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.exc import DBAPIError

from feedmill.models.events import RunRef
from feedmill.models.feeds import FeedToPoll
from feedmill.models.hosts import Place
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_ADDED, FEEDS_POLLED
from feedmill_ingestion.batches import Ended, Recorded, write_batch
from feedmill_ingestion.polls import Failed, Poll, Postponed, TurnedAway
from feedmill_ingestion.scheduling import Pace

log = get_logger(__name__)

# A transaction that writes more feeds and entries than these makes others wait, the event loop
# among them.
_MOST_ROWS = 1_000
_COMPANY_SECONDS = 0.02


class Recorder:
    """Writes polls down as they end.

    Those that end while others are being written are written together next: the busier, the fewer
    transactions per poll.
    """

    def __init__(self, store: Store, pace: Pace) -> None:
        self._store = store
        self._pace = pace
        self._waiting: list[Ended] = []
        self._writing: asyncio.Task[None] | None = None

    async def record(
        self, feed: FeedToPoll, poll: Poll, *, place: Place | None, run: RunRef | None
    ) -> Recorded:
        """Write down a poll, and return once it is written.

        Entries, validators, the next poll, events and the place at the host are one transaction.

        Parameters
        ----------
        feed
            As it was when it was asked.
        place
            Given back with the rest, if the poll held one.
        run
            The run whose watchers are told whatever came of it; None tells only what is news.
        """
        ended = Ended(feed, poll, place, run, asyncio.get_running_loop().create_future())
        self._waiting.append(ended)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="recorder")
        return await ended.recorded

    async def _write_all(self) -> None:
        while self._waiting:
            if not any(ended.run for ended in self._waiting):
                # Nobody waits for these; with some company they cost less.
                await asyncio.sleep(_COMPANY_SECONDS)
            batch, self._waiting = _next_batch(self._waiting)
            await self._write_or_split(batch)

    async def _write_or_split(self, batch: Sequence[Ended]) -> None:
        if await self._attempt(batch) is None:
            return
        # One of them is at fault: the others must not suffer for it. And what was only in
        # another transaction's way finds that ended.
        for ended in batch:
            refusal = await self._attempt([ended])
            if refusal is not None:
                await self._write_as_failed(ended, refusal)

    async def _attempt(self, batch: Sequence[Ended]) -> DBAPIError | None:
        """Write polls down and tell whoever waits for them; return why the store refuses them."""
        try:
            written = await self._write(batch)
        except DBAPIError as error:
            return error
        except Exception as error:  # noqa: BLE001 - each of those who wait raises it
            for ended in batch:
                _fail(ended, error)
        else:
            for ended in batch:
                _succeed(ended, written[ended.feed.id])
        return None

    async def _write_as_failed(self, ended: Ended, error: DBAPIError) -> None:
        """Write that a poll could not be written, in place of what it found."""
        log.error("poll refused by the store", feed_id=ended.feed.id, error=str(error.orig))
        failed = replace(ended, poll=Failed(reason=Reason.PARSER_FAILED, detail="not storable"))
        refusal = await self._attempt([failed])
        if refusal is not None:
            _fail(ended, refusal)

    async def _write(self, batch: Sequence[Ended]) -> dict[int, Recorded]:
        async with self._store.transaction() as tx:
            return await write_batch(tx, batch, self._pace)


def _next_batch(waiting: Sequence[Ended]) -> tuple[list[Ended], list[Ended]]:
    """Return what is written next, no feed twice and not too much at once, and what is left."""
    batch: dict[int, Ended] = {}
    left = []
    rows = 0
    for ended in waiting:
        rows += ended.rows
        if ended.feed.id in batch or (batch and rows > _MOST_ROWS):
            left.append(ended)
        else:
            batch[ended.feed.id] = ended
    return list(batch.values()), left


def _succeed(ended: Ended, recorded: Recorded) -> None:
    _tell(ended, recorded)
    if not ended.recorded.done():
        ended.recorded.set_result(recorded)


def _fail(ended: Ended, error: Exception) -> None:
    if not ended.recorded.done():
        ended.recorded.set_exception(error)


def _tell(ended: Ended, recorded: Recorded) -> None:
    if recorded.feed is None or recorded.overtaken:
        return
    poll, shown, feed_id = ended.poll, ended.shown, ended.feed.id
    if shown is not None:
        outcome = "unchanged" if shown.snapshot is None else "changed"
        ENTRIES_ADDED.inc(len(recorded.new_entry_ids))
        # Most polls find nothing new: a line each would drown the others.
        line = log.debug if shown.snapshot is None else log.info
        line("feed polled", feed_id=feed_id, outcome=outcome, new=len(recorded.new_entry_ids))
    elif isinstance(poll, Postponed):
        outcome = "deferred"
        log.debug("feed deferred", feed_id=feed_id, until=poll.until.isoformat())
    elif isinstance(poll, Failed | TurnedAway):
        outcome = poll.reason if isinstance(poll, Failed) else Reason.RATE_LIMITED
        log.info("feed failed", feed_id=feed_id, reason=outcome, detail=poll.detail)
    else:
        return
    FEEDS_POLLED.labels(outcome).inc()
