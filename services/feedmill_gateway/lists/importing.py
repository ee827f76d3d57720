"""What a reader does with lists, whether through the API or a form."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from feedmill.config import Network
from feedmill.errors import NotFoundError, PermanentError, TemporalUnavailableError
from feedmill.isolation import IsolationError, open_pool
from feedmill.models.lists import MAX_LIST_BYTES, ListImported, ListRead
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill_gateway.imports import Imports
from feedmill_gateway.lists.markup import ListRefused
from feedmill_gateway.lists.reading import read_list
from feedmill_gateway.lists.writing import write_list

# Long lists take one or two; what takes longer is made to.
_READING_SECONDS = 15.0
# Thousands of feeds take two; a page waits no longer for more.
_IMPORTING_SECONDS = 10.0
_CANCELLING_SECONDS = 5.0


class ListRefusedError(PermanentError):
    """A file is no list that can be read; nothing was changed.

    Attributes
    ----------
    reason
        A member of `feedmill.models.outcomes.Reason`.
    """

    def __init__(self, message: str, *, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class ListReader:
    """Reads files, one at a time, each in a process that ends with it."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def read(self, body: bytes, networks: Sequence[Network]) -> ListRead:
        """Read an OPML file.

        Raises
        ------
        ListRefusedError
            It is none, or none that can be read safely.
        """
        if len(body) > MAX_LIST_BYTES:
            raise too_large()
        try:
            # Lists are rare: a process kept for the next one would be memory kept for nothing.
            async with self._turn, open_pool(1) as pool:
                read = await pool.run(_READING_SECONDS, read_list, body, tuple(networks))
        except IsolationError as error:
            detail = f"Reading it {error}."
            raise ListRefusedError(detail, reason=Reason.LIST_UNREADABLE) from error
        if isinstance(read, ListRefused):
            raise ListRefusedError(
                f"The file cannot be imported: {read.detail}.", reason=read.reason
            )
        return read


def too_large() -> ListRefusedError:
    """Return what is said of a file that is too long to be read at all."""
    return ListRefusedError(
        f"The file is larger than {MAX_LIST_BYTES // 1024**2} MB.", reason=Reason.LIST_TOO_LARGE
    )


async def import_list(
    body: bytes,
    user_id: int,
    store: Store,
    imports: Imports,
    reader: ListReader,
    networks: Sequence[Network],
) -> ListImported:
    """Let a user follow every feed of an OPML file, slice by slice, and return what has come of it.

    Answers when all of it is done, and after some seconds in any case: the import goes on by
    itself. The same file is one import, whoever sends it while it is under way; sent again afterwards it
    changes nothing. New feeds are due at once, and are polled one after the other as their hosts allow.

    Raises
    ------
    ListRefusedError
        The file as a whole cannot be read.
    TemporalUnavailableError
        Nothing is imported.
    """
    read = await reader.read(body, networks)
    file_hash = hashlib.sha256(body).hexdigest()[:16]
    async with store.transaction() as tx:
        stored_id, kept_at = await tx.imports.keep(user_id, file_hash, read)
    try:
        await imports.begin(user_id, file_hash, stored_id)
    except TemporalUnavailableError:
        if kept_at is not None:
            async with store.transaction() as tx:
                await tx.imports.forget(stored_id, kept_at)
        raise
    await imports.ended_within(_IMPORTING_SECONDS, user_id, file_hash)
    return await show_import(stored_id, user_id, store, imports)


async def show_import(stored_id: int, user_id: int, store: Store, imports: Imports) -> ListImported:
    """Return what has come of an import so far.

    Raises
    ------
    NotFoundError
        There is no such import of theirs.
    """
    file_hash = await _hash_of(stored_id, user_id, store)
    # Asked before the report is read: what an import did is committed before it ends.
    status = await imports.status(user_id, file_hash)
    async with store.transaction() as tx:
        report = await tx.imports.report(stored_id)
    return report.model_copy(update={"status": status, "href": _href(stored_id)})


async def list_imports(user_id: int, store: Store, imports: Imports) -> list[ListImported]:
    """Return a user's imports without their lines, newest first."""
    async with store.transaction() as tx:
        found = await tx.imports.recent(user_id)
    # Side by side: each may be waited for as long as Temporal is away.
    statuses = await asyncio.gather(*(imports.status(user_id, each.file_hash) for each in found))
    return [
        ListImported(
            id=each.id,
            href=_href(each.id),
            status=status,
            lines=(),
            **each.progress.model_dump(by_alias=False),
        )
        for each, status in zip(found, statuses, strict=True)
    ]


async def cancel_import(
    stored_id: int, user_id: int, store: Store, imports: Imports
) -> ListImported:
    """Let an import end where it stands, and return how that is.

    Raises
    ------
    NotFoundError
        There is no such import of theirs.
    """
    file_hash = await _hash_of(stored_id, user_id, store)
    await imports.cancel(user_id, file_hash)
    await imports.ended_within(_CANCELLING_SECONDS, user_id, file_hash)
    return await show_import(stored_id, user_id, store, imports)


def _href(stored_id: int) -> str:
    return f"/api/v1/imports/{stored_id}"


async def _hash_of(stored_id: int, user_id: int, store: Store) -> str:
    async with store.transaction() as tx:
        file_hash = await tx.imports.hash_of(user_id, stored_id)
    if file_hash is None:
        raise NotFoundError("There is no such import of yours.")
    return file_hash


async def export_list(user_id: int, store: Store) -> str:
    """Return everything a user follows as an OPML file."""
    async with store.transaction() as tx:
        feeds = await tx.lists.listed(user_id)
        categories = await tx.categories.of(user_id)
    return await asyncio.to_thread(write_list, feeds, categories, now=datetime.now(UTC))
