"""Who wants what distilled how."""

from collections.abc import Collection

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import RecipeChoice

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
