"""Entries at dead ends: how many there are and why, and taking them back to where work goes on."""

from collections.abc import Mapping, Sequence

from sqlalchemy import ColumnElement, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.entries import Stage
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import DeadEnd
from feedmill.store import clock
from feedmill.store.events import EventStore
from feedmill.store.tables import contents, entries

_DEAD_ENDS = (Stage.UNAVAILABLE, Stage.UNDISTILLABLE)

# What stands between the two slashes and a port, in a URL as it is kept.
_HOST = func.lower(func.substring(entries.c.url, "^https?://(?:[^/?#@]*@)?([^/?#:]+)"))


class RedrivingStore:
    def __init__(self, connection: AsyncConnection, events: EventStore) -> None:
        self._connection = connection
        self._events = events

    async def count(self, *, feed_id: int | None, host: str | None) -> list[DeadEnd]:
        """Return how many entries have ended where and why, the most first."""
        rows = await self._connection.execute(
            select(entries.c.stage, entries.c.reason, func.count().label("entries"))
            .where(_has_ended(feed_id, host))
            .group_by(entries.c.stage, entries.c.reason)
            .order_by(func.count().desc(), entries.c.stage, entries.c.reason)
        )
        return [DeadEnd.model_validate(row, from_attributes=True) for row in rows]

    async def take_back(
        self,
        reason: Reason,
        owners: Mapping[Stage, str],
        *,
        feed_id: int | None,
        host: str | None,
        after: int,
        limit: int,
    ) -> dict[Stage, tuple[int, ...]]:
        """Take entries that ended for a reason back, the next ones by number; return these by stage.

        One that could not be distilled is distilled again if its article is there; all others are
        fetched again, as if for the first time. What was distilled stays so.

        Parameters
        ----------
        owners
            Who is to take care of entries at each stage.
        """
        next_ones = (
            select(entries.c.id, entries.c.stage, contents.c.entry_id.label("article"))
            .outerjoin(contents, contents.c.entry_id == entries.c.id)
            .where(_has_ended(feed_id, host), entries.c.reason == reason, entries.c.id > after)
            .order_by(entries.c.id)
            .limit(limit)
            .with_for_update(of=entries, skip_locked=True)
        )
        goals: dict[Stage, list[int]] = {stage: [] for stage in owners}
        for row in await self._connection.execute(next_ones):
            has_article = row.stage == Stage.UNDISTILLABLE and row.article is not None
            goals[Stage.FETCHED if has_article else Stage.NEW].append(row.id)
        for stage, entry_ids in goals.items():
            await self._move(entry_ids, stage, owners[stage], reason)
        return {stage: tuple(ids) for stage, ids in goals.items()}

    async def _move(
        self, entry_ids: Sequence[int], stage: Stage, owner: str, reason: Reason
    ) -> None:
        moved = await self._connection.execute(
            update(entries)
            .where(entries.c.id.in_(entry_ids))
            .values(
                stage=stage,
                stage_since=clock.now(),
                owner=owner,
                owned_since=clock.now(),
                reason=None,
                detail="",
                tries=0,
                next_try_at=None,
            )
            .returning(entries.c.id, entries.c.feed_id)
        )
        self._events.append(
            *(
                NewEvent(
                    kind=EventKind.ENTRY_REDRIVEN,
                    feed_id=row.feed_id,
                    entry_id=row.id,
                    detail=reason,
                )
                for row in moved
            )
        )


def _has_ended(feed_id: int | None, host: str | None) -> ColumnElement[bool]:
    of_feed = entries.c.feed_id == feed_id if feed_id is not None else true()
    of_host = host.lower() == _HOST if host is not None else true()
    return entries.c.stage.in_(_DEAD_ENDS) & of_feed & of_host
