from typing import NamedTuple

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.store.tables import drafts


class Draft(NamedTuple):
    """An answer that was paid for, and what it cost; None: not known."""

    completion: dict[str, object]
    cost_nanos: int | None


class DraftStore:
    """Answers of calls whose distillate is not made yet, so that no call is paid for twice."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, key: str) -> Draft | None:
        """Return the answer to exactly this call, if it was made before."""
        statement = select(drafts.c.completion, drafts.c.cost_nanos).where(drafts.c.key == key)
        row = (await self._connection.execute(statement)).one_or_none()
        return Draft(row.completion, row.cost_nanos) if row else None

    async def keep(self, key: str, content_hash: str, draft: Draft) -> None:
        """Keep an answer until the distillate that it is for is stored."""
        await self._connection.execute(
            insert(drafts)
            .values(key=key, content_hash=content_hash, **draft._asdict())
            .on_conflict_do_nothing()
        )

    async def any(self, content_hash: str) -> bool:
        """Return whether something about a text has been answered already."""
        statement = select(exists().where(drafts.c.content_hash == content_hash))
        return bool((await self._connection.execute(statement)).scalar_one())

    async def forget(self, content_hash: str) -> None:
        """Remove the answers about a text whose distillate is stored."""
        await self._connection.execute(delete(drafts).where(drafts.c.content_hash == content_hash))
