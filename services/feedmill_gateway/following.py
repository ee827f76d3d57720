"""What a reader does with feeds, whether through the API or a form."""

from collections.abc import Sequence
from contextlib import suppress

from feedmill.config import Network
from feedmill.errors import NotFoundError, UrlRefusedError
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.outcomes import Reason
from feedmill.models.reader import FeedAdded, FeedView, RunStarted
from feedmill.store import Store
from feedmill.web.addresses import check_url
from feedmill_gateway.queries import FeedChange
from feedmill_gateway.runs import Runs
from feedmill_gateway.subscriptions import Subscriptions

# Postgres cannot index much more, and no feed needs it.
_URL_CHARACTERS = 2_000


async def follow_feed(
    url: str,
    user_id: int,
    store: Store,
    subscriptions: Subscriptions,
    networks: Sequence[Network],
) -> FeedAdded:
    """Let a user follow the feed at `url`, and take it the whole way at once.

    Doing so again changes nothing, and joins the run under way.

    Raises
    ------
    UrlRefusedError
        The address is none that Feedmill asks.
    FollowingFailedError
        A fault of ours; what was begun is undone.
    TemporalUnavailableError
        Nothing was begun.
    """
    # Said at once, without a run; those who ask the address judge it again.
    checked = _checked(url, networks)
    begun = await subscriptions.begin(user_id, checked)
    feed = None if begun.feed_id is None else await _followed(begun.feed_id, user_id, store)
    return FeedAdded(feed=feed, run=begun.run)


async def _followed(feed_id: int, user_id: int, store: Store) -> FeedView | None:
    """Return a feed that was followed a moment ago; None if it has turned out to be none."""
    with suppress(NotFoundError):
        async with store.transaction() as tx:
            return await tx.reader.feed(user_id, feed_id)
    return None


async def refresh_feed(feed_id: int, user_id: int, store: Store, runs: Runs) -> RunStarted:
    """Take a followed feed the whole way now.

    Raises
    ------
    NotFoundError
        The user does not follow it.
    """
    async with store.transaction() as tx:
        feed = await tx.reader.feed(user_id, feed_id)
    return await runs.refresh(feed.id, feed.url)


async def leave_feed(feed_id: int, user_id: int, store: Store) -> None:
    """Let a user follow a feed no more.

    Raises
    ------
    NotFoundError
        They do not follow it.
    """
    async with store.transaction() as tx:
        # A feed that became another one is known by either number: what is done, is done to what it is.
        feed = await tx.reader.feed(user_id, feed_id)
        if not await tx.feeds.unsubscribe(user_id, feed.id):
            raise NotFoundError(f"You follow no feed {feed_id}.")
        tx.events.append(NewEvent(kind=EventKind.FEED_REMOVED, feed_id=feed.id))


async def change_feed(feed_id: int, change: FeedChange, user_id: int, store: Store) -> FeedView:
    """Call a followed feed what a user wants, and keep it where they want.

    Raises
    ------
    NotFoundError
        They do not follow it.
    """
    async with store.transaction() as tx:
        feed = await tx.reader.feed(user_id, feed_id)
        if "title" in change.model_fields_set:
            await tx.lists.rename(user_id, feed.id, change.title)
        if "category" in change.model_fields_set:
            await tx.lists.move(user_id, feed.id, change.category)
        return await tx.reader.feed(user_id, feed.id)


def _checked(url: str, networks: Sequence[Network]) -> str:
    checked = check_url(url.strip(), networks)
    if len(checked) > _URL_CHARACTERS:
        raise UrlRefusedError("The address is too long.", reason=Reason.URL_INVALID)
    return checked
