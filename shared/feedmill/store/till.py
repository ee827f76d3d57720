"""The till: what a call to a model passes before it is made and after, each in one statement.

What one statement does is done together or not at all, and is committed sooner than several could be.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import INTERVAL, JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.spending import Ceilings, Payer, Reservation, Spent, Usage

# Longer than any call may take: whoever has not settled by then is dead.
EXPIRES_AFTER = timedelta(minutes=15)

# So much of a pace may be used up at once: calls begin together, and the mean is what counts.
_BURST = timedelta(seconds=10)

# A call that was made before takes nothing; of an endpoint that has to wait nothing is taken of the
# day; and the pace is charged for what has room in the day alone. The endpoint's row is held from
# when it is looked at, and the day is a conditional change of one row: of two workers at once, the
# later one sees what the earlier took.
_ENTER = text("""
with moment as materialized (
    select feedmill_now() as now, (feedmill_now() at time zone 'utc')::date as day
), draft as materialized (
    select completion, cost_nanos from drafts where key = :key
), known as materialized (
    select held_for, held_until, greatest(held_until, free_at) as next_at from endpoints
    where endpoint = :endpoint and not exists (select from draft)
    for update
), passed as materialized (
    select moment.* from moment, known where coalesce(known.next_at <= moment.now, true)
), today as (
    insert into spend_days as today (day, reserved_tokens, reserved_nanos)
    select day, :tokens, :nanos from passed
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
    select today.day, :tokens, :nanos, passed.now + :expires_after from today, passed
    returning id
), charged as (
    update endpoints set free_at = greatest(free_at, passed.now - :burst) + :share
    from passed, reserved where endpoint = :endpoint and :share > interval '0'
)
select draft.completion, draft.cost_nanos, known.held_for, known.held_until, known.next_at,
    known.held_for is not null as is_known, passed.now is not null as passed, reserved.id,
    moment.now, moment.day, (moment.day + 1)::timestamp at time zone 'utc' as until
from moment
    left join draft on true left join known on true
    left join passed on true left join reserved on true
""").bindparams(
    bindparam("burst", _BURST, type_=INTERVAL),
    bindparam("share", type_=INTERVAL),
    bindparam("expires_after", EXPIRES_AFTER, type_=INTERVAL),
)

# Who is not known cannot be held while it is looked at.
_MEET = text("insert into endpoints (endpoint) values (:endpoint) on conflict do nothing")

# A reservation that has expired meanwhile was freed already: then there is none to give back.
_SETTLE = text("""
with reserved as (
    delete from reservations where id = :id returning tokens, cost_nanos
), freed as (
    select coalesce(sum(tokens), 0) as tokens, coalesce(sum(cost_nanos), 0) as nanos from reserved
), today as (
    insert into spend_days as today (day, spent_tokens, spent_nanos)
    select :day, :tokens, :nanos from freed
    on conflict (day) do update set
        reserved_tokens = today.reserved_tokens - (select tokens from freed),
        reserved_nanos = today.reserved_nanos - (select nanos from freed),
        spent_tokens = today.spent_tokens + excluded.spent_tokens,
        spent_nanos = today.spent_nanos + excluded.spent_nanos
), kept as (
    insert into drafts (key, content_hash, completion, cost_nanos)
    select :key, :content_hash, :completion, cast(:draft_nanos as bigint)
    where cast(:key as text) is not null
    on conflict do nothing
)
insert into spend as ledger (
    day, feed_id, recipe, model, calls, prompt_tokens, completion_tokens, cost_nanos, unpriced_calls
)
select :day, :feed_id, :recipe, :model, :calls, :prompt, :completion_tokens, :nanos, :unpriced
where :calls > 0
on conflict (day, feed_id, recipe, model) do update set
    calls = ledger.calls + excluded.calls,
    prompt_tokens = ledger.prompt_tokens + excluded.prompt_tokens,
    completion_tokens = ledger.completion_tokens + excluded.completion_tokens,
    cost_nanos = ledger.cost_nanos + excluded.cost_nanos,
    unpriced_calls = ledger.unpriced_calls + excluded.unpriced_calls
""").bindparams(bindparam("completion", type_=JSONB))

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


class Entrant(NamedTuple):
    """A call that wants to be made.

    Parameters
    ----------
    key
        Of its draft, should it have been made before.
    endpoint
        Which one is asked.
    share
        How long the whole pool's pace allows no other call like this one, on average.
    most
        The most that it may use. An unknown cost is reserved as none: who sets a ceiling has to
        know all prices.
    """

    key: str
    endpoint: str
    share: timedelta
    most: Usage


class Draft(NamedTuple):
    """An answer that was paid for, and what it cost; None: not known."""

    completion: dict[str, object]
    cost_nanos: int | None


class Later(NamedTuple):
    """How long to wait before the endpoint may be asked, and why if it asked for it itself."""

    wait: timedelta
    held_for: str = ""


class Kept(NamedTuple):
    """An answer that is kept until the distillate that it is for is stored."""

    key: str
    content_hash: str
    completion: dict[str, object]


class TillStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def enter(
        self, entrant: Entrant, ceilings: Ceilings
    ) -> Draft | Later | Reservation | Spent:
        """Let a call be made, or say why not: it was made, the endpoint wants time, the day is spent."""
        answer = await self._enter(entrant, ceilings)
        if isinstance(answer, Spent):
            # Only then does it matter what the dead have left.
            await self._connection.execute(_SWEEP)
            answer = await self._enter(entrant, ceilings)
        return answer

    async def settle(
        self, reservation: Reservation, used: Usage, payer: Payer, answer: Kept | None = None
    ) -> None:
        """Put down what a call really used, in place of what was reserved for it, and keep its answer.

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
                "draft_nanos": nanos,
                "calls": used.calls,
                "prompt": used.prompt_tokens,
                "completion_tokens": used.completion_tokens,
                "unpriced": used.calls if nanos is None else 0,
                **(answer._asdict() if answer else dict.fromkeys(Kept._fields)),
                **payer.model_dump(),
            },
        )

    async def _enter(
        self, entrant: Entrant, ceilings: Ceilings
    ) -> Draft | Later | Reservation | Spent:
        asked = {
            "key": entrant.key,
            "endpoint": entrant.endpoint,
            "share": entrant.share,
            "tokens": entrant.most.tokens,
            "nanos": entrant.most.cost_nanos or 0,
            "most_tokens": ceilings.tokens,
            "most_nanos": ceilings.cost_nanos,
        }
        row = (await self._connection.execute(_ENTER, asked)).mappings().one()
        if row["completion"] is not None:
            return Draft(row["completion"], row["cost_nanos"])
        if not row["is_known"]:
            await self._connection.execute(_MEET, {"endpoint": entrant.endpoint})
            return await self._enter(entrant, ceilings)
        if not row["passed"]:
            return _later(row["now"], row)
        if row["id"] is None:
            return Spent(until=row["until"])
        return Reservation(id=row["id"], day=row["day"])


def _later(now: datetime, row: RowMapping) -> Later:
    is_held = row["held_until"] is not None and row["held_until"] > now
    return Later(row["next_at"] - now, row["held_for"] if is_held else "")
