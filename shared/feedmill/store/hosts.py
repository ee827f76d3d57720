"""The governor's memory: when each host may be asked next, whichever worker asks."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.base import Model
from feedmill.store import clock
from feedmill.store.tables import hosts


class Slot(Model):
    """A moment at which one request to a host may start; it is ours and nobody else's."""

    wait: timedelta


class SlotTooFar(Model):
    """The host's next free slot is further away than the asker would wait. Nothing was taken."""

    until: datetime


class HostStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def reserve(
        self, host: str, *, spacing: timedelta, patience: timedelta
    ) -> Slot | SlotTooFar:
        """Take the host's next free slot if it is at most `patience` away.

        One statement, so that two workers never take the same slot. Postgres's clock is the only
        clock: workers' clocks need not agree.
        """
        now = clock.now()
        start = func.greatest(hosts.c.next_free_at, now)
        statement = (
            insert(hosts)
            .values(host=host, next_free_at=now + spacing)
            .on_conflict_do_update(
                index_elements=["host"],
                set_={"next_free_at": start + spacing},
                where=hosts.c.next_free_at <= now + patience,
            )
            .returning(hosts.c.next_free_at - spacing - now)
        )
        wait = (await self._connection.execute(statement)).scalar_one_or_none()
        if wait is not None:
            return Slot(wait=max(wait, timedelta(0)))
        until = select(hosts.c.next_free_at).where(hosts.c.host == host)
        return SlotTooFar(until=(await self._connection.execute(until)).scalar_one())

    async def hold(self, host: str, wait: timedelta) -> datetime:
        """Ask the host nothing for `wait` from now on, and return when that ends."""
        # One moment for both columns: the clock itself runs on between two looks at it.
        until = (await self._connection.execute(select(clock.now()))).scalar_one() + wait
        statement = (
            insert(hosts)
            .values(host=host, next_free_at=until, held_until=until)
            .on_conflict_do_update(
                index_elements=["host"],
                set_={
                    "next_free_at": func.greatest(hosts.c.next_free_at, until),
                    "held_until": func.greatest(hosts.c.held_until, until),
                },
            )
            .returning(hosts.c.next_free_at)
        )
        held: datetime = (await self._connection.execute(statement)).scalar_one()
        return held

    async def held_until(self, host: str) -> datetime | None:
        """Return when the host may be asked again; None when nobody holds it."""
        statement = select(hosts.c.held_until).where(
            hosts.c.host == host, hosts.c.held_until > clock.now()
        )
        return (await self._connection.execute(statement)).scalar_one_or_none()
