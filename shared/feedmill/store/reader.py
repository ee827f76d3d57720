"""What a reader is shown, in as few statements as it takes. Lists page by keyset, never by offset."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.selectable import LateralFromClause

from feedmill.errors import NotFoundError
from feedmill.models.entries import Stage
from feedmill.models.events import Event, EventKind
from feedmill.models.feeds import DEAD_AFTER
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import (
    EntryDetail,
    EntryPage,
    EntryPosition,
    EntryView,
    FeedHealth,
    FeedView,
    StageCounts,
)
from feedmill.store import clock
from feedmill.store.categories import category_paths
from feedmill.store.folding import also_in, is_folded, told_with
from feedmill.store.tables import (
    aliases,
    categories,
    contents,
    distillates,
    entries,
    events,
    feeds,
    recipes,
    subscriptions,
    users,
)
from feedmill.store.websub import is_pushed

_WAITING = (Stage.NEW, Stage.FETCHED)
_NEWEST_AT = func.coalesce(entries.c.published_at, entries.c.created_at)
_TITLE = func.coalesce(subscriptions.c.title, feeds.c.title)


# The first that applies.
HEALTH = case(
    (feeds.c.retired_at.is_not(None), FeedHealth.RETIRED),
    (feeds.c.last_polled_at.is_(None), FeedHealth.NEW),
    (feeds.c.last_reason == Reason.RATE_LIMITED, FeedHealth.BUSY),
    (feeds.c.failing_since <= clock.now() - DEAD_AFTER, FeedHealth.DEAD),
    (feeds.c.failures > 0, FeedHealth.FAILING),
    else_=FeedHealth.GOOD,
)


class ReaderStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def feeds(self, user_id: int) -> list[FeedView]:
        """Return the feeds a user follows, by title or what stands for it."""
        name = func.coalesce(func.nullif(_TITLE, ""), feeds.c.url)
        statement = _feeds_of(user_id).order_by(func.lower(name), feeds.c.id)
        return [_feed_view(row) for row in await self._rows(statement)]

    async def feed(self, user_id: int, feed_id: int) -> FeedView:
        """Return one feed that a user follows.

        Raises
        ------
        NotFoundError
            There is none, or they do not follow it.
        """
        # A feed that became another one is still known by the number it had.
        now = select(aliases.c.feed_id).where(aliases.c.was_id == feed_id).scalar_subquery()
        rows = await self._rows(_feeds_of(user_id).where(feeds.c.id == func.coalesce(now, feed_id)))
        if not rows:
            raise NotFoundError(f"You follow no feed {feed_id}.")
        return _feed_view(rows[0])

    async def follows(self, user_id: int, feed_ids: Sequence[int]) -> frozenset[int]:
        """Return those of these feeds that a user follows, by whichever number they have or had."""
        now = select(subscriptions.c.feed_id).where(
            subscriptions.c.user_id == user_id, subscriptions.c.feed_id.in_(feed_ids)
        )
        once = (
            select(aliases.c.was_id)
            .join(subscriptions, subscriptions.c.feed_id == aliases.c.feed_id)
            .where(subscriptions.c.user_id == user_id, aliases.c.was_id.in_(feed_ids))
        )
        found = await self._connection.execute(now.union(once))
        return frozenset(found.scalars().all())

    async def entries(
        self,
        user_id: int,
        *,
        feed_id: int | None = None,
        stage: Stage | None = None,
        before: EntryPosition | None = None,
        limit: int = 50,
        folded: bool = False,
    ) -> EntryPage:
        """Return a page of the entries of followed feeds, newest first; `folded` shows each story once.

        Entries added meanwhile neither shift nor repeat what the following pages show.
        """
        wanted = _wanted(feed_id, stage, before)
        wanted += [~is_folded(user_id)] if folded else []
        statement = (
            _entries_of(user_id).where(*wanted).order_by(_NEWEST_AT.desc(), entries.c.id.desc())
        )
        rows = await self._rows(statement.limit(limit + 1))
        shown = rows[:limit]
        return EntryPage(
            items=tuple(EntryView.model_validate(_entry(row)) for row in shown),
            next=_position(shown[-1]).encode() if len(rows) > limit else None,
        )

    async def entry(self, user_id: int, entry_id: int) -> EntryDetail:
        """Return an entry of a followed feed, with its article.

        Raises
        ------
        NotFoundError
            There is none, or the user does not follow its feed.
        """
        statement = (
            _entries_of(user_id)
            .add_columns(
                contents.c.html,
                contents.c.text,
                contents.c.transcript_start,
                contents.c.transcript_reason,
                entries.c.enclosures,
            )
            .where(entries.c.id == entry_id)
        )
        rows = await self._rows(statement)
        if not rows:
            raise NotFoundError(f"You follow no feed with an entry {entry_id}.")
        return EntryDetail.model_validate(_entry(rows[0]))

    async def card(self, user_id: int, entry_id: int) -> EntryView:
        """Return what a folded list shows for an entry: the one that tells its story there.

        Raises
        ------
        NotFoundError
            There is none, or the user does not follow its feed.
        """
        entry = await self.entry(user_id, entry_id)
        first = entries.c.id.in_(told_with(entry_id)) & ~is_folded(user_id)
        rows = await self._rows(_entries_of(user_id).where(first))
        # An entry alone is in no story.
        return EntryView.model_validate(_entry(rows[0])) if rows else entry

    async def events(
        self, user_id: int, after: int, *, limit: int = 200
    ) -> tuple[Sequence[Event], int]:
        """Return the events after a number that concern a user, and the number to go on from.

        An event concerns those who follow its feed; that a feed was removed concerns those who do
        not follow it any more.
        """
        # Read first: a number is given out only after all smaller ones were committed, so what the
        # next statement sees is complete up to this one.
        last = (await self._connection.execute(select(func.max(events.c.id)))).scalar_one() or 0
        followed = events.c.feed_id.in_(_followed(user_id))
        rows = await self._rows(
            select(events)
            .where(events.c.id > after, followed != (events.c.kind == EventKind.FEED_REMOVED))
            .order_by(events.c.id)
            .limit(limit)
        )
        found = [Event.model_validate(row) for row in rows]
        return found, found[-1].id if len(found) == limit else max(after, last, *_ids(found))

    async def _rows(self, statement: Select[Any]) -> Sequence[Mapping[Any, Any]]:
        result = await self._connection.execute(statement)
        rows: Sequence[Mapping[Any, Any]] = result.mappings().all()
        return rows


def _followed(user_id: int) -> Select[int]:
    return select(subscriptions.c.feed_id).where(subscriptions.c.user_id == user_id)


def _feeds_of(user_id: int) -> Select[Any]:
    counts = (
        select(
            func.count().label("entries"),
            func.count().filter(entries.c.stage.in_(_WAITING)).label("waiting"),
            *(
                func.count().filter(entries.c.stage == stage).label(f"stage_{stage}")
                for stage in Stage
            ),
        )
        .where(entries.c.feed_id == feeds.c.id)
        .lateral("counts")
    )
    paths = category_paths(user_id)
    return (
        select(
            feeds.c.id,
            feeds.c.url,
            _TITLE.label("title"),
            paths.c.path.label("category"),
            subscriptions.c.recipe,
            feeds.c.site_url,
            subscriptions.c.created_at.label("added_at"),
            HEALTH.label("health"),
            feeds.c.last_polled_at,
            feeds.c.last_success_at,
            feeds.c.next_poll_at,
            is_pushed().label("pushed"),
            feeds.c.failing_since,
            feeds.c.failures,
            feeds.c.moved_to,
            feeds.c.last_reason.label("reason"),
            feeds.c.last_detail.label("detail"),
            counts,
        )
        .join(subscriptions, subscriptions.c.feed_id == feeds.c.id)
        .outerjoin(paths, paths.c.id == subscriptions.c.category_id)
        .join(counts, true())
        .where(subscriptions.c.user_id == user_id)
    )


def _newest_distillate(user_id: int) -> LateralFromClause:
    # What the reader chose comes first; else the last one counts: a later recipe replaces what an
    # earlier one wrote. One of an earlier text would point at passages that are not there any more.
    reader = select(users.c.recipe).where(users.c.id == user_id).scalar_subquery()
    language = select(users.c.language).where(users.c.id == user_id).scalar_subquery()
    category = (
        select(categories.c.recipe)
        .where(categories.c.id == subscriptions.c.category_id)
        .correlate(subscriptions)
        .scalar_subquery()
    )
    chosen = func.coalesce(subscriptions.c.recipe, category, reader)
    return (
        select(
            distillates.c.summary,
            distillates.c.sentences,
            distillates.c.key_points,
            distillates.c.topics,
            distillates.c.relevance,
            distillates.c.relevance_reason,
            distillates.c.reading_minutes,
            distillates.c.article_start,
            distillates.c.article_end,
            func.nullif(recipes.c.name, "").label("recipe"),
            recipes.c.distiller,
            recipes.c.model,
        )
        .join(recipes, recipes.c.id == distillates.c.recipe_id)
        .where(
            distillates.c.entry_id == entries.c.id,
            distillates.c.content_hash == contents.c.hash,
        )
        .order_by(
            func.coalesce(recipes.c.name == chosen, literal(False)).desc(),
            func.coalesce(recipes.c.language == language, literal(False)).desc(),
            distillates.c.id.desc(),
        )
        .limit(1)
        .correlate(entries, contents, subscriptions)
        .lateral("newest")
    )


def _entries_of(user_id: int) -> Select[Any]:
    newest, also = _newest_distillate(user_id), also_in(user_id)
    return (
        select(
            entries.c.id,
            entries.c.feed_id,
            _TITLE.label("feed_title"),
            entries.c.url,
            func.coalesce(func.nullif(entries.c.title, ""), contents.c.title).label("title"),
            entries.c.author,
            entries.c.published_at,
            entries.c.created_at.label("added_at"),
            entries.c.teaser,
            entries.c.stage,
            entries.c.reason,
            entries.c.detail,
            contents.c.kind,
            contents.c.word_count,
            contents.c.image_url,
            contents.c.withheld,
            newest,
            also.c.also_in,
        )
        .join(feeds, feeds.c.id == entries.c.feed_id)
        .join(subscriptions, subscriptions.c.feed_id == feeds.c.id)
        .outerjoin(contents, contents.c.entry_id == entries.c.id)
        .outerjoin(newest, true())
        .outerjoin(also, true())
        .where(subscriptions.c.user_id == user_id)
    )


def _wanted(
    feed_id: int | None, stage: Stage | None, before: EntryPosition | None
) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if feed_id is not None:
        wanted.append(entries.c.feed_id == feed_id)
    if stage is not None:
        wanted.append(entries.c.stage == stage)
    if before is not None:
        position = tuple_(literal(before.at), literal(before.id))
        wanted.append(tuple_(_NEWEST_AT, entries.c.id) < position)
    return wanted


def _position(row: Mapping[Any, Any]) -> EntryPosition:
    return EntryPosition(at=row["published_at"] or row["added_at"], id=row["id"])


def _feed_view(row: Mapping[Any, Any]) -> FeedView:
    stages = StageCounts.model_validate({str(stage): row[f"stage_{stage}"] for stage in Stage})
    said = {"category": row["category"] or (), "advice": _advice(row["reason"]), "stages": stages}
    return FeedView.model_validate({**row, **said})


def _entry(row: Mapping[Any, Any]) -> dict[str, object]:
    # What is null here has a default there: no distillate means no key points.
    known = {name: value for name, value in row.items() if value is not None}
    return {**known, "advice": _advice(row["reason"])}


def _advice(reason: str | None) -> str | None:
    return ADVICE[Reason(reason)] if reason else None


def _ids(found: Sequence[Event]) -> list[int]:
    return [event.id for event in found]
