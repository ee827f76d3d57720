from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from feedmill.models.reader import EntryDetail, EntryPage, EntryRefetching
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import EntryId, RunsDep, StoreDep
from feedmill_gateway.queries import EntryQuery

router = APIRouter(prefix="/api/v1/entries", tags=["entries"])


@router.get("", summary="List entries")
async def list_entries(
    query: Annotated[EntryQuery, Query()], user: UserDep, store: StoreDep
) -> EntryPage:
    """Return entries of the feeds you follow, newest first.

    Go on with `before=<next>`; entries added meanwhile neither shift nor repeat what you get.
    """
    async with store.transaction() as tx:
        return await tx.reader.entries(
            user,
            feed_id=query.feed_id,
            stage=query.stage,
            before=query.position,
            limit=query.limit,
            folded=query.is_folded,
        )


@router.get("/{entry_id}", summary="Show an entry")
async def show_entry(entry_id: EntryId, user: UserDep, store: StoreDep) -> EntryDetail:
    """Return an entry with its article: `html` is sanitised, key points refer to `text`."""
    async with store.transaction() as tx:
        return await tx.reader.entry(user, entry_id)


@router.post("/{entry_id}/refetch", status_code=HTTPStatus.ACCEPTED, summary="Fetch an entry again")
async def refetch(
    entry_id: EntryId, user: UserDep, store: StoreDep, runs: RunsDep
) -> EntryRefetching:
    """Ask for the entry's page again now, or join the run that does so already.

    If its text has changed, it is distilled anew. What was stored stands when nothing better comes.
    """
    async with store.transaction() as tx:
        entry = await tx.reader.entry(user, entry_id)
        now = await tx.now()
    run = await runs.start_refetch(entry.feed_id, entry_id, title=entry.title, now=now)
    return EntryRefetching(run=run)
