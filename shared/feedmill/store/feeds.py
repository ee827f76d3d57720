import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    Select,
    delete,
    func,
    or_,
    select,
    text,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.feeds import Feed, FeedToPoll
from feedmill.store import clock
from feedmill.store.given import given, texts
from feedmill.store.tables import aliases, feeds, subscriptions
from feedmill.store.websub import is_pushed

# Longer than any poll takes; a poller that died is taken for dead after it.
_LEASE = timedelta(minutes=10)

# What a poll may change, written for many feeds in one statement.
_KEPT = (
    "title", "site_url", "etag", "last_modified", "validators_url", "rejected", "body_hash",
    "last_polled_at", "last_success_at", "next_poll_at", "last_reason", "last_detail", "failures",
    "failing_since", "entries_per_week", "newest_entry_at", "hints", "moved_to", "moved_since",
    "moved_polls", "gone_since", "retired_at", "hub_url", "topic_url",
)  # fmt: skip
_KEEP = text(
    f"update feeds set lease_until = null, ({', '.join(_KEPT)}) = "  # noqa: S608 - names of ours
    f"row({', '.join(f'kept.{name}' for name in _KEPT)}) "
    "from jsonb_populate_recordset(null::feeds, cast(:kept as jsonb)) as kept "
    "where feeds.id = kept.id"
)

_POSTPONE = text(
    "update feeds set next_poll_at = later.next_poll_at "
    "from jsonb_populate_recordset(null::feeds, cast(:later as jsonb)) as later "
    "where feeds.id = later.id"
)


class DueFeed(NamedTuple):
    """As much of a feed as it takes to see whose turn it is: many are looked at for each one polled."""

    id: int
    url: str


class FeedStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, url: str, *, first_poll_in: timedelta = timedelta(0)) -> int:
        """Return the id of the feed at `url`, or once at it; adding it if nobody follows it yet.

        Parameters
        ----------
        first_poll_in
            When a new feed is due by itself: later, for one that somebody polls at once.
        """
        await self.hold([url])
        known = await self.known_as([url])
        if known:
            return known[url]
        statement = (
            insert(feeds)
            .values(url=url, next_poll_at=clock.now() + first_poll_in)
            # An update that changes nothing, so that the id of an existing row is returned too.
            .on_conflict_do_update(index_elements=["url"], set_={"url": url})
            .returning(feeds.c.id)
        )
        return int((await self._connection.execute(statement)).scalar_one())

    async def known_as(self, urls: Sequence[str]) -> dict[str, int]:
        """Return the feeds that were at these addresses, or were found there, by address."""
        statement = select(aliases.c.url, aliases.c.feed_id).where(aliases.c.url.in_(urls))
        return {row.url: row.feed_id for row in await self._connection.execute(statement)}

    async def hold(self, urls: Sequence[str]) -> None:
        """Keep the feeds that are or were at these addresses from being removed, or polled, meanwhile."""
        there = given(texts("url", urls))
        ids = union(
            select(feeds.c.id).join(there, there.c.url == feeds.c.url),
            select(aliases.c.feed_id).join(there, there.c.url == aliases.c.url),
        )
        # In the order in which polls lock them.
        statement = select(feeds.c.id).where(feeds.c.id.in_(ids)).order_by(feeds.c.id)
        await self._connection.execute(statement.with_for_update())

    async def subscribe(self, user_id: int, feed_id: int) -> bool:
        """Let a user follow a feed; False when they did already."""
        statement = (
            insert(subscriptions)
            .values(user_id=user_id, feed_id=feed_id)
            .on_conflict_do_nothing()
            .returning(subscriptions.c.feed_id)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() is not None

    async def unsubscribe(self, user_id: int, feed_id: int) -> bool:
        """Let a user leave a feed, and forget the feed if they were the last; False if they did not follow it."""
        # Whoever follows it meanwhile waits for us, or is seen by the last statement.
        await self._connection.execute(
            select(feeds.c.id).where(feeds.c.id == feed_id).with_for_update()
        )
        left = await self._connection.execute(
            delete(subscriptions)
            .where(subscriptions.c.user_id == user_id, subscriptions.c.feed_id == feed_id)
            .returning(subscriptions.c.feed_id)
        )
        if left.scalar_one_or_none() is None:
            return False
        followed = select(subscriptions.c.feed_id).where(subscriptions.c.feed_id == feed_id)
        await self._connection.execute(
            delete(feeds).where(feeds.c.id == feed_id, ~followed.exists())
        )
        return True

    async def get(self, feed_ids: Sequence[int]) -> dict[int, FeedToPoll]:
        """Return what a poller has to know of these feeds; feeds that are gone are left out."""
        return await self._by_id(_to_poll().where(feeds.c.id.in_(feed_ids)))

    async def lock(self, feed_ids: Sequence[int]) -> dict[int, FeedToPoll]:
        """Do the same, and keep the feeds from being changed or removed until the transaction ends."""
        # In one order everywhere, so that no two wait for each other.
        statement = _to_poll().where(feeds.c.id.in_(feed_ids)).order_by(feeds.c.id)
        return await self._by_id(statement.with_for_update(of=feeds))

    async def lock_due(self, *, shard: int, shards: int, limit: int) -> list[DueFeed]:
        """Return the feeds of a shard that have been due for longest and that nobody polls or looks at."""
        statement = (
            select(feeds.c.id, feeds.c.url)
            .where(feeds.c.next_poll_at <= clock.moment(), _is_free(), feeds.c.id % shards == shard)
            .order_by(feeds.c.next_poll_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [DueFeed(*row) for row in await self._connection.execute(statement)]

    async def lease(self, feed_ids: Sequence[int], owner: str) -> list[int]:
        """Make these feeds `owner`'s to poll, except those that somebody else polls; return them.

        Whoever asks again under the same name has its feeds still.
        """
        leased = (
            update(feeds)
            .where(feeds.c.id.in_(feed_ids), or_(_is_free(), feeds.c.lease_owner == owner))
            .values(lease_owner=owner, lease_until=clock.now() + _LEASE)
            .returning(feeds.c.id)
        )
        return list((await self._connection.execute(leased)).scalars())

    async def release(self, feed_ids: Sequence[int], owner: str) -> None:
        """Give up leases without having polled."""
        await self._connection.execute(
            update(feeds)
            .where(feeds.c.id.in_(feed_ids), feeds.c.lease_owner == owner)
            .values(lease_until=None)
        )

    async def release_all(self, owner: str) -> None:
        """Give up every lease of an owner that broke off."""
        await self._connection.execute(
            update(feeds)
            .where(feeds.c.lease_owner == owner, feeds.c.lease_until.is_not(None))
            .values(lease_until=None)
        )

    async def polled_by(self, owner: str) -> list[int]:
        """Return the feeds that were polled last under a name."""
        statement = select(feeds.c.id).where(
            feeds.c.lease_owner == owner, feeds.c.lease_until.is_(None)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def keep(self, polled: Iterable[Feed]) -> None:
        """Write down how these feeds stand after their polls, and end their leases."""
        rows = [_row(feed) for feed in polled]
        if rows:
            await self._connection.execute(_KEEP, {"kept": json.dumps(rows, default=str)})

    async def postpone(self, until: Mapping[int, datetime]) -> None:
        """Make feeds due at another time."""
        rows = [{"id": feed_id, "next_poll_at": at} for feed_id, at in until.items()]
        if rows:
            await self._connection.execute(_POSTPONE, {"later": json.dumps(rows, default=str)})

    async def has_news_of(self, feed_id: int, at: datetime | None) -> None:
        """Remember when an entry of a feed was published, if that is known and none is newer."""
        newest = func.greatest(feeds.c.newest_entry_at, at)
        await self._connection.execute(
            update(feeds).where(feeds.c.id == feed_id).values(newest_entry_at=newest)
        )

    async def learn_texts(self, feed_id: int, *, whole: bool) -> None:
        """Write down whether a page said no more than its feed, or more, once again."""
        before = feeds.c.whole_texts
        after = func.greatest(before, 0) + 1 if whole else func.least(before, 0) - 1
        await self._connection.execute(
            update(feeds).where(feeds.c.id == feed_id).values(whole_texts=after)
        )

    async def next_due_at(self, *, shard: int, shards: int) -> datetime | None:
        """Return when a shard's next feed is due that nobody polls now; None when it has none."""
        statement = (
            select(feeds.c.next_poll_at)
            .where(feeds.c.next_poll_at.is_not(None), _is_free(), feeds.c.id % shards == shard)
            .order_by(feeds.c.next_poll_at)
            .limit(1)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def sites_moving_to(self, url: str) -> int:
        """Return how many sites send their feeds to one address."""
        site = func.split_part(feeds.c.url, "/", 3)
        statement = select(func.count(site.distinct())).where(feeds.c.moved_to == url)
        return int((await self._connection.execute(statement)).scalar_one())

    async def move(self, feed_id: int, url: str) -> int:
        """Ask a feed at another address from now on; return the id under which it goes on.

        Where another feed lives there already, its followers and those entries that it has not
        shown itself become that feed's, and it is gone. Its old address and id stay known.
        """
        taken = select(feeds.c.id).where(feeds.c.url == url, feeds.c.id != feed_id)
        other = (await self._connection.execute(taken.with_for_update())).scalar_one_or_none()
        stays = feed_id if other is None else int(other)
        named = {"gone": feed_id, "stays": stays, "url": url}
        await self._connection.execute(_FORGET_ALIAS, named)
        await self._connection.execute(_REMEMBER_ALIAS, named)
        if stays != feed_id:
            for merge in _MERGES:
                await self._connection.execute(merge, named)
            await self._connection.execute(delete(feeds).where(feeds.c.id == feed_id))
        else:
            await self._connection.execute(
                update(feeds)
                .where(feeds.c.id == feed_id)
                .values(url=url, moved_to=None, moved_since=None, moved_polls=0)
            )
        return stays

    async def _by_id(self, statement: Select[Any]) -> dict[int, FeedToPoll]:
        rows = (await self._connection.execute(statement)).mappings()
        return {row["id"]: _feed(row) for row in rows}


_FORGET_ALIAS = text("delete from aliases where url = :url")
_REMEMBER_ALIAS = text(
    "insert into aliases (url, feed_id, was_id) "
    "select url, :stays, case when id <> :stays then id end from feeds where id = :gone "
    "on conflict (url) do update set feed_id = excluded.feed_id, was_id = excluded.was_id"
)
_MERGES = (
    text(
        "insert into subscriptions (user_id, feed_id, created_at, category_id, title, added_by) "
        "select user_id, :stays, created_at, category_id, title, added_by from subscriptions "
        "where feed_id = :gone on conflict do nothing"
    ),
    text(
        "update entries set feed_id = :stays where feed_id = :gone "
        "and guid not in (select guid from entries where feed_id = :stays)"
    ),
    text(
        "insert into tombstones (feed_id, guid) select :stays, guid from tombstones "
        "where feed_id = :gone on conflict do nothing"
    ),
    text("update aliases set feed_id = :stays where feed_id = :gone"),
)


def _is_free() -> ColumnElement[bool]:
    return or_(feeds.c.lease_until.is_(None), feeds.c.lease_until <= clock.now())


def _to_poll() -> Select[Any]:
    followers = select(func.count()).where(subscriptions.c.feed_id == feeds.c.id)
    return select(
        feeds,
        followers.scalar_subquery().label("subscribers"),
        is_pushed().label("pushed"),
    )


def _feed(row: RowMapping) -> FeedToPoll:
    validators = {
        "etag": row["etag"],
        "last_modified": row["last_modified"],
        "url": row["validators_url"],
    }
    return FeedToPoll.model_validate({**row, "validators": validators})


def _row(feed: Feed) -> dict[str, object]:
    row = feed.model_dump(mode="json", include={"id", *_KEPT}, by_alias=False)
    return row | {
        "etag": feed.validators.etag,
        "last_modified": feed.validators.last_modified,
        "validators_url": feed.validators.url,
    }
