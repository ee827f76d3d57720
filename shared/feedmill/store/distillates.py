from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import ContentToDistill, Distillate, Recipe
from feedmill.store.tables import distillates, recipes


class DistillateStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def register(self, recipe: Recipe) -> None:
        """Make a recipe known, once; its id is the hash of what it says."""
        statement = insert(recipes).values(**recipe.model_dump()).on_conflict_do_nothing()
        await self._connection.execute(statement)

    async def made_before(self, content_hash: str, recipe_id: str) -> Distillate | None:
        """Return what this recipe made of the same text, for whichever entry."""
        statement = (
            select(distillates)
            .where(distillates.c.content_hash == content_hash, distillates.c.recipe_id == recipe_id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return Distillate.model_validate(row._mapping) if row else None  # noqa: SLF001 - a row's public mapping

    async def save(
        self, content: ContentToDistill, recipe_id: str, distillate: Distillate, *, reused: bool
    ) -> None:
        """Store a result. Storing it again changes nothing."""
        await self._connection.execute(
            insert(distillates)
            .values(
                entry_id=content.entry_id,
                recipe_id=recipe_id,
                content_hash=content.content_hash,
                reused=reused,
                **distillate.model_dump(by_alias=False, mode="json"),
            )
            .on_conflict_do_nothing()
        )
