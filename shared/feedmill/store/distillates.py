import json
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import ContentToDistill, Distillate, Recipe
from feedmill.store.tables import distillates


class Result(NamedTuple):
    """A distillate, by which recipe it was made, and whether it was copied from another entry."""

    recipe: Recipe
    distillate: Distillate
    reused: bool = False


_MADE_BEFORE = (
    select(distillates)
    .where(
        distillates.c.content_hash == bindparam("content_hash"),
        distillates.c.recipe_id == bindparam("recipe_id"),
    )
    .limit(1)
)

_FIELDS = tuple(Distillate.model_fields)

# As one JSON document: building a statement with a parameter per value would cost more than all else.
_SAVE = text(f"""
with made as materialized (
    select * from jsonb_to_recordset(cast(:made as jsonb))
        as made (recipe jsonb, distillate jsonb, reused boolean)
), known as (
    insert into recipes (id, name, distiller, model, prompt_version, language)
    select recipe.id, recipe.name, recipe.distiller, recipe.model, recipe.prompt_version,
        recipe.language
    from made, jsonb_populate_record(null::recipes, made.recipe) as recipe
    on conflict do nothing
), forgotten as (
    delete from drafts where content_hash = :content_hash
)
insert into distillates (entry_id, content_hash, recipe_id, reused, {", ".join(_FIELDS)})
select :entry_id, :content_hash, made.recipe ->> 'id', made.reused,
    {", ".join(f"result.{name}" for name in _FIELDS)}
from made, jsonb_populate_record(null::distillates, made.distillate) as result
on conflict do nothing
""")  # noqa: S608 - the names of a model's fields


class DistillateStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def made_before(self, content_hash: str, recipe_id: str) -> Distillate | None:
        """Return what this recipe made of the same text, for whichever entry."""
        asked = {"content_hash": content_hash, "recipe_id": recipe_id}
        row = (await self._connection.execute(_MADE_BEFORE, asked)).one_or_none()
        return Distillate.model_validate(row._mapping) if row else None  # noqa: SLF001 - a row's public mapping

    async def save(self, content: ContentToDistill, results: Sequence[Result]) -> None:
        """Store what an entry's text came to, in one statement. Storing it again changes nothing.

        Makes the recipes known, and removes the drafts: what was paid for stands in the results.
        """
        await self._connection.execute(
            _SAVE,
            {
                "entry_id": content.entry_id,
                "content_hash": content.content_hash,
                "made": json.dumps([_row(result) for result in results]),
            },
        )


def _row(result: Result) -> dict[str, object]:
    return {
        "recipe": result.recipe.model_dump(mode="json"),
        "distillate": result.distillate.model_dump(by_alias=False, mode="json"),
        "reused": result.reused,
    }
