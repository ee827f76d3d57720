"""What polls that find nothing new cost Temporal: counted, with real polls on a real server."""

import asyncio
from datetime import timedelta

from temporalio.client import Client

from feedmill.contracts.workflows import PollShard
from feedmill.models.feeds import PollDueFeeds
from feedmill.models.runs import TendShard
from feedmill.store import Store
from feedmill_ingestion.polling import Poller
from ingestion.test_due_feeds import add, poll_due, serve
from support.billing import actions
from support.fleet import fleet
from support.origin import Origin
from support.starting import start

FEEDS = 1_000
MOST_ACTIONS_PER_POLL = 0.02


async def test_a_thousand_feeds_with_nothing_new_cost_a_few_actions_together(
    temporal: Client, poller: Poller, store: Store, origin: Origin
) -> None:
    ids = await add(store, origin, *serve(origin, FEEDS))
    first = await poll_due(poller, PollDueFeeds(seconds=120))
    async with store.transaction() as tx:
        await tx.feeds.postpone(dict.fromkeys(ids, await tx.now() - timedelta(seconds=1)))

    async with fleet(temporal, poller):
        handle = await start(temporal, PollShard.run, TendShard())
        async with asyncio.timeout(120):
            while (await handle.query(PollShard.get_progress)).polled < FEEDS:
                await asyncio.sleep(0.1)
        # Resting is an action too.
        await asyncio.sleep(0.5)
        events = (await handle.fetch_history()).events
        await handle.terminate()

    assert first.polled == FEEDS
    assert len(origin.requests) == 2 * FEEDS
    assert 0 < actions(events) <= MOST_ACTIONS_PER_POLL * FEEDS
