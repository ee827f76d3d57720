"""Entries of one feed, how they stand, and what was stored of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from temporalio.testing import ActivityEnvironment

from feedmill.models.entries import FetchEntries, FetchOutcome
from feedmill.models.feeds import SnapshotEntry
from feedmill.store import Store
from feedmill.store.tables import contents, entries, events
from feedmill_fetch.fetching import Fetcher

FEED_URL = "https://feed.example/"


async def add_entries(store: Store, *shown: SnapshotEntry) -> list[int]:
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(FEED_URL)
        return (await tx.entries.add_new({feed_id: shown}))[feed_id]


async def add_pages(
    store: Store, *urls: str | None, teaser: str = "", markup: str | None = None
) -> list[int]:
    shown = [
        SnapshotEntry(guid=f"{number} {url}", url=url, title="T", teaser=teaser, markup=markup)
        for number, url in enumerate(urls)
    ]
    return await add_entries(store, *shown)


async def fetch(
    fetcher: Fetcher, *entry_ids: int, again_since: datetime | None = None
) -> list[FetchOutcome]:
    request = FetchEntries(entry_ids=entry_ids, again_since=again_since)
    return list((await ActivityEnvironment().run(fetcher.fetch_entries, request)).outcomes)


async def stored(store: Store, entry_id: int) -> tuple[str, str | None, str]:
    """Return where an entry stands and why."""
    row = await entry_row(store, entry_id)
    return row.stage, row.reason, row.detail


async def entry_row(store: Store, entry_id: int) -> Any:
    async with store.transaction() as tx:
        return (await tx.connection.execute(select(entries).where(entries.c.id == entry_id))).one()


async def content_row(store: Store, entry_id: int) -> Any:
    """Return what is stored of an entry's article; None if nothing is."""
    statement = select(contents).where(contents.c.entry_id == entry_id)
    async with store.transaction() as tx:
        return (await tx.connection.execute(statement)).one_or_none()


async def told(store: Store) -> list[tuple[str, int, str, str]]:
    async with store.transaction() as tx:
        found = await tx.connection.execute(select(events).order_by(events.c.id))
        return [(row.kind, row.entry_id, row.detail, row.run_id) for row in found]


async def articles(store: Store) -> dict[int, str]:
    async with store.transaction() as tx:
        found = await tx.connection.execute(select(contents))
        return {row.entry_id: row.text for row in found}
