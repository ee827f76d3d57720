"""Writing down what polls came to: all of a poll in one transaction, and many polls in the same."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.exc import DBAPIError

from feedmill.models.base import Model
from feedmill.models.events import EventKind, NewEvent, RunRef
from feedmill.models.feeds import FeedToPoll, SnapshotEntry
from feedmill.models.hosts import Place
from feedmill.models.outcomes import Reason
from feedmill.store import Store, Transaction
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_ADDED, FEEDS_POLLED
from feedmill_ingestion.aftermath import after_poll
from feedmill_ingestion.moves import MOST_SITES, believed_move
from feedmill_ingestion.polls import Failed, Poll, Postponed, Shown
from feedmill_ingestion.scheduling import Pace

log = get_logger(__name__)

# A transaction that holds more rows than this makes others wait.
_MOST_AT_ONCE = 200
_COMPANY_SECONDS = 0.05


class Recorded(Model):
    """How a feed stands after its poll.

    Attributes
    ----------
    feed
        None when it was removed meanwhile.
    overtaken
        Somebody else polled it meanwhile, and theirs stands: ours may be the older answer.
    """

    feed: FeedToPoll | None
    overtaken: bool = False
    new_entry_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Ended:
    """A poll that ended and waits to be written down."""

    feed: FeedToPoll
    poll: Poll
    place: Place | None
    run: RunRef | None
    recorded: asyncio.Future[Recorded] = field(compare=False)


class Recorder:
    """Writes polls down as they end.

    Those that end while others are being written are written together next: the busier, the fewer
    transactions per poll.
    """

    def __init__(self, store: Store, pace: Pace) -> None:
        self._store = store
        self._pace = pace
        self._waiting: list[_Ended] = []
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
        ended = _Ended(feed, poll, place, run, asyncio.get_running_loop().create_future())
        self._waiting.append(ended)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="recorder")
        return await ended.recorded

    async def _write_all(self) -> None:
        while self._waiting:
            if not any(ended.run for ended in self._waiting):
                # Nobody waits for these; with some company they cost less.
                await asyncio.sleep(_COMPANY_SECONDS)
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            await self._write_or_split(batch)

    async def _write_or_split(self, batch: Sequence[_Ended]) -> None:
        try:
            written = await self._write(batch)
        except DBAPIError as error:
            if len(batch) == 1:
                await self._write_as_failed(batch[0], error)
                return
            # One of them is at fault: the others must not suffer for it.
            for ended in batch:
                await self._write_or_split([ended])
        except Exception as error:  # noqa: BLE001 - each of those who wait raises it
            for ended in batch:
                _fail(ended, error)
        else:
            for ended in batch:
                _succeed(ended, written[ended.feed.id])

    async def _write_as_failed(self, ended: _Ended, error: DBAPIError) -> None:
        """Write that a poll could not be written, in place of what it found."""
        log.error("poll refused by the store", feed_id=ended.feed.id, error=str(error.orig))
        failed = replace(ended, poll=Failed(reason=Reason.PARSER_FAILED, detail="not storable"))
        try:
            written = await self._write([failed])
        except Exception as again:  # noqa: BLE001 - who waits for it raises it
            _fail(ended, again)
        else:
            _succeed(failed, written[ended.feed.id])

    async def _write(self, batch: Sequence[_Ended]) -> dict[int, Recorded]:
        async with self._store.transaction() as tx:
            stored = await tx.feeds.lock([ended.feed.id for ended in batch])
            now = await tx.now()
            ours = [ended for ended in batch if _stands(ended, stored.get(ended.feed.id))]
            after = {
                ended.feed.id: after_poll(
                    stored[ended.feed.id], ended.poll, now=now, pace=self._pace
                )
                for ended in ours
            }
            added = await tx.entries.add_new(_shown(ours))
            await tx.feeds.keep(after.values())
            for ended in ours:
                feed, new = stored[ended.feed.id], added.get(ended.feed.id, [])
                tx.events.append(*_news(ended, feed, after[feed.id], new))
                await _move(tx, after[feed.id], now)
            await tx.hosts.give_back([ended.place for ended in batch if ended.place is not None])
        return {
            ended.feed.id: Recorded(
                feed=after.get(ended.feed.id) or stored.get(ended.feed.id),
                overtaken=ended.feed.id not in after,
                new_entry_ids=tuple(added.get(ended.feed.id, ())),
            )
            for ended in batch
        }


def _stands(ended: _Ended, stored: FeedToPoll | None) -> bool:
    """Tell whether nobody has polled the feed, or removed it, since it was asked."""
    return stored is not None and stored.last_polled_at == ended.feed.last_polled_at


def _shown(batch: Sequence[_Ended]) -> dict[int, Sequence[SnapshotEntry]]:
    return {
        ended.feed.id: ended.poll.snapshot.entries
        for ended in batch
        if isinstance(ended.poll, Shown) and ended.poll.snapshot is not None
    }


async def _move(tx: Transaction, feed: FeedToPoll, now: datetime) -> None:
    """Ask a feed elsewhere from now on, if it has said so for long enough and is alone in it."""
    target = believed_move(feed, now=now)
    if target is None or await tx.feeds.sites_moving_to(target) > MOST_SITES:
        return
    stays = await tx.feeds.move(feed.id, target)
    tx.events.append(NewEvent(kind=EventKind.FEED_MOVED, feed_id=stays, detail=target))
    log.info("feed moved", feed_id=feed.id, stays=stays, url=target)


def _news(
    ended: _Ended, before: FeedToPoll, after: FeedToPoll, new: Sequence[int]
) -> list[NewEvent]:
    """Return what readers are told: news, and everything if somebody waits for this very poll."""

    def event(kind: EventKind, detail: str = "", entry_id: int | None = None) -> NewEvent:
        return NewEvent(
            kind=kind, feed_id=before.id, entry_id=entry_id, run=ended.run, detail=detail
        )

    if isinstance(ended.poll, Shown):
        has_recovered = before.failures > 0
        if not (new or has_recovered or ended.run):
            return []
        added = (event(EventKind.ENTRY_ADDED, entry_id=entry_id) for entry_id in new)
        return [event(EventKind.FEED_POLLED, f"{len(new)} new"), *added]
    if isinstance(ended.poll, Postponed) or after.last_reason is None:
        return []
    if after.retired_at is not None and before.retired_at is None:
        return [event(EventKind.FEED_RETIRED, after.last_reason)]
    is_news = isinstance(ended.poll, Failed) and before.last_reason != after.last_reason
    return [event(EventKind.FEED_FAILED, after.last_reason)] if is_news or ended.run else []


def _succeed(ended: _Ended, recorded: Recorded) -> None:
    _tell(ended, recorded)
    if not ended.recorded.done():
        ended.recorded.set_result(recorded)


def _fail(ended: _Ended, error: Exception) -> None:
    if not ended.recorded.done():
        ended.recorded.set_exception(error)


def _tell(ended: _Ended, recorded: Recorded) -> None:
    if recorded.feed is None or recorded.overtaken:
        return
    poll, feed_id = ended.poll, ended.feed.id
    if isinstance(poll, Shown):
        outcome = "unchanged" if poll.snapshot is None else "changed"
        ENTRIES_ADDED.inc(len(recorded.new_entry_ids))
        # Most polls find nothing new: a line each would drown the others.
        line = log.debug if poll.snapshot is None else log.info
        line("feed polled", feed_id=feed_id, outcome=outcome, new=len(recorded.new_entry_ids))
    elif isinstance(poll, Postponed):
        outcome = "deferred"
        log.debug("feed deferred", feed_id=feed_id, until=poll.until.isoformat())
    else:
        outcome = poll.reason if isinstance(poll, Failed) else Reason.RATE_LIMITED
        log.info("feed failed", feed_id=feed_id, reason=outcome, detail=poll.detail)
    FEEDS_POLLED.labels(outcome).inc()
