import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

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
with new as materialized (
    select * from jsonb_to_recordset(cast(:new as jsonb)) as new (entry_id bigint, keys bigint[])
), near as (
    select new.entry_id as new_id, near.entry_id, count(*) as common
    from new, unnest(new.keys) as wanted (key), lateral (
        select story_keys.entry_id from story_keys
        where story_keys.key = wanted.key and story_keys.entry_id <> new.entry_id
            and story_keys.told_at > (select feedmill_now()) - cast(:window as interval)
        order by story_keys.told_at desc
        limit 20
    ) as near
    group by new.entry_id, near.entry_id
), likest as (
    select *, row_number() over (partition by new_id order by common desc, entry_id) as place
    from near
)
select likest.new_id, stories.entry_id, stories.story, left(contents.text, 200000) as text,
    contents.language
from likest
    join stories on stories.entry_id = likest.entry_id
    join contents on contents.entry_id = likest.entry_id
where likest.place <= 5
order by likest.new_id, likest.place
""")

_JOIN = text("""
with told as materialized (
    select *, feedmill_now() as told_at from jsonb_to_recordset(cast(:told as jsonb))
        as told (entry_id bigint, story bigint, content_hash text, keys bigint[])
), joined as (
    insert into stories as mine (entry_id, story, content_hash, told_at)
    select entry_id, story, content_hash, told_at from told
    on conflict (entry_id) do update
        set (story, content_hash, told_at) = (excluded.story, excluded.content_hash, excluded.told_at)
), before as (
    delete from story_keys using told
    where story_keys.entry_id = told.entry_id and story_keys.told_at <> told.told_at
)
insert into story_keys (key, told_at, entry_id)
select distinct key, told.told_at, told.entry_id from told, unnest(told.keys) as key
on conflict do nothing
""")


class Teller(Model):
    """An entry that may tell the same story as another one."""

    entry_id: int
    story: int
    text: str
    language: str | None = None


class Telling(NamedTuple):
    """What an entry's text is found by, and, once that is known, which story it tells."""

    entry_id: int
    content_hash: str
    keys: tuple[int, ...]
    story: int | None = None


class StoryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def like(self, new: Sequence[Telling]) -> dict[int, list[Teller]]:
        """Return, for each of some entries, a few of these days that share keys with it.

        Those that are like none are left out; the likest of each come first.

        Until this transaction ends nobody else joins a story, so that two entries that come at
        once find each other.
        """
        await self._connection.execute(select(func.pg_advisory_xact_lock(_JOINING)))
        values = {"new": _as_json(new), "window": WINDOW}
        found: dict[int, list[Teller]] = defaultdict(list)
        for row in (await self._connection.execute(_LIKE, values)).mappings():
            found[row["new_id"]].append(Teller.model_validate(row))
        return found

    async def join(self, told: Sequence[Telling]) -> None:
        """Write down which story each of some entries tells: its own number when it is the first."""
        await self._connection.execute(_JOIN, {"told": _as_json(told)})

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


def _as_json(tellings: Sequence[Telling]) -> str:
    return json.dumps([telling._asdict() for telling in tellings])
