"""Who distils when no model may, and with which recipe an entry was."""

from sqlalchemy import select

from feedmill.models.distillates import ContentToDistill, Distillate, Distiller, Recipe
from feedmill.store import Store
from feedmill.store.tables import distillates, recipes
from feedmill_distillation.prompt import recipe_for


class OwnWords:
    """Distils without asking anybody."""

    recipe: Recipe = recipe_for(Distiller.EXTRACTIVE, "own words", "1")

    async def distill(self, content: ContentToDistill) -> Distillate:
        return Distillate(summary=content.text, relevance=0.5)


async def made_with(store: Store, entry_id: int) -> list[tuple[str, str]]:
    statement = (
        select(recipes.c.name, recipes.c.model)
        .join(distillates, distillates.c.recipe_id == recipes.c.id)
        .where(distillates.c.entry_id == entry_id)
        .order_by(distillates.c.id)
    )
    async with store.transaction() as tx:
        return [(row.name, row.model) for row in await tx.connection.execute(statement)]
