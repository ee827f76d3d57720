from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import BigInteger, func, literal, nulls_first, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.lists import FeedsFollowed, ListedFeed
from feedmill.store import clock
from feedmill.store.categories import CategoryStore, Path, category_paths
from feedmill.store.feeds import FeedStore
from feedmill.store.given import given, numbers, texts
from feedmill.store.tables import feeds, subscriptions


class ListStore:
    """What a user follows as a whole, in a handful of statements however much it is."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._categories = CategoryStore(connection)
        self._feeds = FeedStore(connection)

    async def follow(
        self, user_id: int, listed: Sequence[ListedFeed], empty: Collection[Path] = ()
    ) -> FeedsFollowed:
        """Let a user follow every feed of a list, each in its category and under its title.

        What they follow already stays as it is. New feeds are due at once.

        Parameters
        ----------
        listed
            No URL twice.
        empty
            Categories that are wanted whether or not a feed is in them.
        """
        wanted = {feed.category for feed in listed if feed.category} | set(empty)
        category_ids, made = await self._categories.make(user_id, wanted)
        feed_ids = await self._add([feed.url for feed in listed])
        # Two addresses may be one feed's: where it is now, and where it was. The first counts.
        feeds_listed = {feed_ids[feed.url]: feed for feed in reversed(listed)}
        new = await self._subscribe(user_id, feeds_listed, category_ids)
        followed = {feed.url: feed_id for feed_id, feed in feeds_listed.items() if feed_id in new}
        return FeedsFollowed(feed_ids=followed, categories=made)

    async def listed(self, user_id: int) -> list[ListedFeed]:
        """Return every feed a user follows, as their list has it."""
        paths = category_paths(user_id)
        title = func.coalesce(subscriptions.c.title, feeds.c.title)
        rows = await self._connection.execute(
            select(feeds.c.url, title.label("title"), feeds.c.site_url, paths.c.path)
            .join(subscriptions, subscriptions.c.feed_id == feeds.c.id)
            .outerjoin(paths, paths.c.id == subscriptions.c.category_id)
            .where(subscriptions.c.user_id == user_id)
            .order_by(nulls_first(paths.c.path), func.lower(title), feeds.c.id)
        )
        return [
            ListedFeed(
                url=row.url, title=row.title, category=tuple(row.path or ()), site_url=row.site_url
            )
            for row in rows
        ]

    async def rename(self, user_id: int, feed_id: int, title: str) -> None:
        """Call a followed feed `title` from now on; empty: what it calls itself."""
        await self._change(user_id, feed_id, {"title": title or None})

    async def move(self, user_id: int, feed_id: int, category: Path) -> None:
        """Put a followed feed into a category, making it where it is missing; empty: into none."""
        ids, _ = await self._categories.make(user_id, [category])
        await self._change(user_id, feed_id, {"category_id": ids.get(category)})

    async def _change(self, user_id: int, feed_id: int, values: Mapping[str, object]) -> None:
        await self._connection.execute(
            update(subscriptions)
            .where(subscriptions.c.user_id == user_id, subscriptions.c.feed_id == feed_id)
            .values(**values)
        )

    async def _add(self, urls: Sequence[str]) -> dict[str, int]:
        await self._feeds.hold(urls)
        known = await self._feeds.known_as(urls)
        wanted = given(texts("url", [url for url in urls if url not in known]))
        rows = await self._connection.execute(
            insert(feeds)
            # In one order, so that two lists imported at once never wait for each other.
            .from_select(
                ["url", "next_poll_at"],
                select(wanted.c.url, clock.now()).order_by(wanted.c.url),
            )
            # An update that changes nothing, so that the id of an existing row is returned too,
            # and the row stays until the transaction ends.
            .on_conflict_do_update(index_elements=["url"], set_={"url": feeds.c.url})
            .returning(feeds.c.url, feeds.c.id)
        )
        return known | {row.url: row.id for row in rows}

    async def _subscribe(
        self,
        user_id: int,
        listed: Mapping[int, ListedFeed],
        category_ids: Mapping[Path, int],
    ) -> frozenset[int]:
        rows = given(
            numbers("feed_id", list(listed)),
            numbers("category_id", [category_ids.get(feed.category) for feed in listed.values()]),
            texts("title", [feed.title or None for feed in listed.values()]),
        )
        new = await self._connection.execute(
            insert(subscriptions)
            .from_select(
                ["user_id", "feed_id", "category_id", "title"],
                select(
                    literal(user_id, BigInteger), rows.c.feed_id, rows.c.category_id, rows.c.title
                ).order_by(rows.c.feed_id),
            )
            .on_conflict_do_nothing()
            .returning(subscriptions.c.feed_id)
        )
        return frozenset(new.scalars())
