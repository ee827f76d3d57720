"""What every round asks is looked up, however many feeds there are."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import event, text

from feedmill.store import Store, Transaction

Ask = Callable[[Transaction], Awaitable[object]]


@pytest.mark.parametrize(
    ("ask", "looked_up"),
    [
        pytest.param(
            lambda tx: tx.feeds.lock_due(shard=0, shards=1, limit=10), "next_poll_at", id="feeds"
        ),
        pytest.param(
            lambda tx: tx.websub.lock_due(shard=0, shards=1, per_hub=1, most=10),
            "renew_at",
            id="hubs",
        ),
        pytest.param(lambda tx: tx.websub.due(shard=0, shards=1), "renew_at", id="how many hubs"),
    ],
)
async def test_what_is_due_is_looked_up(store: Store, ask: Ask, looked_up: str) -> None:
    asked = []

    def note(*said: object) -> None:
        asked.append(said[2:4])

    async with store.transaction() as tx:
        # A table this small would be read as a whole.
        await tx.connection.execute(text("set local enable_seqscan = off"))
        event.listen(store._engine.sync_engine, "before_cursor_execute", note)
        await ask(tx)
        statement, parameters = asked[0]
        explained = await tx.connection.exec_driver_sql(f"explain {statement}", parameters)
        plan = "\n".join(explained.scalars())

    assert f"Index Cond: ({looked_up} <=" in plan
