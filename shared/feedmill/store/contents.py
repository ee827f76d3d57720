import hashlib
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import ContentToDistill
from feedmill.models.entries import Content, Stage
from feedmill.store.tables import contents, entries


class ContentStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save(self, entry_id: int, content: Content) -> None:
        """Store the article behind an entry, in place of an earlier one."""
        row = {**content.model_dump(), "hash": hash_text(content.text)}
        await self._connection.execute(
            insert(contents)
            .values(entry_id=entry_id, **row)
            .on_conflict_do_update(index_elements=["entry_id"], set_=row)
        )

    async def to_distill(self, entry_ids: Sequence[int]) -> list[ContentToDistill]:
        """Return the stored articles of those of these entries that stand at `fetched`."""
        statement = (
            select(
                contents.c.entry_id,
                entries.c.feed_id,
                func.coalesce(func.nullif(contents.c.title, ""), entries.c.title).label("title"),
                contents.c.text,
                contents.c.language,
                contents.c.hash.label("content_hash"),
                contents.c.withheld,
            )
            .join(entries, entries.c.id == contents.c.entry_id)
            .where(contents.c.entry_id.in_(entry_ids), entries.c.stage == Stage.FETCHED)
        )
        rows = await self._connection.execute(statement)
        return [ContentToDistill.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - a row's public mapping


def hash_text(text: str) -> str:
    """Return the identity of a text: the same text is never paid for twice."""
    return hashlib.sha256(text.encode()).hexdigest()
