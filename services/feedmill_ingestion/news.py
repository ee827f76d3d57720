"""What is new of what a feed shows, be it polled or pushed: it is stored, and readers are told."""

from collections.abc import Mapping, Sequence

from feedmill.models.events import EventKind, NewEvent, RunRef
from feedmill.models.feeds import FeedToPoll, SnapshotEntry
from feedmill.store import Transaction
from feedmill_ingestion.identity import really_new

Shows = Mapping[int, Sequence[SnapshotEntry]]


async def add_new(
    tx: Transaction, feeds: Mapping[int, FeedToPoll], shown: Shows
) -> dict[int, list[int]]:
    """Store the entries that feeds show for the first time, and return their ids, by feed.

    Parameters
    ----------
    feeds
        At least those that show something, as they were before.
    """
    return await tx.entries.add_new(await _new(tx, feeds, shown))


def news_of(feed_id: int, new: Sequence[int], run: RunRef | None = None) -> list[NewEvent]:
    """Return what readers are told of a feed that has shown entries for the first time."""
    return [
        NewEvent(kind=EventKind.FEED_POLLED, feed_id=feed_id, run=run, detail=f"{len(new)} new"),
        *(
            NewEvent(kind=EventKind.ENTRY_ADDED, feed_id=feed_id, entry_id=entry_id, run=run)
            for entry_id in new
        ),
    ]


async def _new(tx: Transaction, feeds: Mapping[int, FeedToPoll], shown: Shows) -> Shows:
    """Return what feeds show for the first time, as far as can be told before it is stored."""
    seen_before = {
        feed_id: entries
        for feed_id, entries in shown.items()
        if feeds[feed_id].last_success_at is not None
    }
    if not seen_before:
        return shown
    known = await tx.entries.known(seen_before)
    return {
        **shown,
        **{
            feed_id: really_new(entries, known[feed_id]) for feed_id, entries in seen_before.items()
        },
    }
