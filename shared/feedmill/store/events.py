"""Numbered events, appended in the transaction of what they report."""

import json
from collections.abc import Sequence

from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.events import Event, NewEvent
from feedmill.store.tables import events

CHANNEL = "feedmill_events"

# Any constant; it only has to differ from other advisory locks in the same database.
_APPEND_LOCK = 7_031_001

# A row gets its number when it comes out of the join: after the lock. Listeners are woken by the
# commit, wherever in the transaction it is said. As one JSON document: a parameter per value would
# cost more than the insert itself.
_APPEND = text("""
with locked as materialized (
    select pg_advisory_xact_lock(:lock), pg_notify(:channel, '')
)
insert into events (kind, feed_id, entry_id, workflow_id, run_id, detail)
select kind, feed_id, entry_id, workflow_id, run_id, detail
from locked, jsonb_populate_recordset(null::events, cast(:rows as jsonb))
""").bindparams(lock=_APPEND_LOCK, channel=CHANNEL)


class EventStore:
    """Appended events are written when the transaction ends, in one statement.

    Numbers are handed out under a lock held until the commit, so a reader that has seen number N
    never misses a smaller one that commits later. Writing them last keeps the lock short and
    orders it after every row lock, so it cannot deadlock.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._pending: list[NewEvent] = []

    def append(self, *new: NewEvent) -> None:
        """Report something, if this transaction commits."""
        self._pending += new

    async def flush(self) -> None:
        """Write what was appended. The transaction calls this just before it commits."""
        if not self._pending:
            return
        rows = json.dumps([_row(event) for event in self._pending])
        await self._connection.execute(_APPEND, {"rows": rows})
        self._pending = []

    async def after(
        self, number: int, *, run_id: str | None = None, limit: int = 200
    ) -> Sequence[Event]:
        """Return the events after `number`, oldest first, of one run or of all."""
        statement = select(events).where(events.c.id > number).order_by(events.c.id).limit(limit)
        if run_id is not None:
            statement = statement.where(events.c.run_id == run_id)
        rows = await self._connection.execute(statement)
        return [Event.model_validate(row._mapping) for row in rows]  # noqa: SLF001 - a row's public mapping

    async def last_number(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        statement = select(func.coalesce(func.max(events.c.id), 0))
        return int((await self._connection.execute(statement)).scalar_one())


def _row(event: NewEvent) -> dict[str, object]:
    return {
        "kind": event.kind,
        "feed_id": event.feed_id,
        "entry_id": event.entry_id,
        "workflow_id": event.run.workflow_id if event.run else None,
        "run_id": event.run.run_id if event.run else None,
        "detail": event.detail,
    }
