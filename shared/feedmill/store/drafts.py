from typing import NamedTuple

from sqlalchemy import bindparam, delete, exists, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.store.tables import drafts

_GET = text("select completion, cost_nanos from drafts where key = :key")

_KEEP = text("""
insert into drafts (key, content_hash, completion, cost_nanos)
values (:key, :content_hash, :completion, :cost_nanos)
on conflict do nothing
""").bindparams(bindparam("completion", type_=JSONB))


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
        row = (await self._connection.execute(_GET, {"key": key})).one_or_none()
        return Draft(row.completion, row.cost_nanos) if row else None

    async def keep(self, key: str, content_hash: str, draft: Draft) -> None:
        """Keep an answer until the distillate that it is for is stored."""
        kept = {"key": key, "content_hash": content_hash, **draft._asdict()}
        await self._connection.execute(_KEEP, kept)

    async def any(self, content_hash: str) -> bool:
        """Return whether something about a text has been answered already."""
        statement = select(exists().where(drafts.c.content_hash == content_hash))
        return bool((await self._connection.execute(statement)).scalar_one())

    async def forget(self, content_hash: str) -> None:
        """Remove the answers about a text whose distillate is stored."""
        await self._connection.execute(delete(drafts).where(drafts.c.content_hash == content_hash))
