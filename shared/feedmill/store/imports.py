"""Lists that are imported: what a file names, and what has come of each of its lines."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, exc, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.lists import (
    FeedsFollowed,
    ImportProgress,
    KeptImport,
    Listed,
    ListedFeed,
    ListImported,
    ListRead,
    OutlineOutcome,
)
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.store import clock
from feedmill.store.given import given, numbers, texts
from feedmill.store.lists import ListStore
from feedmill.store.tables import import_lines, imports

# Reports of so many files are kept for each user.
_MOST_KEPT = 20

# As one JSON document: a parameter per value would cost more than the insert itself.
_KEEP = text("""
insert into import_lines
    (import_id, number, line, url, title, category, outcome, first_line, reason, detail)
select :import_id, number, line, url, title, category, outcome, first_line, reason, detail
from jsonb_populate_recordset(null::import_lines, cast(:lines as jsonb))
""")


class ImportStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._lists = ListStore(connection)

    async def keep(
        self, user_id: int, file_hash: str, read: ListRead
    ) -> tuple[int, datetime | None]:
        """Keep what a file lists, until its lines' turns come; return the import's id, and when it began.

        The same file is one import: while lines of it wait it goes on as it stands (None), and
        afterwards it begins anew.
        """
        import_id, kept_at = await self._own(user_id, file_hash)
        if await self._waits(import_id):
            return import_id, None
        await self._connection.execute(
            delete(import_lines).where(import_lines.c.import_id == import_id)
        )
        await self._connection.execute(
            update(imports)
            .where(imports.c.id == import_id)
            .values(categories=read.categories, categories_made=0)
        )
        await self._connection.execute(_KEEP, {"import_id": import_id, "lines": _lines(read)})
        await self._forget_oldest(user_id)
        return import_id, kept_at

    async def forget(self, import_id: int, kept_at: datetime) -> None:
        """Forget an import with its lines, unless somebody has given the same file since.

        What is followed by it stays so.
        """
        await self._connection.execute(
            delete(imports).where(imports.c.id == import_id, imports.c.created_at == kept_at)
        )

    async def hash_of(self, user_id: int, import_id: int) -> str | None:
        """Return the hash of the file of a user's import, None if there is no such import of theirs."""
        statement = select(imports.c.hash).where(
            imports.c.id == import_id, imports.c.user_id == user_id
        )
        return (await self._connection.execute(statement)).scalar_one_or_none()

    async def recent(self, user_id: int) -> list[KeptImport]:
        """Return a user's imports, newest first."""
        rows = await self._connection.execute(
            select(imports.c.id, imports.c.hash)
            .where(imports.c.user_id == user_id)
            .order_by(imports.c.id.desc())
        )
        return [
            KeptImport(id=row.id, file_hash=row.hash, progress=await self.progress(row.id))
            for row in rows
        ]

    async def follow_next(self, import_id: int, limit: int) -> tuple[int, ...]:
        """Let an import's user follow its next lines, and write down what came of each; return the new feeds."""
        head = (
            await self._connection.execute(
                select(imports).where(imports.c.id == import_id).with_for_update()
            )
        ).one_or_none()
        if head is None:
            return ()
        waiting = await self._connection.execute(
            select(import_lines)
            .where(import_lines.c.import_id == import_id, import_lines.c.outcome.is_(None))
            .order_by(import_lines.c.number)
            .limit(limit)
        )
        followed = await self._follow(head, waiting.all())
        await self._connection.execute(
            update(imports)
            .where(imports.c.id == import_id)
            .values(categories_made=imports.c.categories_made + followed.categories)
        )
        return tuple(followed.feed_ids.values())

    async def progress(self, import_id: int) -> ImportProgress:
        """Return how far an import has come."""
        rows = await self._connection.execute(
            select(import_lines.c.outcome, func.count().label("lines"))
            .where(import_lines.c.import_id == import_id)
            .group_by(import_lines.c.outcome)
        )
        count: dict[str | None, int] = {row.outcome: row.lines for row in rows}
        made = select(imports.c.categories_made).where(imports.c.id == import_id)
        return ImportProgress(
            outlines=sum(count.values()),
            added=count.get(Listed.ADDED, 0),
            followed=count.get(Listed.FOLLOWED, 0),
            duplicates=count.get(Listed.DUPLICATE, 0),
            broken=count.get(Listed.BROKEN, 0),
            waiting=count.get(None, 0),
            categories=(await self._connection.execute(made)).scalar_one_or_none() or 0,
        )

    async def report(self, import_id: int) -> ListImported:
        """Return what has come of an import so far, with every line that was not simply added."""
        rows = await self._connection.execute(
            select(import_lines)
            .where(import_lines.c.import_id == import_id, import_lines.c.outcome != Listed.ADDED)
            .order_by(import_lines.c.line, import_lines.c.number)
        )
        progress = await self.progress(import_id)
        return ListImported(
            id=import_id,
            lines=tuple(_outcome(row) for row in rows),
            **progress.model_dump(by_alias=False),
        )

    async def _own(self, user_id: int, file_hash: str) -> tuple[int, datetime]:
        statement = (
            insert(imports)
            .values(user_id=user_id, hash=file_hash, created_at=clock.now())
            # The row is ours until we commit; whoever kept it before sees that they are not alone.
            .on_conflict_do_update(
                index_elements=["user_id", "hash"], set_={"created_at": clock.now()}
            )
            .returning(imports.c.id, imports.c.created_at)
        )
        row = (await self._connection.execute(statement)).one()
        return row.id, row.created_at

    async def _waits(self, import_id: int) -> bool:
        some = select(import_lines.c.number).where(
            import_lines.c.import_id == import_id, import_lines.c.outcome.is_(None)
        )
        return (await self._connection.execute(some.limit(1))).first() is not None

    async def _forget_oldest(self, user_id: int) -> None:
        newest = (
            select(imports.c.id)
            .where(imports.c.user_id == user_id)
            .order_by(imports.c.id.desc())
            .limit(_MOST_KEPT)
        )
        waiting = select(import_lines.c.import_id).where(
            import_lines.c.import_id == imports.c.id, import_lines.c.outcome.is_(None)
        )
        await self._connection.execute(
            delete(imports).where(
                imports.c.user_id == user_id, imports.c.id.not_in(newest), ~waiting.exists()
            )
        )

    async def _follow(self, head: Row[Any], lines: Sequence[Row[Any]]) -> FeedsFollowed:
        """Follow lines together; where the database refuses that, find the line that it refuses."""
        listed = [_listed(line) for line in lines]
        empty = [tuple(path) for path in head.categories]
        try:
            async with self._connection.begin_nested():
                followed = await self._lists.follow(head.user_id, listed, empty)
                await self._settle(head.id, _outcomes(lines, followed))
        except (exc.DataError, exc.IntegrityError) as error:
            if len(lines) <= 1:
                await self._refuse(head.id, lines, error)
                return FeedsFollowed(feed_ids={}, categories=0)
        else:
            return followed
        half = len(lines) // 2
        first = await self._follow(head, lines[:half])
        second = await self._follow(head, lines[half:])
        return FeedsFollowed(
            feed_ids=first.feed_ids | second.feed_ids,
            categories=first.categories + second.categories,
        )

    async def _settle(self, import_id: int, outcomes: Mapping[int, Listed]) -> None:
        settled = given(
            numbers("number", list(outcomes)), texts("outcome", list(outcomes.values()))
        )
        await self._connection.execute(
            update(import_lines)
            .where(import_lines.c.import_id == import_id, import_lines.c.number == settled.c.number)
            .values(outcome=settled.c.outcome)
        )

    async def _refuse(
        self, import_id: int, lines: Sequence[Row[Any]], error: exc.DBAPIError
    ) -> None:
        await self._connection.execute(
            update(import_lines)
            .where(
                import_lines.c.import_id == import_id,
                import_lines.c.number.in_([line.number for line in lines]),
            )
            .values(
                outcome=Listed.BROKEN,
                reason=Reason.OUTLINE_REFUSED,
                detail=(str(error.orig).splitlines() or [""])[0],
            )
        )


def _lines(read: ListRead) -> str:
    """Return what a file lists as rows of JSON, in the order of the file."""
    feeds = [
        (feed.line, _row(feed.line, feed.url, feed.title, category=feed.category))
        for feed in read.feeds
    ]
    rejected = [(each.line, _rejected(each)) for each in read.rejected]
    in_order = sorted([*feeds, *rejected], key=lambda placed: placed[0])
    return json.dumps([{**row, "number": number} for number, (_, row) in enumerate(in_order)])


def _rejected(each: OutlineOutcome) -> dict[str, object]:
    return _row(
        each.line,
        each.url,
        each.title,
        outcome=each.outcome,
        first_line=each.first_line,
        reason=each.reason,
        detail=each.detail,
    )


def _row(line: int, url: str, title: str, **said: object) -> dict[str, object]:
    return {"line": line, "url": url, "title": title, "category": (), "detail": "", **said}


def _listed(line: Row[Any]) -> ListedFeed:
    return ListedFeed(url=line.url, title=line.title, category=tuple(line.category), line=line.line)


def _outcomes(lines: Sequence[Row[Any]], followed: FeedsFollowed) -> dict[int, Listed]:
    return {
        line.number: Listed.ADDED if line.url in followed.feed_ids else Listed.FOLLOWED
        for line in lines
    }


def _outcome(line: Row[Any]) -> OutlineOutcome:
    reason = None if line.reason is None else Reason(line.reason)
    return OutlineOutcome(
        line=line.line,
        outcome=Listed(line.outcome),
        title=line.title,
        url=line.url,
        first_line=line.first_line,
        reason=reason,
        detail=line.detail,
        advice=None if reason is None else ADVICE[reason],
    )
