"""What a reader does with lists, whether through the API or a form."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from feedmill.config import Network
from feedmill.errors import PermanentError
from feedmill.isolation import IsolationError, open_pool
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.lists import (
    MAX_LIST_BYTES,
    FeedsFollowed,
    Listed,
    ListedFeed,
    ListImported,
    OutlineOutcome,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill_gateway.lists.markup import ListRefused
from feedmill_gateway.lists.reading import ListRead, read_list
from feedmill_gateway.lists.writing import write_list
from feedmill_gateway.runs import Runs

# Long lists take one or two; what takes longer is made to.
_READING_SECONDS = 15.0


class ListRefusedError(PermanentError):
    """A file is no list that can be read; nothing was changed.

    Attributes
    ----------
    reason
        A member of `feedmill.models.outcomes.Reason`.
    """

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class ListReader:
    """Reads files, one at a time, each in a process that ends with it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, body: bytes, networks: Sequence[Network]) -> ListRead:
        """Read an OPML file.

        Raises
        ------
        ListRefusedError
            It is none, or none that can be read safely.
        """
        if len(body) > MAX_LIST_BYTES:
            raise too_large()
        try:
            # Lists are rare: a process kept for the next one would be memory kept for nothing.
            async with self._turn, open_pool(1) as pool:
                read = await pool.run(_READING_SECONDS, read_list, body, tuple(networks))
        except IsolationError as error:
            detail = f"Reading it {error}."
            raise ListRefusedError(detail, reason=Reason.LIST_UNREADABLE) from error
        if isinstance(read, ListRefused):
            raise ListRefusedError(
                f"The file cannot be imported: {read.detail}.", reason=read.reason
            )
        return read


def too_large() -> ListRefusedError:
    """Return what is said of a file that is too long to be read at all."""
    return ListRefusedError(
        f"The file is larger than {MAX_LIST_BYTES // 1024**2} MB.", reason=Reason.LIST_TOO_LARGE
    )


async def import_list(
    body: bytes,
    user_id: int,
    store: Store,
    runs: Runs,
    reader: ListReader,
    networks: Sequence[Network],
) -> ListImported:
    """Let a user follow every feed of an OPML file: all of it, or nothing if something fails.

    Doing so again changes nothing. New feeds are due at once, and are polled one after the other
    as their hosts allow; whoever polls is woken for them.

    Raises
    ------
    ListRefusedError
        The file as a whole cannot be read.
    """
    read = await reader.read(body, networks)
    async with store.transaction() as tx:
        followed = await tx.lists.follow(user_id, read.feeds, read.categories)
        tx.events.append(
            *(
                NewEvent(kind=EventKind.FEED_ADDED, feed_id=feed_id)
                for feed_id in followed.feed_ids.values()
            )
        )
    if followed.feed_ids:
        await runs.wake_shards()
    return report(read, followed)


async def export_list(user_id: int, store: Store) -> str:
    """Return everything a user follows as an OPML file."""
    async with store.transaction() as tx:
        feeds = await tx.lists.listed(user_id)
        categories = await tx.categories.of(user_id)
    return await asyncio.to_thread(write_list, feeds, categories, now=datetime.now(UTC))


def report(read: ListRead, followed: FeedsFollowed) -> ListImported:
    """Return what came of each outline, once the store has followed the feeds."""
    before = (_followed(feed) for feed in read.feeds if feed.url not in followed.feed_ids)
    lines = sorted([*read.rejected, *before], key=lambda outcome: outcome.line)
    count = Counter(outcome.outcome for outcome in lines)
    return ListImported(
        outlines=len(lines) + len(followed.feed_ids),
        added=len(followed.feed_ids),
        followed=count[Listed.FOLLOWED],
        duplicates=count[Listed.DUPLICATE],
        broken=count[Listed.BROKEN],
        categories=followed.categories,
        lines=tuple(lines),
    )


def _followed(feed: ListedFeed) -> OutlineOutcome:
    return OutlineOutcome(line=feed.line, outcome=Listed.FOLLOWED, title=feed.title, url=feed.url)
