"""Numbers about everything at once, for those who watch the fleet. Nothing is written."""

from datetime import timedelta

from sqlalchemy import Interval, case, func, literal, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.entries import Stage
from feedmill.models.events import EventKind
from feedmill.models.figures import FleetFigures, Readable, Waiting
from feedmill.models.reader import FeedHealth
from feedmill.store import clock
from feedmill.store.reader import HEALTH
from feedmill.store.tables import entries, events, feeds

_WAITING = (Stage.NEW, Stage.FETCHED)
_NOTHING = timedelta(0)
# As many as several pools make in a minute. Whoever is further behind catches up in several looks.
_MOST_AT_ONCE = 5_000


class FigureStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def fleet(self) -> FleetFigures:
        """Return how feeds and entries stand now."""
        return FleetFigures(
            feeds=await self._feeds(), overdue=await self._overdue(), waiting=await self._waiting()
        )

    async def newest_event(self) -> int:
        """Return the number of the newest event; 0 when there is none."""
        number = await self._connection.execute(select(func.coalesce(func.max(events.c.id), 0)))
        newest: int = number.scalar_one()
        return newest

    async def readable_after(self, number: int) -> list[Readable]:
        """Return the entries that became readable after an event, in order, some thousand at a time."""
        published = entries.c.published_at
        statement = (
            select(
                events.c.id.label("event_id"),
                (events.c.at - entries.c.created_at).label("since_seen"),
                case(
                    (
                        # A feed that is new here brings what was published long before.
                        published.between(feeds.c.created_at, events.c.at),
                        events.c.at - published,
                    )
                ).label("since_published"),
            )
            .join(entries, entries.c.id == events.c.entry_id)
            .join(feeds, feeds.c.id == entries.c.feed_id)
            .where(events.c.id > number, events.c.kind == EventKind.ENTRY_DISTILLED)
            .order_by(events.c.id)
            .limit(_MOST_AT_ONCE)
        )
        rows = await self._connection.execute(statement)
        return [Readable.model_validate(row) for row in rows.mappings()]

    async def _feeds(self) -> dict[FeedHealth, int]:
        counted = select(HEALTH.label("health"), func.count()).group_by("health")
        found = {FeedHealth(health): n for health, n in await self._connection.execute(counted)}
        return {health: found.get(health, 0) for health in FeedHealth}

    async def _overdue(self) -> timedelta:
        # What is being polled at this moment is late no more.
        due = feeds.c.next_poll_at < clock.now()
        free = func.coalesce(feeds.c.lease_until < clock.now(), literal(value=True))
        late = type_coerce(clock.now() - func.min(feeds.c.next_poll_at), Interval)
        found = await self._connection.execute(select(late).where(due, free))
        overdue: timedelta | None = found.scalar_one()
        return overdue or _NOTHING

    async def _waiting(self) -> tuple[Waiting, ...]:
        statement = (
            select(
                entries.c.stage,
                func.count().label("entries"),
                (clock.now() - func.min(entries.c.created_at)).label("oldest"),
            )
            .where(entries.c.stage.in_(_WAITING))
            .group_by(entries.c.stage)
        )
        rows = (await self._connection.execute(statement)).mappings()
        found = {waiting.stage: waiting for waiting in map(Waiting.model_validate, rows)}
        return tuple(
            found.get(stage, Waiting(stage=stage, entries=0, oldest=_NOTHING)) for stage in _WAITING
        )
