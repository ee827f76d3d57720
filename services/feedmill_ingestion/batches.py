"""What one transaction writes of the polls that end together."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from feedmill.models.base import Model
from feedmill.models.events import EventKind, NewEvent, RunRef
from feedmill.models.feeds import FeedToPoll, SnapshotEntry
from feedmill.models.hosts import Place
from feedmill.store import Transaction
from feedmill.telemetry.logs import get_logger
from feedmill_ingestion.aftermath import after_poll
from feedmill_ingestion.moves import MOST_SITES, believed_move
from feedmill_ingestion.news import add_new, news_of
from feedmill_ingestion.polls import Failed, Found, Poll, Postponed, Shown
from feedmill_ingestion.scheduling import Pace
from feedmill_ingestion.silence import notice_silence

log = get_logger(__name__)


class Recorded(Model):
    """How a feed stands after its poll.

    Attributes
    ----------
    feed
        None when it was removed meanwhile; another one when it turned out to be that.
    overtaken
        Somebody else polled it meanwhile, and theirs stands: ours may be the older answer.
    """

    feed: FeedToPoll | None
    overtaken: bool = False
    new_entry_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Ended:
    """A poll that ended and waits to be written down."""

    feed: FeedToPoll
    poll: Poll
    place: Place | None
    run: RunRef | None
    recorded: asyncio.Future[Recorded] = field(compare=False)

    @property
    def shown(self) -> Shown | None:
        """What the feed showed, wherever it was found."""
        poll = self.poll.shown if isinstance(self.poll, Found) else self.poll
        return poll if isinstance(poll, Shown) else None

    @property
    def rows(self) -> int:
        """About how many rows it takes to write it down."""
        snapshot = self.shown.snapshot if self.shown is not None else None
        return 5 + (2 * len(snapshot.entries) if snapshot is not None else 0)


async def write_batch(tx: Transaction, batch: Sequence[Ended], pace: Pace) -> dict[int, Recorded]:
    """Write down polls of different feeds, each with all that belongs to it; return how these stand."""
    stored = await tx.feeds.lock([ended.feed.id for ended in batch])
    now = await tx.now()
    ours = [ended for ended in batch if _stands(ended, stored.get(ended.feed.id))]
    settled = {ended.feed.id: await _settle(tx, ended) for ended in ours}
    ours = [ended for ended in ours if settled[ended.feed.id] == ended.feed.id]
    added = await add_new(tx, stored, _shown(ours))
    stored |= await notice_silence(tx, stored, added, now)
    after = {
        ended.feed.id: after_poll(stored[ended.feed.id], ended.poll, now=now, pace=pace)
        for ended in ours
    }
    await tx.feeds.keep(after.values())
    await tx.websub.reconsider(_with_other_hubs(stored, after))
    for ended in ours:
        feed_id = ended.feed.id
        tx.events.append(*_news(ended, stored[feed_id], after[feed_id], added.get(feed_id, ())))
        settled[feed_id] = await _move(tx, after[feed_id], now)
    await tx.hosts.give_back([ended.place for ended in batch if ended.place is not None])
    others = await tx.feeds.get([stays for id_, stays in settled.items() if stays != id_])
    standing = {**stored, **after}
    return {
        feed_id: Recorded(
            feed=others.get(settled.get(feed_id, feed_id)) or standing.get(feed_id),
            overtaken=feed_id not in settled,
            new_entry_ids=tuple(added.get(feed_id, ())),
        )
        for feed_id in (ended.feed.id for ended in batch)
    }


def _stands(ended: Ended, stored: FeedToPoll | None) -> bool:
    """Tell whether nobody has polled the feed, or removed it, since it was asked."""
    return stored is not None and stored.last_polled_at == ended.feed.last_polled_at


def _shown(batch: Sequence[Ended]) -> dict[int, Sequence[SnapshotEntry]]:
    return {
        ended.feed.id: ended.shown.snapshot.entries
        for ended in batch
        if ended.shown is not None and ended.shown.snapshot is not None
    }


def _with_other_hubs(
    before: Mapping[int, FeedToPoll], after: Mapping[int, FeedToPoll]
) -> list[int]:
    """Return the feeds whose hubs are to be asked something else than before."""
    return [
        feed_id
        for feed_id, feed in after.items()
        if feed.announcement != before[feed_id].announcement
    ]


async def _settle(tx: Transaction, ended: Ended) -> int:
    """Let a feed live where it was found; return which feed it is now."""
    if not isinstance(ended.poll, Found):
        return ended.feed.id
    stays = await tx.feeds.move(ended.feed.id, ended.poll.link.url)
    log.info("feed found", feed_id=ended.feed.id, stays=stays, url=ended.poll.link.url)
    return stays


async def _move(tx: Transaction, feed: FeedToPoll, now: datetime) -> int:
    """Ask a feed elsewhere from now on, if it has said so for long enough and is alone in it."""
    target = believed_move(feed, now=now)
    if target is None or await tx.feeds.sites_moving_to(target) > MOST_SITES:
        return feed.id
    stays = await tx.feeds.move(feed.id, target)
    tx.events.append(NewEvent(kind=EventKind.FEED_MOVED, feed_id=stays, detail=target))
    log.info("feed moved", feed_id=feed.id, stays=stays, url=target)
    return stays


def _news(
    ended: Ended, before: FeedToPoll, after: FeedToPoll, new: Sequence[int]
) -> list[NewEvent]:
    """Return what readers are told: news, and everything if somebody waits for this very poll."""

    def event(kind: EventKind, detail: str) -> NewEvent:
        return NewEvent(kind=kind, feed_id=before.id, run=ended.run, detail=detail)

    if ended.shown is not None:
        has_recovered = before.failures > 0
        if not (new or has_recovered or ended.run):
            return []
        return news_of(before.id, new, ended.run)
    if isinstance(ended.poll, Postponed) or after.last_reason is None:
        return []
    if after.retired_at is not None and before.retired_at is None:
        return [event(EventKind.FEED_RETIRED, after.last_reason)]
    is_news = isinstance(ended.poll, Failed) and before.last_reason != after.last_reason
    return [event(EventKind.FEED_FAILED, after.last_reason)] if is_news or ended.run else []
