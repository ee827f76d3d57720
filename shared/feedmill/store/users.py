import hashlib

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.store.tables import tokens, users

OWNER = "owner"


class UserStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def let_in(self, name: str, token: str) -> int:
        """Make sure a user exists and `token`, and no other, is theirs; return their id.

        A token that was changed because it leaked opens nothing any more. The token itself is not stored, only its hash: it is long and random, so no salt is needed.
        """
        user = (
            insert(users)
            .values(name=name)
            .on_conflict_do_update(index_elements=["name"], set_={"name": name})
            .returning(users.c.id)
        )
        user_id = int((await self._connection.execute(user)).scalar_one())
        await self._connection.execute(
            delete(tokens).where(tokens.c.user_id == user_id, tokens.c.hash != _hash(token))
        )
        await self._connection.execute(
            insert(tokens).values(user_id=user_id, hash=_hash(token)).on_conflict_do_nothing()
        )
        return user_id

    async def by_token(self, token: str) -> int | None:
        """Return whose token this is."""
        statement = select(tokens.c.user_id).where(tokens.c.hash == _hash(token))
        return (await self._connection.execute(statement)).scalar_one_or_none()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
