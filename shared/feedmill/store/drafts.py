from sqlalchemy import delete, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.store.tables import drafts


class DraftStore:
    """Answers of calls whose distillate is not made yet, so that no call is paid for twice. The till keeps them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def any(self, content_hash: str) -> bool:
        """Return whether something about a text has been answered already."""
        statement = select(exists().where(drafts.c.content_hash == content_hash))
        return bool((await self._connection.execute(statement)).scalar_one())

    async def forget(self, content_hash: str) -> None:
        """Remove the answers about a text whose distillate is stored."""
        await self._connection.execute(delete(drafts).where(drafts.c.content_hash == content_hash))
