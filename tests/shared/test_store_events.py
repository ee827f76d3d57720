import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from feedmill.config import StoreSettings
from feedmill.errors import StoreUnavailableError
from feedmill.models.events import EventKind, NewEvent, RunRef
from feedmill.store import Store, open_store
from support.programs import free_port

_WAITING = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
_LAST_NUMBER = "select last_value from pg_sequences where sequencename = 'events_id_seq'"

ADDED = NewEvent(kind=EventKind.FEED_ADDED, feed_id=1)


async def numbers(store: Store, after: int = 0, run_id: str | None = None) -> list[int]:
    async with store.transaction() as tx:
        return [event.id for event in await tx.events.after(after, run_id=run_id)]


async def test_events_come_in_the_order_of_their_numbers(store: Store) -> None:
    async with store.transaction() as tx:
        tx.events.append(ADDED, ADDED)
        tx.events.append(ADDED)

    assert await numbers(store) == [1, 2, 3]
    assert await numbers(store, after=2) == [3]


async def test_what_is_rolled_back_reports_nothing(store: Store) -> None:
    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            tx.events.append(ADDED)
            raise KeyError

    assert await numbers(store) == []


async def test_a_run_sees_its_own_events(store: Store) -> None:
    run = RunRef(workflow_id="feed-ingestion/1", run_id="r")
    async with store.transaction() as tx:
        tx.events.append(ADDED, replace(ADDED, run=run))

        await tx.events.flush()

        (event,) = await tx.events.after(0, run_id="r")
        assert (event.workflow_id, event.run_id, event.feed_id) == ("feed-ingestion/1", "r", 1)
        assert await tx.events.last_number() == event.id


async def test_a_reader_never_misses_a_number_that_commits_late(store: Store) -> None:
    seen: list[int] = []

    async def write() -> None:
        for _ in range(30):
            async with store.transaction() as tx:
                tx.events.append(ADDED)
                # Whatever else the transaction does must not let numbers overtake each other.
                await asyncio.sleep(0)

    async def read() -> None:
        while len(seen) < 90:
            seen.extend(await numbers(store, after=seen[-1] if seen else 0))

    async with asyncio.timeout(30):
        await asyncio.gather(read(), write(), write(), write())

    assert seen == sorted(seen)
    assert len(seen) == 90


async def test_who_waits_for_another_to_commit_has_no_number_yet(store: Store) -> None:
    async def write() -> None:
        async with store.transaction() as tx:
            tx.events.append(ADDED)

    async with asyncio.timeout(20), store.transaction() as first:
        first.events.append(ADDED)
        await first.events.flush()
        second = asyncio.create_task(write())
        while not await first.connection.scalar(text(_WAITING)):
            assert not second.done()
            await asyncio.sleep(0.01)

        assert await first.connection.scalar(text(_LAST_NUMBER)) == 1

    await second
    assert await numbers(store) == [1, 2]


async def test_postgres_away_is_a_transient_error_without_the_password() -> None:
    url = f"postgresql://me:secret@127.0.0.1:{free_port()}/feeds"
    async with open_store(StoreSettings(database_url=url)) as store:
        with pytest.raises(StoreUnavailableError) as away:
            await store.check()

    assert "secret" not in str(away.value)
