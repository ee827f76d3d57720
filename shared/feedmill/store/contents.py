import hashlib
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import RowMapping, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.distillates import ContentToDistill
from feedmill.models.entries import FROM_FEED, Content, Stage, StoredContent
from feedmill.models.feeds import Validators
from feedmill.store import clock
from feedmill.store.tables import contents, entries, stories


class ContentStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def save(
        self, entry_id: int, content: Content, validators: Validators | None = None
    ) -> None:
        """Store the article behind an entry, in place of an earlier one.

        Parameters
        ----------
        validators
            Of the page it was found on, if it was on one.
        """
        row = {
            **content.model_dump(),
            "hash": hash_text(content.text),
            **_columns(validators or Validators()),
        }
        await self._connection.execute(
            insert(contents)
            .values(entry_id=entry_id, **row)
            .on_conflict_do_update(index_elements=["entry_id"], set_=row)
        )

    async def renew(self, entry_id: int, validators: Validators) -> None:
        """Keep the validators by which a page has just said that it has not changed."""
        await self._connection.execute(
            update(contents).where(contents.c.entry_id == entry_id).values(**_columns(validators))
        )

    async def stored(self, entry_ids: Sequence[int]) -> dict[int, StoredContent]:
        """Return what is stored of the articles of these entries, as far as there are any."""
        statement = select(
            contents.c.entry_id,
            contents.c.hash,
            contents.c.extractor,
            contents.c.etag,
            contents.c.last_modified,
            contents.c.validators_url,
            func.coalesce(func.substr(contents.c.text, contents.c.transcript_start + 1), "").label(
                "transcript"
            ),
            contents.c.transcript_reason,
            contents.c.language,
            contents.c.withheld,
        ).where(contents.c.entry_id.in_(entry_ids))
        rows = await self._connection.execute(statement)
        return {row["entry_id"]: _stored(row) for row in rows.mappings()}

    async def were_readable(self, feed_id: int, since: timedelta) -> bool:
        """Tell whether pages of a feed were read lately."""
        statement = select(
            exists().where(
                contents.c.entry_id == entries.c.id,
                entries.c.feed_id == feed_id,
                entries.c.asked_at > clock.now() - since,
                contents.c.extractor.not_like(f"{FROM_FEED}%"),
            )
        )
        return bool((await self._connection.execute(statement)).scalar_one())

    async def to_distill(self, entry_ids: Sequence[int]) -> list[ContentToDistill]:
        """Return the stored articles of those of these entries that stand at `fetched`.

        Each with the story that its text tells, if somebody has found that out already.
        """
        statement = (
            select(
                contents.c.entry_id,
                entries.c.feed_id,
                func.coalesce(func.nullif(contents.c.title, ""), entries.c.title).label("title"),
                contents.c.kind,
                contents.c.text,
                contents.c.language,
                contents.c.hash.label("content_hash"),
                contents.c.withheld,
                stories.c.story,
            )
            .join(entries, entries.c.id == contents.c.entry_id)
            .outerjoin(
                stories,
                (stories.c.entry_id == contents.c.entry_id)
                & (stories.c.content_hash == contents.c.hash),
            )
            .where(contents.c.entry_id.in_(entry_ids), entries.c.stage == Stage.FETCHED)
        )
        rows = await self._connection.execute(statement)
        return [ContentToDistill.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - a row's public mapping


def _columns(validators: Validators) -> dict[str, str | None]:
    return {
        "etag": validators.etag,
        "last_modified": validators.last_modified,
        "validators_url": validators.url,
    }


def _stored(row: RowMapping) -> StoredContent:
    validators = Validators(
        etag=row["etag"], last_modified=row["last_modified"], url=row["validators_url"]
    )
    return StoredContent.model_validate({**row, "validators": validators})


def hash_text(text: str) -> str:
    """Return the identity of a text: the same text is never paid for twice."""
    return hashlib.sha256(text.encode()).hexdigest()
