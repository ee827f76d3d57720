"""Who wants what distilled how."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import Choice, Recipe, RecipeChoice, RecipeView
from feedmill.store import clock
from feedmill.store.categories import category_paths
from feedmill.store.tables import categories, recipes, subscriptions, users

# The nearest choice counts: the feed's own, that of a category around it, the reader's.
_CHOSEN = text("""
with recursive around as (
    select subscriptions.user_id, subscriptions.feed_id, 0 as distance,
        subscriptions.recipe, subscriptions.category_id as outer_id
    from subscriptions where subscriptions.feed_id = any(:feed_ids)
    union all
    select around.user_id, around.feed_id, around.distance + 1,
        categories.recipe, categories.parent_id
    from around join categories on categories.id = around.outer_id
), nearest as (
    select distinct on (user_id, feed_id) user_id, feed_id, recipe
    from around order by user_id, feed_id, recipe is null, distance
)
select distinct nearest.feed_id, coalesce(nearest.recipe, users.recipe, '') as name, users.language
from nearest join users on users.id = nearest.user_id
order by 1, 2, 3
""").bindparams(bindparam("feed_ids", type_=ARRAY(BIGINT)))


class RecipeStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def chosen(self, feed_ids: Collection[int]) -> dict[int, tuple[RecipeChoice, ...]]:
        """Return, by feed, the different choices of those who follow it; at least one each."""
        rows = await self._connection.execute(_CHOSEN, {"feed_ids": sorted(feed_ids)})
        found: dict[int, list[RecipeChoice]] = {feed_id: [] for feed_id in feed_ids}
        for row in rows.mappings():
            found[row["feed_id"]].append(RecipeChoice.model_validate(row))
        return {feed_id: tuple(each) or (RecipeChoice(),) for feed_id, each in found.items()}

    async def offer(self, offered: Sequence[Recipe]) -> None:
        """Say which recipes workers can use now, in place of what was said before of these names."""
        for recipe in offered:
            await self._connection.execute(
                insert(recipes)
                .values(**recipe.model_dump())
                .on_conflict_do_update(
                    index_elements=["id"], set_={"name": recipe.name, "created_at": clock.now()}
                )
            )

    async def offered(self) -> list[RecipeView]:
        """Return the recipes that can be chosen, by name, each as it was offered last."""
        rows = await self._connection.execute(
            select(recipes)
            .ext(distinct_on(recipes.c.name))
            .where(recipes.c.name != "")
            .order_by(recipes.c.name, recipes.c.created_at.desc())
        )
        return [RecipeView.model_validate(row) for row in rows.mappings()]

    async def choice(self, user_id: int) -> Choice:
        """Return what a reader has chosen for all their feeds."""
        row = await self._connection.execute(select(users).where(users.c.id == user_id))
        return Choice.model_validate(row.mappings().one())

    async def choose(self, user_id: int, chosen: Mapping[str, str | None]) -> None:
        """Set a reader's `recipe`, `language` or both, for all feeds without a choice of their own."""
        await self._connection.execute(update(users).where(users.c.id == user_id).values(**chosen))

    async def choose_for_feed(self, user_id: int, feed_id: int, recipe: str | None) -> bool:
        """Set the recipe of a followed feed; False when it is not followed."""
        changed = await self._connection.execute(
            update(subscriptions)
            .where(subscriptions.c.user_id == user_id, subscriptions.c.feed_id == feed_id)
            .values(recipe=recipe)
            .returning(subscriptions.c.feed_id)
        )
        return changed.first() is not None

    async def choose_for_category(
        self, user_id: int, category: Sequence[str], recipe: str | None
    ) -> bool:
        """Set the recipe of the feeds in a category; False when there is none."""
        paths = category_paths(user_id)
        found = select(paths.c.id).where(paths.c.path == list(category)).scalar_subquery()
        changed = await self._connection.execute(
            update(categories)
            .where(categories.c.id == found)
            .values(recipe=recipe)
            .returning(categories.c.id)
        )
        return changed.first() is not None
