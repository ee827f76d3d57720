"""Following feeds so that it can be undone: each row knows the run that added it."""

from datetime import timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.errors import NotFoundError
from feedmill.store import clock
from feedmill.store.feeds import FeedStore
from feedmill.store.tables import aliases, feeds, subscriptions


class SubscribingStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._feeds = FeedStore(connection)

    async def add_feed(self, url: str, by: str, *, first_poll_in: timedelta) -> int:
        """Return the id of the feed at `url`; if nobody has added it yet, a run does so now."""
        await self._feeds.hold([url])
        known = await self._feeds.known_as([url])
        if known:
            return known[url]
        await self._connection.execute(
            insert(feeds)
            .values(url=url, next_poll_at=clock.now() + first_poll_in, added_by=by)
            .on_conflict_do_nothing(index_elements=["url"])
        )
        # Locked, so that nobody undoes it between now and our commit.
        statement = select(feeds.c.id).where(feeds.c.url == url).with_for_update()
        return int((await self._connection.execute(statement)).scalar_one())

    async def follow(self, user_id: int, feed_id: int, by: str) -> bool:
        """Let a user follow a feed, or what it has become; False when they did already.

        Raises
        ------
        NotFoundError
            It was forgotten meanwhile: whoever had added it has undone that.
        """
        statement = (
            insert(subscriptions)
            .values(user_id=user_id, feed_id=await self._held(feed_id), added_by=by)
            .on_conflict_do_nothing()
            .returning(subscriptions.c.feed_id)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() is not None

    async def _held(self, feed_id: int) -> int:
        """Return the number that a feed has by now, and keep the feed until we commit."""
        became = select(aliases.c.feed_id).where(aliases.c.was_id == feed_id).scalar_subquery()
        statement = (
            select(feeds.c.id)
            .where(feeds.c.id == func.coalesce(became, feed_id))
            .with_for_update(key_share=True)
        )
        now = (await self._connection.execute(statement)).scalar_one_or_none()
        if now is None:
            raise NotFoundError(f"Feed {feed_id} was forgotten meanwhile.")
        return int(now)

    async def undo_follow(self, user_id: int, by: str) -> list[int]:
        """Let a user leave the feeds that a run let them follow; return these."""
        statement = (
            delete(subscriptions)
            .where(subscriptions.c.user_id == user_id, subscriptions.c.added_by == by)
            .returning(subscriptions.c.feed_id)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def undo_add_feed(self, by: str) -> list[int]:
        """Forget the feeds that a run added, unless somebody follows them by now; return these."""
        # Whoever follows it meanwhile waits for us, or is seen by the last statement.
        added = select(feeds.c.id).where(feeds.c.added_by == by).with_for_update()
        ids = list((await self._connection.execute(added)).scalars())
        followed = select(subscriptions.c.feed_id).where(subscriptions.c.feed_id == feeds.c.id)
        statement = (
            delete(feeds).where(feeds.c.id.in_(ids), ~followed.exists()).returning(feeds.c.id)
        )
        return list((await self._connection.execute(statement)).scalars())
