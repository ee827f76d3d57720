from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.feeds import FeedSnapshot, FeedToPoll, Validators
from feedmill.models.outcomes import Reason
from feedmill.store import clock
from feedmill.store.tables import feeds, subscriptions


class FeedStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, url: str) -> int:
        """Return the id of the feed at `url`, adding it if nobody follows it yet."""
        statement = (
            insert(feeds)
            .values(url=url)
            # An update that changes nothing, so that the id of an existing row is returned too.
            .on_conflict_do_update(index_elements=["url"], set_={"url": url})
            .returning(feeds.c.id)
        )
        return int((await self._connection.execute(statement)).scalar_one())

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

    async def to_poll(self, feed_ids: Sequence[int]) -> list[FeedToPoll]:
        """Return what a poller has to know of these feeds; feeds that are gone are left out."""
        rows = await self._connection.execute(select(feeds).where(feeds.c.id.in_(feed_ids)))
        return [_to_poll(row) for row in rows]

    async def lock(self, feed_id: int) -> FeedToPoll | None:
        """Keep a feed from being changed or removed until this transaction ends; None if it is gone."""
        statement = select(feeds).where(feeds.c.id == feed_id).with_for_update()
        row = (await self._connection.execute(statement)).one_or_none()
        return None if row is None else _to_poll(row)

    async def record_success(
        self,
        feed_id: int,
        validators: Validators,
        *,
        next_poll_in: timedelta,
        snapshot: FeedSnapshot | None = None,
        body_hash: str | None = None,
    ) -> None:
        """Write down a poll that went well. `snapshot` is None when nothing had changed."""
        now = clock.now()
        shown: dict[str, object] = {}
        if snapshot is not None:
            shown = {
                "title": snapshot.title,
                "site_url": snapshot.site_url,
                "body_hash": body_hash,
            }
        await self._connection.execute(
            update(feeds)
            .where(feeds.c.id == feed_id)
            .values(
                etag=validators.etag,
                last_modified=validators.last_modified,
                validators_url=validators.url,
                last_polled_at=now,
                last_success_at=now,
                next_poll_at=now + next_poll_in,
                last_reason=None,
                last_detail="",
                failures=0,
                **shown,
            )
        )

    async def record_failure(
        self, feed_id: int, reason: Reason, detail: str, *, next_poll_in: timedelta
    ) -> None:
        """Write down a poll that gave nothing. Validators stay what they were."""
        now = clock.now()
        await self._connection.execute(
            update(feeds)
            .where(feeds.c.id == feed_id)
            .values(
                last_polled_at=now,
                next_poll_at=now + next_poll_in,
                last_reason=reason,
                last_detail=detail,
                failures=feeds.c.failures + 1,
            )
        )


def _to_poll(row: Row[tuple[object, ...]]) -> FeedToPoll:
    validators = Validators(etag=row.etag, last_modified=row.last_modified, url=row.validators_url)
    return FeedToPoll.model_validate({**row._mapping, "validators": validators})  # noqa: SLF001 - a row's public mapping
