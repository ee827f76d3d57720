"""How feeds stand with the hubs that announce their news."""

import json
import secrets
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, RowMapping, delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.models.feeds import Hub
from feedmill.models.hubs import DueSubscription, HubState, HubSubscription
from feedmill.store import clock
from feedmill.store.tables import feeds, websub

_TOKEN_BYTES = 32
# A feed that names another hub at every poll changes hubs no more often than this.
_LEAST_STAY = "interval '1 day'"
# Enough to say that there is something to do.
_MOST_COUNTED = 1_000

_ADD = text("""
insert into websub (feed_id, hub_url, topic_url, token, secret, renew_at)
select feeds.id, feeds.hub_url, feeds.topic_url, fresh.token, fresh.secret, feedmill_now()
from feeds join jsonb_populate_recordset(null::websub, cast(:fresh as jsonb)) as fresh
    on feeds.id = fresh.feed_id
where feeds.hub_url is not null and feeds.topic_url is not null and feeds.retired_at is null
on conflict (feed_id) do nothing
""")

_RECONSIDER = text(f"""
update websub
set renew_at = least(renew_at, greatest(feedmill_now(), asked_at + {_LEAST_STAY}))
where feed_id = any(:feed_ids)
""")  # noqa: S608 - put together from constants of ours

# One hub's backlog must not stand before other hubs' few.
_LOCK_DUE = text("""
with due as (
    select feed_id, renew_at, row_number() over (partition by hub_url order by renew_at) as turn
    from websub where renew_at <= (select feedmill_now()) and feed_id % :shards = :shard
)
select websub.*, feeds.hub_url as offered_url, feeds.topic_url as offered_topic, feeds.retired_at
from websub join feeds on feeds.id = websub.feed_id
where websub.feed_id in (
    select feed_id from due where turn <= :per_hub order by turn, renew_at limit :most
)
-- Said again of the row itself: of one that somebody has asked meanwhile, only that is looked at anew.
and websub.renew_at <= (select feedmill_now())
order by websub.feed_id
for update of websub skip locked
""")

_KEPT = (
    "hub_url", "topic_url", "token", "secret", "state", "detail", "asked_at", "promised_until",
    "renew_at", "last_push_at", "read_by", "failures", "missed",
)  # fmt: skip
_KEEP = text(
    f"update websub set ({', '.join(_KEPT)}) = "  # noqa: S608 - names of ours
    f"row({', '.join(f'kept.{name}' for name in _KEPT)}) "
    "from jsonb_populate_recordset(null::websub, cast(:kept as jsonb)) as kept "
    "where websub.feed_id = kept.feed_id"
)


class WebSubStore:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def reconsider(self, feed_ids: Sequence[int]) -> None:
        """Let hubs be asked soon for the news of these feeds, since what they say of them has changed."""
        if not feed_ids:
            return
        fresh = [
            {"feed_id": feed_id, "token": unguessable(), "secret": unguessable()}
            for feed_id in feed_ids
        ]
        await self._connection.execute(_ADD, {"fresh": json.dumps(fresh)})
        await self._connection.execute(_RECONSIDER, {"feed_ids": list(feed_ids)})

    async def lock_due(
        self, *, shard: int, shards: int, per_hub: int, most: int
    ) -> list[DueSubscription]:
        """Return subscriptions of a shard whose hubs are to be asked now, and that nobody looks at.

        Those that have waited longest, but at most `per_hub` of any hub.
        """
        rows = await self._connection.execute(
            _LOCK_DUE, {"shard": shard, "shards": shards, "per_hub": per_hub, "most": most}
        )
        return [
            DueSubscription.model_validate({**row, "offered": _offered(row)})
            for row in rows.mappings()
        ]

    async def due(self, *, shard: int, shards: int) -> int:
        """Return of how many of a shard's feeds the hubs are to be asked now, up to a thousand."""
        found = (
            select(websub.c.feed_id)
            .where(websub.c.renew_at <= clock.moment(), websub.c.feed_id % shards == shard)
            .limit(_MOST_COUNTED)
            .subquery()
        )
        return int(
            (await self._connection.execute(select(func.count()).select_from(found))).scalar_one()
        )

    async def lock(self, feed_ids: Collection[int]) -> dict[int, HubSubscription]:
        """Return how these feeds stand with their hubs, and keep others from changing it meanwhile.

        Feeds that have asked no hub are left out.
        """
        # In one order everywhere, so that no two wait for each other.
        statement = select(websub).where(websub.c.feed_id.in_(feed_ids)).order_by(websub.c.feed_id)
        rows = (await self._connection.execute(statement.with_for_update())).mappings()
        return {row["feed_id"]: HubSubscription.model_validate(row) for row in rows}

    async def by_token(self, token: str, *, lock: bool = False) -> HubSubscription | None:
        """Return whose callback ends in a token; None if nobody's.

        Parameters
        ----------
        lock
            Whether to keep others from changing it until the transaction ends.
        """
        statement = select(websub).where(websub.c.token == token)
        if lock:
            statement = statement.with_for_update()
        row = (await self._connection.execute(statement)).mappings().one_or_none()
        return None if row is None else HubSubscription.model_validate(row)

    async def read_by(self, owner: str) -> Sequence[int]:
        """Return the feeds whose last pushes were read under a name."""
        statement = select(websub.c.feed_id).where(websub.c.read_by == owner)
        return (await self._connection.execute(statement)).scalars().all()

    async def keep(self, subscriptions: Iterable[HubSubscription]) -> None:
        """Write down how feeds stand with their hubs."""
        rows = [
            subscription.model_dump(mode="json", include={"feed_id", *_KEPT})
            for subscription in subscriptions
        ]
        if rows:
            await self._connection.execute(_KEEP, {"kept": json.dumps(rows)})

    async def remove(self, feed_ids: Collection[int]) -> None:
        """Forget the hubs of these feeds."""
        await self._connection.execute(delete(websub).where(websub.c.feed_id.in_(feed_ids)))


def _offered(row: RowMapping) -> Hub | None:
    is_wanted = row["offered_url"] and row["offered_topic"] and row["retired_at"] is None
    return Hub(url=row["offered_url"], topic=row["offered_topic"]) if is_wanted else None


def unguessable() -> str:
    """Return a text that nobody guesses."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def is_pushed() -> ColumnElement[bool]:
    """Whether the feed of a row of `feeds` has a hub that sends us its news, as an expression."""
    return exists().where(
        websub.c.feed_id == feeds.c.id,
        websub.c.state == HubState.ACTIVE,
        websub.c.promised_until > clock.now(),
    )
