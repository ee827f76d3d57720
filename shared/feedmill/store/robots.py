"""What each origin's robots.txt says to us, for the whole fleet."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.base import Model
from feedmill.store import clock
from feedmill.store.tables import robots


class StoredRobots(Model):
    """A copy of the rules, and how old it is by Postgres's clock."""

    rules: str
    age: timedelta


class RobotsStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, origin: str) -> StoredRobots | None:
        """Return the last rules of an origin, however old they are."""
        age = (clock.now() - robots.c.fetched_at).label("age")
        statement = select(robots.c.rules, age).where(robots.c.origin == origin)
        row = (await self._connection.execute(statement)).one_or_none()
        return StoredRobots.model_validate(row._mapping) if row else None  # noqa: SLF001 - a row's public mapping

    async def save(self, origin: str, rules: str) -> None:
        """Store the rules an origin has just given, in place of earlier ones."""
        row = {"rules": rules, "fetched_at": clock.now()}
        await self._connection.execute(
            insert(robots)
            .values(origin=origin, **row)
            .on_conflict_do_update(index_elements=["origin"], set_=row)
        )
