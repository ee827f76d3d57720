"""What the pool knows of a model's endpoint: how it is asked, and how long nobody asks it."""

from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

_KNOWN = text("select dialect, has_answered from endpoints where endpoint = :endpoint")

_LEARN = text("""
insert into endpoints as known (endpoint, dialect, has_answered) values (:endpoint, :dialect, true)
on conflict (endpoint) do update set
    dialect = excluded.dialect, has_answered = true, strikes = 0, held_for = ''
""").bindparams(bindparam("dialect", type_=JSONB))

_CORRECT = text("""
update endpoints set free_at = free_at + :share where endpoint = :endpoint
""").bindparams(bindparam("share", type_=INTERVAL))

# A hold never ends sooner because somebody else was told a shorter one.
_HOLD = text("""
insert into endpoints as known (endpoint, held_until, held_for, strikes)
values (:endpoint, feedmill_now() + :wait, :why, :strike)
on conflict (endpoint) do update set
    held_until = greatest(known.held_until, excluded.held_until),
    held_for = excluded.held_for,
    strikes = known.strikes + excluded.strikes
""").bindparams(bindparam("wait", type_=INTERVAL))

_STRIKES = text("select strikes from endpoints where endpoint = :endpoint")


class KnownEndpoint(NamedTuple):
    dialect: dict[str, object] | None = None
    has_answered: bool = False


class EndpointStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def known(self, endpoint: str) -> KnownEndpoint:
        """Return what has been found out about an endpoint, by whichever worker."""
        row = (await self._connection.execute(_KNOWN, {"endpoint": endpoint})).one_or_none()
        return KnownEndpoint(row.dialect, row.has_answered) if row else KnownEndpoint()

    async def learn(self, endpoint: str, dialect: dict[str, object]) -> None:
        """Write down how an endpoint was asked when it answered."""
        await self._connection.execute(_LEARN, {"endpoint": endpoint, "dialect": dialect})

    async def correct(self, endpoint: str, share: timedelta) -> None:
        """Make up for a call that used more or less of the pace than was thought."""
        await self._connection.execute(_CORRECT, {"endpoint": endpoint, "share": share})

    async def hold(self, endpoint: str, wait: timedelta, why: str, *, strike: bool = False) -> None:
        """Keep every worker from asking for a while; a strike makes the next hold longer."""
        told = {"endpoint": endpoint, "wait": wait, "why": why, "strike": int(strike)}
        await self._connection.execute(_HOLD, told)

    async def strikes(self, endpoint: str) -> int:
        """Return how many refusals in a row named no time."""
        found = await self._connection.execute(_STRIKES, {"endpoint": endpoint})
        return int(found.scalar_one_or_none() or 0)
