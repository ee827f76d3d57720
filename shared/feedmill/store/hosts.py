"""The governor's memory: when each host may be asked next, whichever worker asks."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, bindparam, func, literal_column, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, INTEGER, INTERVAL, TEXT, TIMESTAMP, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.hosts import Admitted, HostLimit, HostState, NotYet, Place
from feedmill.store import clock
from feedmill.store.tables import hosts

# A request is cut off after a minute; whoever has not given its place back by then is dead.
_LOST_AFTER = timedelta(seconds=90)
# How soon to look again for a place that others have taken, for how long nobody can tell.
_BUSY_WAIT = timedelta(seconds=0.25)
# A limit is guessed from the requests of the last while, not from those of last night.
_WINDOW = timedelta(hours=1)
# What was learnt of a host's limit is half forgotten after so long without a refusal.
_HALF_FORGOTTEN = timedelta(days=1)

_LEARNT = f"""learnt_spacing * power(
    0.5, floor(extract(epoch from feedmill_now() - learnt_at) / {_HALF_FORGOTTEN.total_seconds()})
)"""
_REMEMBERED = literal_column(_LEARNT, INTERVAL).label("learnt_spacing")

_RESERVE = text(f"""
with moment as materialized (
    select feedmill_now() as now
), asked as (
    select * from unnest(:hosts, :spacings, :limits, :wanted) as asked (host, least, most, wanted)
), known as (
    select hosts.*, asked.wanted, asked.most, moment.now,
        greatest(asked.least, hosts.crawl_delay, {_LEARNT}) as spacing,
        array(select lost_at from unnest(hosts.busy) as lost_at where lost_at > moment.now) as taken
    from hosts join asked using (host) cross join moment
    order by hosts.host
    for update of hosts
), planned as (
    select *,
        case
            when next_free_at > now then 0
            when spacing > interval '0' then least(wanted, 1, most - cardinality(taken))
            else least(wanted, most - cardinality(taken))
        end as admitted,
        coalesce(now - window_started_at < :window, false) as in_window
    from known
), changed as (
    update hosts set
        next_free_at = now + spacing,
        busy = taken || array_fill(now + :lost_after, array[admitted]),
        window_started_at = case when in_window then planned.window_started_at else now end,
        window_requests = admitted + case when in_window then planned.window_requests else 0 end
    from planned
    where hosts.host = planned.host and admitted > 0
)
select host, admitted, spacing, now, now + :lost_after as lost_at,
    case
        when admitted <= 0 and next_free_at > now then next_free_at
        else now + greatest(spacing, :busy_wait)
    end as next_at
from planned
""").bindparams(  # noqa: S608 - put together from constants of ours
    bindparam("hosts", type_=ARRAY(TEXT)),
    bindparam("spacings", type_=ARRAY(INTERVAL)),
    bindparam("limits", type_=ARRAY(INTEGER)),
    bindparam("wanted", type_=ARRAY(INTEGER)),
    bindparam("window", _WINDOW, type_=INTERVAL),
    bindparam("lost_after", _LOST_AFTER, type_=INTERVAL),
    bindparam("busy_wait", _BUSY_WAIT, type_=INTERVAL),
)

_GIVE_BACK = text("""
with given as (
    select host, array_agg(lost_at) as lost_at, max(feedmill_now() - ago + spacing) as free_at
    from unnest(:hosts, :lost_at, :ago, :spacings) as given (host, lost_at, ago, spacing)
    group by host
), known as (
    select hosts.host, given.lost_at, given.free_at
    from hosts join given using (host) order by hosts.host for update of hosts
)
update hosts set
    busy = array(select unnest(hosts.busy) except all select unnest(known.lost_at)),
    next_free_at = greatest(hosts.next_free_at, known.free_at)
from known
where hosts.host = known.host
""").bindparams(
    bindparam("hosts", type_=ARRAY(TEXT)),
    bindparam("lost_at", type_=ARRAY(TIMESTAMP(timezone=True))),
    bindparam("ago", type_=ARRAY(INTERVAL)),
    bindparam("spacings", type_=ARRAY(INTERVAL)),
)


class HostStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def reserve(self, wanted: Mapping[HostLimit, int]) -> dict[str, Admitted | NotYet]:
        """Let requests to hosts start now, as many of those wanted as each host may be asked.

        One statement for all of them, so that two workers never get the same slot. Nothing is
        taken of a host that has to wait. Postgres's clock is the only clock.

        Parameters
        ----------
        wanted
            How many requests there are for each host.

        Returns
        -------
        dict
            By host: the places taken, which must be given back, or when to come again.
        """
        answers = await self._reserve(wanted)
        unknown = {limit: n for limit, n in wanted.items() if limit.host not in answers}
        if unknown:
            await self._make_known(unknown)
            answers |= await self._reserve(unknown)
        return answers

    async def give_back(self, places: Sequence[Place]) -> None:
        """Free the places of requests that have ended.

        The next request keeps its distance from the moment when these really started, which may
        have been a little after they were let.
        """
        if not places:
            return
        await self._connection.execute(
            _GIVE_BACK,
            {
                "hosts": [place.limit.host for place in places],
                "lost_at": [place.lost_at for place in places],
                "ago": [place.started_ago for place in places],
                "spacings": [place.limit.spacing for place in places],
            },
        )

    async def lock(self, host: str) -> HostState:
        """Return what is remembered of a host, and keep others from changing it meanwhile."""
        await self._make_known([HostLimit(host=host, spacing=timedelta(0), in_flight=1)])
        statement = (
            select(
                *(column for column in hosts.c if column.name not in {"busy", "learnt_spacing"}),
                func.cardinality(hosts.c.busy).label("busy"),
                _REMEMBERED,
            )
            .where(hosts.c.host == host)
            .with_for_update()
        )
        row = (await self._connection.execute(statement)).mappings().one()
        return HostState.model_validate(row)

    async def keep(self, state: HostState) -> None:
        """Write down what has been learnt of a host."""
        learnt = state.model_dump(exclude={"host", "busy"})
        await self._connection.execute(
            update(hosts).where(hosts.c.host == state.host).values(**learnt)
        )

    async def heed_crawl_delay(self, host: str, delay: timedelta | None) -> None:
        """Keep the distance that a host's robots.txt asks for, in place of what it asked before."""
        await self._make_known([HostLimit(host=host, spacing=timedelta(0), in_flight=1)])
        await self._connection.execute(
            update(hosts).where(hosts.c.host == host).values(crawl_delay=delay)
        )

    async def next_free_at(self, host: str) -> datetime:
        """Return when a host may be asked next, as far as can be told."""
        known = select(hosts.c.next_free_at).where(hosts.c.host == host).scalar_subquery()
        # A place that is taken is looked for again a little later.
        statement = select(func.greatest(known, clock.now() + _BUSY_WAIT))
        at: datetime = (await self._connection.execute(statement)).scalar_one()
        return at

    async def _reserve(self, wanted: Mapping[HostLimit, int]) -> dict[str, Admitted | NotYet]:
        limits = {limit.host: limit for limit in wanted}
        rows = await self._connection.execute(
            _RESERVE,
            {
                "hosts": [limit.host for limit in wanted],
                "spacings": [limit.spacing for limit in wanted],
                "limits": [limit.in_flight for limit in wanted],
                "wanted": list(wanted.values()),
            },
        )
        return {row["host"]: _answer(limits[row["host"]], row) for row in rows.mappings()}

    async def _make_known(self, limits: Sequence[HostLimit] | Mapping[HostLimit, int]) -> None:
        # In one order everywhere, so that no two wait for each other.
        names = sorted(limit.host for limit in limits)
        await self._connection.execute(
            insert(hosts)
            .from_select(
                ["host", "next_free_at"],
                select(func.unnest(bindparam("names", names, type_=ARRAY(TEXT))), clock.now()),
            )
            .on_conflict_do_nothing()
        )


def _answer(limit: HostLimit, row: RowMapping) -> Admitted | NotYet:
    next_at, spacing = row["next_at"], row["spacing"]
    if row["admitted"] > 0:
        at_present = limit.model_copy(update={"spacing": spacing})
        place = Place(limit=at_present, lost_at=row["lost_at"])
        return Admitted(places=(place,) * row["admitted"], next_at=next_at, spacing=spacing)
    return NotYet(next_at=next_at, spacing=spacing, wait=next_at - row["now"])
