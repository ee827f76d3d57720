"""The ledger: what calls have cost, as the till put it down."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.spending import NANOS, SpendReport

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
