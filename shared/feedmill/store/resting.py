"""Connections that have rested are asked whether they are still there before they are used."""

import time

from sqlalchemy import event, exc
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Who answered a moment ago is there; should it have gone just now, the transaction fails as it would
# had Postgres gone in the middle of it. To ask each time would be a fifth of all we say to Postgres.
_RESTED_SECONDS = 1.0
_USED_AT = "used_at"


def ask_the_rested(engine: AsyncEngine) -> None:
    """Replace connections that are gone, or were closed while nobody used them."""
    dialect = engine.dialect

    def note(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = time.monotonic()

    def ask(
        connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or time.monotonic() - used_at < _RESTED_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            # Taken by the pool for the end of all connections as old as this one.
            raise exc.InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", note)
    event.listen(engine.sync_engine, "checkout", ask)
