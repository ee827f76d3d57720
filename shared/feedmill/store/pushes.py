"""What hubs have sent and nobody has read yet."""

from collections.abc import Sequence

from sqlalchemy import delete, func, insert, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.hubs import Push
from feedmill.store import clock
from feedmill.store.tables import feeds, pushes

# Whoever sends more before any is read sends what the newest ones say too.
_KEPT_PER_FEED = 3


class PushStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, feed_id: int, content_type: str, body: bytes) -> bool:
        """Keep what a hub sent, in place of the oldest if it has sent much; False if the feed is gone."""
        # Locked, so that the feed is not removed between the look and the insert; and locked before
        # any push is, as everywhere, so that no two wait for each other.
        feed = select(feeds.c.id, literal(content_type), literal(body), clock.now()).where(
            feeds.c.id == feed_id
        )
        added = insert(pushes).from_select(
            ["feed_id", "content_type", "body", "received_at"],
            feed.with_for_update(read=True, key_share=True),
        )
        if (await self._connection.execute(added.returning(pushes.c.id))).first() is None:
            return False
        newest = (
            select(pushes.c.id)
            .where(pushes.c.feed_id == feed_id)
            .order_by(pushes.c.id.desc())
            .limit(_KEPT_PER_FEED)
        )
        await self._connection.execute(
            delete(pushes).where(pushes.c.feed_id == feed_id, pushes.c.id.not_in(newest))
        )
        return True

    async def waiting(self, *, shard: int, shards: int, limit: int) -> Sequence[int]:
        """Return the ids of what hubs sent for a shard's feeds, oldest first."""
        statement = (
            select(pushes.c.id)
            .where(pushes.c.feed_id % shards == shard)
            .order_by(pushes.c.id)
            .limit(limit)
        )
        return (await self._connection.execute(statement)).scalars().all()

    async def count(self, *, shard: int, shards: int) -> int:
        """Return how much of what hubs sent for a shard's feeds nobody has read yet."""
        statement = select(func.count()).where(pushes.c.feed_id % shards == shard)
        return int((await self._connection.execute(statement)).scalar_one())

    async def get(self, push_id: int) -> Push | None:
        """Return what a hub sent; None if somebody has read it since."""
        found = await self._connection.execute(select(pushes).where(pushes.c.id == push_id))
        row = found.mappings().one_or_none()
        return None if row is None else Push.model_validate(row)

    async def remove(self, push_id: int) -> bool:
        """Forget what a hub sent; False if somebody else did already.

        In the transaction that writes what it says, this makes it be read once.
        """
        removed = delete(pushes).where(pushes.c.id == push_id).returning(pushes.c.id)
        return (await self._connection.execute(removed)).scalar_one_or_none() is not None
