from collections.abc import Sequence

from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.entries import EntryStanding, EntryToFetch, Stage
from feedmill.models.feeds import SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.store.tables import entries

_WAITING = (Stage.NEW, Stage.FETCHED)


class EntryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_new(self, feed_id: int, shown: Sequence[SnapshotEntry]) -> list[int]:
        """Insert the entries this feed has not shown before, and return exactly their ids."""
        if not shown:
            return []
        statement = (
            insert(entries)
            .values([{"feed_id": feed_id, **entry.model_dump()} for entry in shown])
            .on_conflict_do_nothing(index_elements=["feed_id", "guid"])
            .returning(entries.c.id)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def waiting(self, feed_id: int) -> list[int]:
        """Return this feed's entries that have not reached an end stage, newest first."""
        statement = (
            select(entries.c.id)
            .where(entries.c.feed_id == feed_id, entries.c.stage.in_(_WAITING))
            .order_by(entries.c.published_at.desc().nulls_last(), entries.c.id)
        )
        return list((await self._connection.execute(statement)).scalars())

    async def to_fetch(self, entry_ids: Sequence[int]) -> list[EntryToFetch]:
        """Return what a fetcher has to know of these entries; those that are gone are left out."""
        rows = await self._connection.execute(select(entries).where(entries.c.id.in_(entry_ids)))
        return [_to_fetch(row) for row in rows]

    async def standings(self, entry_ids: Sequence[int]) -> dict[int, EntryStanding]:
        """Return where these entries stand, by id; those that are gone are left out."""
        statement = select(entries.c.id, entries.c.stage, entries.c.reason, entries.c.detail).where(
            entries.c.id.in_(entry_ids)
        )
        rows = await self._connection.execute(statement)
        return {row.id: EntryStanding.model_validate(row._mapping) for row in rows}  # noqa: SLF001 - a row's public mapping

    async def move(
        self,
        entry_id: int,
        *,
        before: Stage,
        after: Stage,
        reason: Reason | None = None,
        detail: str = "",
    ) -> bool:
        """Move an entry one stage on; False when it no longer stands at `before`.

        The check makes every stage change happen once, however often an activity is run.
        """
        statement = (
            update(entries)
            .where(entries.c.id == entry_id, entries.c.stage == before)
            .values(stage=after, reason=reason, detail=detail)
            .returning(entries.c.id)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() is not None


def _to_fetch(row: Row[tuple[object, ...]]) -> EntryToFetch:
    return EntryToFetch.model_validate(row._mapping)  # noqa: SLF001 - a row's public mapping
