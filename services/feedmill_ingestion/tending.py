"""Asking hubs to push the news of feeds: when it is new, before their promise ends, and to stop."""

from collections import Counter
from collections.abc import Sequence

from feedmill.contracts.callbacks import callback
from feedmill.models.hubs import HubState, HubsTended, HubSubscription, TendHubs
from feedmill.store import Store
from feedmill.store.websub import unguessable
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import HUB_REQUESTS
from feedmill.web.answers import Deferred, Refusal, Reply
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.worker import in_parallel
from feedmill_ingestion.asking import reason_of
from feedmill_ingestion.polls import Failed, Postponed, TurnedAway
from feedmill_ingestion.promises import (
    Accepted,
    HubAnswer,
    after_answer,
    asked_now,
    form_for,
    words_of,
)

log = get_logger(__name__)

# One hub's come one after the other; so many are asked before others' turn comes again.
_PER_HUB = 10
_AT_ONCE = 100
# What the protocol says, and what older hubs say.
_ACCEPTING = frozenset({202, 204})


class HubTender:
    """Asks hubs, politely.

    Parameters
    ----------
    public_url
        Where hubs find the gateway.
    """

    def __init__(self, store: Store, web: WebClient, governor: Governor, public_url: str) -> None:
        self._store = store
        self._web = web
        self._governor = governor
        self._public_url = public_url

    async def tend(self, request: TendHubs) -> HubsTended:
        """Ask the hubs of a shard's feeds that are to be asked now, some of each hub's."""
        due = await self._claim(request)
        answers = Counter(await in_parallel(self._ask, due, at_once=_AT_ONCE))
        async with self._store.transaction() as tx:
            left = await tx.websub.due(shard=request.shard, shards=request.shards)
        return HubsTended(
            asked=answers["accepted"],
            refused=answers["refused"],
            left=left,
        )

    async def _claim(self, request: TendHubs) -> Sequence[HubSubscription]:
        """Write down that hubs are being asked, before they are: so nobody else asks them."""
        async with self._store.transaction() as tx:
            due = await tx.websub.lock_due(
                shard=request.shard, shards=request.shards, per_hub=_PER_HUB, most=_AT_ONCE
            )
            now = await tx.now()
            asked = {each.feed_id: asked_now(each, now=now, fresh=unguessable) for each in due}
            claimed = [subscription for subscription in asked.values() if subscription is not None]
            await tx.websub.keep(claimed)
            await tx.websub.remove([feed_id for feed_id, each in asked.items() if each is None])
        return claimed

    async def _ask(self, subscription: HubSubscription) -> str:
        form = form_for(subscription, callback(self._public_url, subscription.token))
        # Nobody waits for a hub: better one slice that takes long than many that come back.
        reply = await self._web.post_form(
            subscription.hub_url, form, purpose="hub", admit=self._governor.patiently
        )
        answer = await self._read(reply)
        await self._record(subscription, answer)
        outcome = words_of(answer)
        mode = "leave" if subscription.state is HubState.LEAVING else "ask"
        HUB_REQUESTS.labels(mode, outcome.partition(" ")[0]).inc()
        log.info(
            "hub asked",
            feed_id=subscription.feed_id,
            mode=mode,
            outcome=outcome,
            last=subscription.detail,
        )
        return "refused" if isinstance(answer, Failed | TurnedAway) else outcome

    async def _read(self, reply: Reply) -> HubAnswer:
        if isinstance(reply, Deferred):
            return Postponed(until=reply.until)
        if isinstance(reply, Refusal):
            return Failed(reason=reply.reason, detail=reply.detail)
        until = await self._governor.heed(reply)
        if reply.status in _ACCEPTING:
            return Accepted()
        if until is not None and reply.asks_for_time:
            return TurnedAway(until=until, detail=str(reply.status))
        return Failed(reason=reason_of(reply.status), detail=str(reply.status))

    async def _record(self, asked: HubSubscription, answer: HubAnswer) -> None:
        if isinstance(answer, Accepted):
            return
        async with self._store.transaction() as tx:
            now = await tx.now()
            found = (await tx.websub.lock([asked.feed_id])).values()
            await tx.websub.keep(after_answer(each, answer, asked=asked, now=now) for each in found)
