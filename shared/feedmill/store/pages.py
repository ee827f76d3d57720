"""Pages as they came, kept for a while."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.entries import KeptPage
from feedmill.models.reextraction import ReextractPages
from feedmill.store import clock
from feedmill.store.tables import entries, pages


class PageStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def keep(self, page: KeptPage) -> None:
        """Keep a page, in place of an earlier one of the same entry."""
        row = {**page.model_dump(exclude={"entry_id"}), "kept_at": clock.now()}
        await self._connection.execute(
            insert(pages)
            .values(entry_id=page.entry_id, **row)
            .on_conflict_do_update(index_elements=["entry_id"], set_=row)
        )

    async def forget(self, entry_id: int) -> None:
        """Keep no page of an entry any more."""
        await self._connection.execute(delete(pages).where(pages.c.entry_id == entry_id))

    async def get(self, entry_ids: Sequence[int]) -> dict[int, KeptPage]:
        """Return the pages of these entries, as far as they are kept."""
        rows = await self._connection.execute(select(pages).where(pages.c.entry_id.in_(entry_ids)))
        return {row["entry_id"]: KeptPage.model_validate(row) for row in rows.mappings()}

    async def kept(self, which: ReextractPages) -> tuple[int, ...]:
        """Return entries whose page is kept, by their numbers, as many as a slice takes."""
        statement = (
            _among(select(pages.c.entry_id), which).order_by(pages.c.entry_id).limit(which.limit)
        )
        return tuple((await self._connection.execute(statement)).scalars())

    async def count(self, which: ReextractPages) -> int:
        """Return how many pages are kept from there on."""
        counted = _among(select(func.count()).select_from(pages), which)
        return (await self._connection.execute(counted)).scalar_one()

    async def prune(self, older_than: timedelta, limit: int) -> int:
        """Forget pages that have been kept for long enough, the oldest first; return how many."""
        oldest = (
            select(pages.c.entry_id)
            .where(pages.c.kept_at < clock.now() - older_than)
            .order_by(pages.c.kept_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        statement = delete(pages).where(pages.c.entry_id.in_(oldest)).returning(pages.c.entry_id)
        return len((await self._connection.execute(statement)).all())


def _among(statement: Select[int], which: ReextractPages) -> Select[int]:
    statement = statement.where(pages.c.entry_id > which.after)
    if which.feed_id is not None:
        of_feed = select(entries.c.id).where(entries.c.feed_id == which.feed_id)
        statement = statement.where(pages.c.entry_id.in_(of_feed))
    return statement if which.since is None else statement.where(pages.c.kept_at >= which.since)
