"""What a run may cost Temporal, counted in its history: never measured in time."""

import asyncio
from collections.abc import Sequence

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client

from feedmill.contracts.workflows import PollShard, ScheduleFetch
from feedmill.models.feeds import DueFeedsPolled
from feedmill.models.runs import FetchBatch, TendShard
from support.billing import actions
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedIngestion, fleet
from support.starting import start

ENTRIES = 500
MOST_BYTES = 32_000
MOST_EVENTS = 4_000
MOST_ACTIONS_PER_ENTRY = 0.5
MOST_ACTIONS_PER_IDLE_POLL = 0.02


async def events_of_a_batch(client: Client, entries: int) -> Sequence[HistoryEvent]:
    batch = FetchBatch(entry_ids=tuple(range(1, entries + 1)))
    async with fleet(client, ScriptedIngestion(), ScriptedFetch(), ScriptedDistillation()):
        handle = await start(client, ScheduleFetch.run, batch)
        ended = await handle.result()
    assert ended.progress.distilled == entries
    return (await handle.fetch_history()).events


async def test_a_batch_of_five_hundred_stays_small(temporal: Client) -> None:
    events = await events_of_a_batch(temporal, ENTRIES)

    # An event holds its payloads: none of them is larger than it.
    assert max(event.ByteSize() for event in events) <= MOST_BYTES
    assert len(events) <= MOST_EVENTS
    assert actions(events) <= MOST_ACTIONS_PER_ENTRY * ENTRIES


async def test_a_batch_of_fifty_costs_half_an_action_per_entry_at_the_most(
    temporal: Client,
) -> None:
    events = await events_of_a_batch(temporal, 50)

    assert actions(events) <= MOST_ACTIONS_PER_ENTRY * 50


async def test_idle_polls_of_a_thousand_feeds_cost_next_to_nothing(temporal: Client) -> None:
    rounds = [DueFeedsPolled(polled=1_000)] * 3
    ingestion = ScriptedIngestion(rounds=rounds)
    async with fleet(temporal, ingestion):
        handle = await start(
            temporal, PollShard.run, TendShard(rest_seconds=1, longest_rest_seconds=1)
        )
        async with asyncio.timeout(30):
            while len(ingestion.rounds) < len(rounds):
                await asyncio.sleep(0.02)
        events = (await handle.fetch_history()).events
        await handle.terminate()

    polls = sum(each.polled for each in rounds)
    assert 0 < actions(events) <= MOST_ACTIONS_PER_IDLE_POLL * polls
