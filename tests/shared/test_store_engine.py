"""How Postgres is spoken to: in transactions, in single statements, over connections that are there."""

import asyncio

import pytest
from sqlalchemy import text

from feedmill.store import Store, resting

OTHERS_GONE = text(
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where application_name = 'feedmill' and datname = current_database()"
    " and pid <> pg_backend_pid()"
)


async def feeds(store: Store) -> int:
    async with store.transaction() as tx:
        return int((await tx.connection.execute(text("select count(*) from feeds"))).scalar_one())


async def test_a_statement_is_committed_whatever_comes_after_it(store: Store) -> None:
    with pytest.raises(KeyError):
        async with store.statement() as tx:
            await tx.feeds.add("https://a.example/")
            raise KeyError

    with pytest.raises(KeyError):
        async with store.transaction() as tx:
            await tx.feeds.add("https://b.example/")
            raise KeyError

    assert await feeds(store) == 1


async def test_connections_that_went_while_nobody_used_them_are_replaced(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "_RESTED_SECONDS", 0.0)
    both_open = asyncio.Barrier(2)

    async def use() -> None:
        async with store.transaction() as tx:
            await tx.connection.execute(text("select 1"))
            await both_open.wait()

    await asyncio.gather(use(), use())
    async with store.statement() as tx:
        gone = (await tx.connection.execute(OTHERS_GONE)).scalar_one()

    assert gone >= 1
    await asyncio.gather(use(), use())
