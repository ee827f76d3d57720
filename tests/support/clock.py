"""Postgres's clock in a test's hands: every process that asks it sees the same days pass."""

from datetime import UTC, datetime, timedelta

from feedmill.store import Store

# A Sunday noon, far from any change of clocks.
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    """The clock of one database. It stands still until it is told otherwise."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def start(self, at: datetime = NOON) -> "Clock":
        """Stop the clock at a moment."""
        async with self._store.transaction() as tx:
            await tx.connection.exec_driver_sql("create table test_clock (at timestamptz)")
            await tx.connection.exec_driver_sql("insert into test_clock values (%s)", (at,))
            await tx.connection.exec_driver_sql(
                "create or replace function feedmill_now() returns timestamptz "
                "language sql volatile parallel safe as 'select at from test_clock'"
            )
        return self

    async def now(self) -> datetime:
        async with self._store.transaction() as tx:
            return await tx.now()

    async def advance(self, by: timedelta) -> None:
        """Let time pass."""
        async with self._store.transaction() as tx:
            await tx.connection.exec_driver_sql("update test_clock set at = at + %s", (by,))
