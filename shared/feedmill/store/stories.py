from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.base import Model
from feedmill.models.distillates import Distillate
from feedmill.store.tables import contents, distillates, stories

# What is told again later is told as something new.
WINDOW = timedelta(days=3)

# Any constant that no other advisory lock has: see `events`.
_JOINING = 7_031_002

# Boilerplate may be alike in any number of entries: of each key the newest are looked at, and of all
# the likest compared.
_LIKE = text("""
with likest as (
    select near.entry_id, count(*) as common
    from unnest(cast(:keys as bigint[])) as wanted (key), lateral (
        select story_keys.entry_id from story_keys
        where story_keys.key = wanted.key and story_keys.entry_id <> :entry_id
            and story_keys.told_at > (select feedmill_now()) - cast(:window as interval)
        order by story_keys.told_at desc
        limit 20
    ) as near
    group by near.entry_id
    order by common desc, near.entry_id
    limit 5
)
select stories.entry_id, stories.story, left(contents.text, 200000) as text, contents.language
from likest
    join stories on stories.entry_id = likest.entry_id
    join contents on contents.entry_id = likest.entry_id
order by likest.common desc, likest.entry_id
""")

_JOIN = text("""
with joined as (
    insert into stories as mine (entry_id, story, content_hash, told_at)
    values (:entry_id, :story, :content_hash, feedmill_now())
    on conflict (entry_id) do update
        set (story, content_hash, told_at) = (excluded.story, excluded.content_hash, excluded.told_at)
    returning told_at
), before as (
    delete from story_keys using joined
    where entry_id = :entry_id and story_keys.told_at <> joined.told_at
)
insert into story_keys (key, told_at, entry_id)
select key, joined.told_at, :entry_id from joined, unnest(cast(:keys as bigint[])) as key
on conflict do nothing
""")


class Teller(Model):
    """An entry that may tell the same story as another one."""

    entry_id: int
    story: int
    text: str
    language: str | None = None


class StoryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known(self, entry_id: int, content_hash: str) -> int | None:
        """Return the story that an entry with this text tells; None when nobody looked yet."""
        statement = select(stories.c.story).where(
            stories.c.entry_id == entry_id, stories.c.content_hash == content_hash
        )
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def like(self, entry_id: int, keys: Sequence[int]) -> list[Teller]:
        """Return a few other entries of these days that share keys with one, the likest first.

        Until this transaction ends nobody else joins a story, so that two entries that come at
        once find each other.
        """
        await self._connection.execute(select(func.pg_advisory_xact_lock(_JOINING)))
        values = {"keys": list(keys), "entry_id": entry_id, "window": WINDOW}
        rows = await self._connection.execute(_LIKE, values)
        return [Teller.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - a row's public mapping

    async def join(self, entry_id: int, content_hash: str, keys: Sequence[int], story: int) -> None:
        """Write down which story an entry tells; its own number when it is the first."""
        values = {"entry_id": entry_id, "content_hash": content_hash, "story": story}
        await self._connection.execute(_JOIN, {**values, "keys": list(set(keys))})

    async def told_before(
        self, entry_id: int, story: int, recipe_id: str
    ) -> tuple[Distillate, str] | None:
        """Return what a recipe made of the same story in another entry, and of which text."""
        statement = (
            select(distillates, contents.c.text)
            .join(stories, stories.c.entry_id == distillates.c.entry_id)
            .join(contents, contents.c.entry_id == distillates.c.entry_id)
            .where(
                stories.c.story == story,
                distillates.c.recipe_id == recipe_id,
                distillates.c.entry_id != entry_id,
                # A text that was fetched anew has not been distilled yet.
                distillates.c.content_hash == contents.c.hash,
            )
            .order_by(distillates.c.id)
            .limit(1)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return (Distillate.model_validate(row._mapping), row.text) if row else None  # noqa: SLF001 - a row's public mapping
