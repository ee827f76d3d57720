"""Whose an entry is, which have stalled, and which are old: what keeps the fleet whole by itself."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.entries import Stage
from feedmill.models.upkeep import FeedsSelected, SlicePruned
from feedmill.store import clock
from feedmill.store.tables import entries, feeds

_WAITING = (Stage.NEW, Stage.FETCHED)

# More are no answer that anybody acts upon.
_MOST_COUNTED = 10_000

_PRUNE = text("""
with looked as materialized (
    select id, feed_id, guid, coalesce(published_at, created_at) as at from entries
    where id > :after and created_at < feedmill_now() - :keep and stage not in ('new', 'fetched')
    order by id
    limit :limit
), old as (
    select * from looked where :newest <= (
        select count(*) from (
            select from entries as newer
            where newer.feed_id = looked.feed_id
                and (coalesce(newer.published_at, newer.created_at), newer.id)
                    > (looked.at, looked.id)
            limit :newest
        ) as kept
    )
), remembered as (
    insert into tombstones (feed_id, guid) select feed_id, guid from old on conflict do nothing
), gone as (
    delete from entries using old where entries.id = old.id returning entries.id
)
select (select count(*) from gone) as pruned, count(*) as looked, max(id) as last from looked
""")


class UpkeepStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def select_feeds(self, *, after: int, limit: int) -> FeedsSelected:
        """Return the feeds after a given one, by number, and how many there are."""
        rows = await self._connection.execute(
            select(feeds.c.id)
            .where(feeds.c.id > after, feeds.c.retired_at.is_(None))
            .order_by(feeds.c.id)
            .limit(limit)
        )
        total = await self._connection.execute(
            select(func.count()).select_from(feeds).where(feeds.c.retired_at.is_(None))
        )
        return FeedsSelected(feed_ids=tuple(rows.scalars()), total=total.scalar_one())

    async def urls(self, entry_ids: Sequence[int]) -> dict[int, str]:
        """Return where these entries' pages are, of those that have one and have not been fetched."""
        rows = await self._connection.execute(
            select(entries.c.id, entries.c.url).where(
                entries.c.id.in_(entry_ids),
                entries.c.stage == Stage.NEW,
                entries.c.url.is_not(None),
            )
        )
        return {row.id: row.url for row in rows}

    async def own(self, entry_ids: Sequence[int], owner: str) -> None:
        """Write down which workflow takes care of these entries from now on."""
        await self._connection.execute(
            update(entries)
            .where(entries.c.id.in_(entry_ids))
            .values(owner=owner, owned_since=clock.now())
        )

    async def owners_of_stalled(self, after: timedelta, limit: int = 200) -> tuple[str, ...]:
        """Return which workflows are charged with entries that have stood still for too long."""
        rows = await self._connection.execute(
            select(entries.c.owner)
            .distinct()
            .where(_is_still(after), entries.c.owner.is_not(None))
            .limit(limit)
        )
        return tuple(rows.scalars())

    async def owned_by(self, owners: Collection[str]) -> dict[Stage, tuple[int, ...]]:
        """Return the waiting entries that these workflows are charged with, by stage."""
        rows = await self._connection.execute(
            select(entries.c.id, entries.c.stage)
            .where(entries.c.stage.in_(_WAITING), entries.c.owner.in_(owners))
            .order_by(entries.c.id)
        )
        return _by_stage((row.id, row.stage) for row in rows)

    async def pick_up(
        self, after: timedelta, limit: int, *, owners: Mapping[Stage, str], living: Collection[str]
    ) -> dict[Stage, tuple[int, ...]]:
        """Charge new owners with entries that have stood still for too long; return these, by stage.

        Parameters
        ----------
        owners
            Who is to take care of entries at each stage.
        living
            Workflows that run, and so go on with what they are charged with.
        """
        stalled = (
            select(entries.c.id)
            .where(_is_still(after), _is_not_of(living))
            .order_by(_still_since())
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        picked: dict[Stage, tuple[int, ...]] = {}
        ids = tuple((await self._connection.execute(stalled)).scalars())
        for stage, owner in owners.items():
            rows = await self._connection.execute(
                update(entries)
                .where(entries.c.id.in_(ids), entries.c.stage == stage)
                .values(owner=owner, owned_since=clock.now())
                .returning(entries.c.id)
            )
            picked[stage] = tuple(sorted(rows.scalars()))
        return picked

    async def count_stalled(self, after: timedelta, living: Collection[str]) -> int:
        """Return how many entries have stood still for too long without a living owner."""
        some = select(entries.c.id).where(_is_still(after), _is_not_of(living))
        counted = select(func.count()).select_from(some.limit(_MOST_COUNTED).subquery())
        return int((await self._connection.execute(counted)).scalar_one())

    async def prune(
        self, keep: timedelta, *, keep_newest: int, after: int, limit: int
    ) -> SlicePruned:
        """Forget the old ones among the ended entries after a given one, but remember their guids."""
        found = await self._connection.execute(
            _PRUNE, {"keep": keep, "newest": keep_newest, "after": after, "limit": limit}
        )
        row = found.one()
        next_after = row.last if row.looked == limit else None
        return SlicePruned(pruned=row.pruned, next_after=next_after)


def _is_still(after: timedelta) -> ColumnElement[bool]:
    # The first part is what the index holds; it is only ever earlier than the second.
    deadline = clock.now() - after
    stalled = (entries.c.stage_since < deadline) & (_still_since() < deadline)
    # For its page's next try somebody waits, and needs some time then; for a budget nobody does.
    has_budget = (entries.c.stage == Stage.FETCHED) & (entries.c.next_try_at < clock.now())
    return entries.c.stage.in_(_WAITING) & (stalled | has_budget)


def _still_since() -> ColumnElement[datetime]:
    """Since when nobody has moved an entry, was charged with it, or was to try it again."""
    return func.greatest(entries.c.stage_since, entries.c.owned_since, entries.c.next_try_at)


def _is_not_of(living: Collection[str]) -> ColumnElement[bool]:
    return or_(entries.c.owner.is_(None), entries.c.owner.not_in(living))


def _by_stage(rows: Iterable[tuple[int, str]]) -> dict[Stage, tuple[int, ...]]:
    found: dict[Stage, list[int]] = {stage: [] for stage in _WAITING}
    for entry_id, stage in rows:
        found[Stage(stage)].append(entry_id)
    return {stage: tuple(ids) for stage, ids in found.items()}
