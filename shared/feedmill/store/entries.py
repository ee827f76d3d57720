import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Row, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.base import Model
from feedmill.models.entries import EntryStanding, EntryToFetch, Stage
from feedmill.models.feeds import KnownEntry, SnapshotEntry
from feedmill.models.outcomes import Reason
from feedmill.store import clock
from feedmill.store.tables import entries, feeds

_WAITING = (Stage.NEW, Stage.FETCHED)

# As one JSON document: a parameter per value would cost more than the insert itself.
_ADD = text("""
insert into entries
    (feed_id, guid, url, title, author, published_at, teaser, markup, image_url, enclosures,
    transcripts, video_id)
select shown.feed_id, entry.guid, entry.url, entry.title, entry.author, entry.published_at,
    entry.teaser, entry.markup, entry.image_url, entry.enclosures,
    entry.transcripts, entry.video_id
from jsonb_to_recordset(cast(:shown as jsonb)) as shown (feed_id bigint, entries jsonb),
    jsonb_populate_recordset(null::entries, shown.entries) with ordinality as entry
where not exists (
    select from tombstones
    where tombstones.feed_id = shown.feed_id and tombstones.guid = entry.guid
)
order by shown.feed_id, entry.ordinality
on conflict (feed_id, guid) do nothing
returning id, feed_id
""")


# Of each feed's newest entries those that resemble one that is shown.
_KNOWN = text("""
select shown.feed_id, stored.*
from jsonb_to_recordset(cast(:shown as jsonb))
        as shown (feed_id bigint, most int, guids text[], urls text[], titles text[]),
    lateral (
        select guid, url, title, published_at, teaser from entries
        where entries.feed_id = shown.feed_id
        order by coalesce(published_at, created_at) desc, id desc
        limit shown.most
    ) as stored
where stored.guid = any (shown.guids) or stored.url = any (shown.urls)
    or (stored.url is null and stored.title = any (shown.titles))
""")
_MOVE = text("""
update entries set stage = :after, reason = :reason, detail = :detail, stage_since = feedmill_now(),
    asked_at = case when :tried then feedmill_now() else asked_at end,
    tries = case when :tried then 0 else tries end,
    next_try_at = case when :tried then null else next_try_at end
where id = :entry_id and stage = :before
returning id
""")

# Entries that a feed has just ceased to show are among its newest twice as many, and a few.
_SHOWN_BEFORE, _AND_A_FEW = 2, 50


class _Shown(Model):
    feed_id: int
    entries: tuple[SnapshotEntry, ...]


_AS_JSON = TypeAdapter(list[_Shown])


class EntryStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_new(self, shown: Mapping[int, Sequence[SnapshotEntry]]) -> dict[int, list[int]]:
        """Insert the entries that these feeds have not shown before, and return exactly their ids.

        One statement, however many feeds there are.
        """
        by_feed = [_Shown(feed_id=feed_id, entries=tuple(each)) for feed_id, each in shown.items()]
        rows = await self._connection.execute(_ADD, {"shown": _AS_JSON.dump_json(by_feed).decode()})
        added: dict[int, list[int]] = {feed_id: [] for feed_id in shown}
        for row in rows:
            added[row.feed_id].append(row.id)
        return added

    async def known(
        self, shown: Mapping[int, Sequence[SnapshotEntry]]
    ) -> dict[int, list[KnownEntry]]:
        """Return, by feed, the newest stored entries that share a guid, a link or a title with one shown."""
        wanted = json.dumps([_resemblance(feed_id, each) for feed_id, each in shown.items()])
        rows = await self._connection.execute(_KNOWN, {"shown": wanted})
        found: dict[int, list[KnownEntry]] = {feed_id: [] for feed_id in shown}
        for row in rows.mappings():
            found[row["feed_id"]].append(KnownEntry.model_validate(row))
        return found

    async def published(self, entry_ids: Sequence[int]) -> dict[int, datetime | None]:
        """Return when entries were published, by their own account."""
        statement = select(entries.c.id, entries.c.published_at).where(entries.c.id.in_(entry_ids))
        rows = await self._connection.execute(statement)
        return {row.id: row.published_at for row in rows}

    async def waiting(self, feed_ids: Sequence[int]) -> dict[int, tuple[int, ...]]:
        """Return each feed's entries that have not reached an end stage, newest first."""
        statement = (
            select(entries.c.feed_id, entries.c.id)
            .where(entries.c.feed_id.in_(feed_ids), entries.c.stage.in_(_WAITING))
            .order_by(entries.c.published_at.desc().nulls_last(), entries.c.id)
        )
        found: dict[int, list[int]] = {feed_id: [] for feed_id in feed_ids}
        for row in await self._connection.execute(statement):
            found[row.feed_id].append(row.id)
        return {feed_id: tuple(ids) for feed_id, ids in found.items()}

    async def to_fetch(self, entry_ids: Sequence[int]) -> list[EntryToFetch]:
        """Return what a fetcher has to know of these entries; those that are gone are left out."""
        statement = (
            select(entries, feeds.c.whole_texts)
            .join(feeds, feeds.c.id == entries.c.feed_id)
            .where(entries.c.id.in_(entry_ids))
        )
        return [_to_fetch(row) for row in await self._connection.execute(statement)]

    async def lock(self, entry_id: int) -> EntryToFetch | None:
        """Return an entry as it stands, and keep others from changing it; None when it is gone."""
        statement = (
            select(entries, feeds.c.whole_texts)
            .join(feeds, feeds.c.id == entries.c.feed_id)
            .where(entries.c.id == entry_id)
            .with_for_update(of=entries)
        )
        row = (await self._connection.execute(statement)).one_or_none()
        return _to_fetch(row) if row else None

    async def note_try(self, entry_id: int) -> None:
        """Write down that an entry's page has just been asked for, and that no try is due."""
        await self._connection.execute(
            update(entries).where(entries.c.id == entry_id).values(**_tried())
        )

    async def try_later(
        self, entry_id: int, *, until: datetime, reason: Reason, detail: str
    ) -> bool:
        """Write down that a new entry's page could not be had for now, and when to ask for it again.

        False when the entry is not new any more.
        """
        statement = (
            update(entries)
            .where(entries.c.id == entry_id, entries.c.stage == Stage.NEW)
            .values(
                asked_at=clock.now(),
                tries=entries.c.tries + 1,
                next_try_at=until,
                reason=reason,
                detail=detail,
            )
            .returning(entries.c.id)
        )
        return (await self._connection.execute(statement)).scalar_one_or_none() is not None

    async def distil_later(self, entry_id: int, *, until: datetime) -> None:
        """Write down that there is no budget for an entry's article before then."""
        await self._connection.execute(
            update(entries)
            .where(entries.c.id == entry_id, entries.c.stage == Stage.FETCHED)
            .values(next_try_at=until)
        )

    async def due_again(self, limit: int) -> tuple[int, ...]:
        """Return entries whose next try is due, whoever was to make it; the most overdue first."""
        statement = (
            select(entries.c.id)
            .where(entries.c.stage == Stage.NEW, entries.c.next_try_at <= clock.now())
            .order_by(entries.c.next_try_at)
            .limit(limit)
        )
        return tuple((await self._connection.execute(statement)).scalars())

    async def standings(self, entry_ids: Sequence[int]) -> dict[int, EntryStanding]:
        """Return where these entries stand, by id; those that are gone are left out."""
        statement = select(entries.c.id, entries.c.stage, entries.c.reason, entries.c.detail).where(
            entries.c.id.in_(entry_ids)
        )
        rows = await self._connection.execute(statement)
        return {row.id: EntryStanding.model_validate(row._mapping) for row in rows}  # noqa: SLF001 - a row's public mapping

    async def move(
        self,
        entry_id: int,
        *,
        before: Stage,
        after: Stage,
        reason: Reason | None = None,
        detail: str = "",
        tried: bool = False,
    ) -> bool:
        """Move an entry one stage on; False when it no longer stands at `before`.

        The check makes every stage change happen once, however often an activity is run.

        Parameters
        ----------
        tried
            Whether it moves because its page has just been asked for.
        """
        move = {
            "entry_id": entry_id,
            "before": before,
            "after": after,
            "reason": reason,
            "detail": detail,
            "tried": tried,
        }
        return (await self._connection.execute(_MOVE, move)).scalar_one_or_none() is not None


def _resemblance(feed_id: int, shown: Sequence[SnapshotEntry]) -> dict[str, object]:
    return {
        "feed_id": feed_id,
        "most": _SHOWN_BEFORE * len(shown) + _AND_A_FEW,
        "guids": [entry.guid for entry in shown],
        "urls": [entry.url for entry in shown if entry.url],
        "titles": [entry.title for entry in shown if entry.title and not entry.url],
    }


def _tried() -> dict[str, object]:
    return {"asked_at": clock.now(), "tries": 0, "next_try_at": None}


def _to_fetch(row: Row[tuple[object, ...]]) -> EntryToFetch:
    return EntryToFetch.model_validate(row._mapping)  # noqa: SLF001 - a row's public mapping
