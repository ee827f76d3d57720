"""The till: what calls may cost is reserved before they are made, and settled when they ended."""

from datetime import timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.spending import (
    NANOS,
    Ceilings,
    Payer,
    Reservation,
    SpendReport,
    Spent,
    Usage,
)

# Longer than any call may take: whoever has not settled by then is dead.
EXPIRES_AFTER = timedelta(minutes=15)

# A conditional change of one row: of two workers at once, the later one sees what the earlier took.
_RESERVE = text("""
with moment as (
    select feedmill_now() as now, (feedmill_now() at time zone 'utc')::date as day
), passed as (
    insert into spend_days as today (day, reserved_tokens, reserved_nanos)
    select day, :tokens, :nanos from moment
    where :tokens <= coalesce(:most_tokens, :tokens) and :nanos <= coalesce(:most_nanos, :nanos)
    on conflict (day) do update set
        reserved_tokens = today.reserved_tokens + excluded.reserved_tokens,
        reserved_nanos = today.reserved_nanos + excluded.reserved_nanos
    where (cast(:most_tokens as bigint) is null
            or today.spent_tokens + today.reserved_tokens + excluded.reserved_tokens <= :most_tokens)
        and (cast(:most_nanos as bigint) is null or excluded.reserved_nanos = 0
            or today.spent_nanos + today.reserved_nanos + excluded.reserved_nanos <= :most_nanos)
    returning day
), reserved as (
    insert into reservations (day, tokens, cost_nanos, expires_at)
    select passed.day, :tokens, :nanos, moment.now + :expires_after from passed, moment
    returning id, day
)
select reserved.id, moment.day, (moment.day + 1)::timestamp at time zone 'utc' as until
from moment left join reserved on true
""").bindparams(bindparam("expires_after", EXPIRES_AFTER, type_=INTERVAL))

_SWEEP = text("""
with dead as (
    delete from reservations where expires_at <= feedmill_now() returning day, tokens, cost_nanos
), freed as (
    select day, sum(tokens) as tokens, sum(cost_nanos) as nanos from dead group by day
)
update spend_days set
    reserved_tokens = reserved_tokens - freed.tokens,
    reserved_nanos = reserved_nanos - freed.nanos
from freed where spend_days.day = freed.day
""")

# A reservation that has expired meanwhile was freed already: then there is none to give back.
_SETTLE = text("""
with reserved as (
    delete from reservations where id = :id returning tokens, cost_nanos
), today as (
    insert into spend_days as today (day, spent_tokens, spent_nanos)
    values (:day, :tokens, :nanos)
    on conflict (day) do update set
        reserved_tokens = today.reserved_tokens - coalesce((select tokens from reserved), 0),
        reserved_nanos = today.reserved_nanos - coalesce((select cost_nanos from reserved), 0),
        spent_tokens = today.spent_tokens + excluded.spent_tokens,
        spent_nanos = today.spent_nanos + excluded.spent_nanos
)
insert into spend as ledger (
    day, feed_id, recipe, model, calls, prompt_tokens, completion_tokens, cost_nanos, unpriced_calls
)
select :day, :feed_id, :recipe, :model, :calls, :prompt, :completion, :nanos, :unpriced
where :calls > 0
on conflict (day, feed_id, recipe, model) do update set
    calls = ledger.calls + excluded.calls,
    prompt_tokens = ledger.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = ledger.completion_tokens + excluded.completion_tokens,
    cost_nanos = ledger.cost_nanos + excluded.cost_nanos,
    unpriced_calls = ledger.unpriced_calls + excluded.unpriced_calls
""")

_LINES = text("""
select spend.*, coalesce(feeds.title, '') as feed_title
from spend left join feeds on feeds.id = spend.feed_id
where spend.day > (feedmill_now() at time zone 'utc')::date - cast(:days as int)
order by spend.day desc, spend.cost_nanos desc, spend.calls desc, spend.feed_id
limit :limit
""")

_TODAY = text("""
select * from spend_days where day = (feedmill_now() at time zone 'utc')::date
""")


class SpendStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def reserve(self, most: Usage, ceilings: Ceilings) -> Reservation | Spent:
        """Reserve the most that a call may use, or say that today there is no room for it.

        An unknown cost is reserved as none: who sets a ceiling has to know all prices.
        """
        answer = await self._reserve(most, ceilings)
        if isinstance(answer, Spent):
            # Only then does it matter what the dead have left.
            await self._connection.execute(_SWEEP)
            answer = await self._reserve(most, ceilings)
        return answer

    async def settle(self, reservation: Reservation, used: Usage, payer: Payer) -> None:
        """Put down what a call really used, in place of what was reserved for it.

        A call that used nothing is not put down, only its reservation is given back.
        """
        nanos = used.cost_nanos
        await self._connection.execute(
            _SETTLE,
            {
                "id": reservation.id,
                "day": reservation.day,
                "tokens": used.tokens,
                "nanos": nanos or 0,
                "calls": used.calls,
                "prompt": used.prompt_tokens,
                "completion": used.completion_tokens,
                "unpriced": used.calls if nanos is None else 0,
                **payer.model_dump(),
            },
        )

    async def report(self, *, days: int = 7, limit: int = 1_000) -> SpendReport:
        """Return what the last days came to, today among them."""
        rows = await self._connection.execute(_LINES, {"days": days, "limit": limit})
        lines = [{**row, "cost": row["cost_nanos"] / NANOS} for row in rows.mappings()]
        today = (await self._connection.execute(_TODAY)).mappings().one_or_none()
        totals = (
            {
                "today_cost": today["spent_nanos"] / NANOS,
                "today_tokens": today["spent_tokens"],
                "reserved_cost": today["reserved_nanos"] / NANOS,
                "reserved_tokens": today["reserved_tokens"],
            }
            if today
            else {}
        )
        return SpendReport.model_validate({"items": lines, **totals})

    async def _reserve(self, most: Usage, ceilings: Ceilings) -> Reservation | Spent:
        asked = {
            "tokens": most.tokens,
            "nanos": most.cost_nanos or 0,
            "most_tokens": ceilings.tokens,
            "most_nanos": ceilings.cost_nanos,
        }
        row = (await self._connection.execute(_RESERVE, asked)).mappings().one()
        if row["id"] is None:
            return Spent(until=row["until"])
        return Reservation(id=row["id"], day=row["day"])
