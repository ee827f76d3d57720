"""Something to read exists while the rest is still on its way."""

import asyncio
from datetime import datetime

import pytest
from temporalio import activity
from temporalio.client import Client

from feedmill.contracts.workflows import ScheduleFetch, SingleFeedIngestion
from feedmill.models.distillates import DistillEntries, EntriesDistilled
from feedmill.models.entries import (
    ContentFetched,
    EntriesFetched,
    EntryDeferred,
    FetchEntries,
    FetchOutcome,
)
from feedmill.models.feeds import FeedPolled
from feedmill.models.runs import FetchBatch, IngestFeed
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedIngestion, fleet
from support.starting import in_activity, result, start

TWENTY = tuple(range(1, 21))


class OneHost(ScriptedFetch):
    """A host that gives one page a second, whoever asks; who comes too early comes back."""

    def __init__(self, diary: list[str]) -> None:
        super().__init__()
        self._diary = diary
        self._free_at: datetime | None = None

    @activity.defn
    async def fetch_entries(self, request: FetchEntries) -> EntriesFetched:
        self.slices.append(request.entry_ids)
        return EntriesFetched(outcomes=tuple(self._ask(each) for each in request.entry_ids))

    def _ask(self, entry_id: int) -> FetchOutcome:
        now = in_activity()
        if self._free_at is not None and now < self._free_at:
            return EntryDeferred(entry_id=entry_id, until=self._free_at)
        self._free_at = in_activity(seconds=1)
        self._diary.append("fetched")
        return ContentFetched(entry_id=entry_id)


class Distillation(ScriptedDistillation):
    def __init__(self, diary: list[str]) -> None:
        super().__init__()
        self._diary = diary

    @activity.defn
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        self._diary += ["distilled"] * len(request.entry_ids)
        return await super().distill_entries(request)


@pytest.mark.parametrize("interactive", [True, False], ids=["a person's run", "a batch"])
async def test_the_first_distillate_exists_before_the_third_page_is_fetched(
    time_skipping: Client, *, interactive: bool
) -> None:
    diary: list[str] = []
    polled = FeedPolled(feed_id=1, waiting_entry_ids=TWENTY)
    async with fleet(time_skipping, ScriptedIngestion(polled), OneHost(diary), Distillation(diary)):
        if interactive:
            ended = await result(time_skipping, SingleFeedIngestion.run, IngestFeed(feed_id=1))
        else:
            ended = await result(time_skipping, ScheduleFetch.run, FetchBatch(entry_ids=TWENTY))

    assert "distilled" in diary[:3]
    assert ended.progress.distilled == 20


async def test_a_run_does_not_wait_for_the_first_before_it_goes_on(temporal: Client) -> None:
    distillation = ScriptedDistillation()
    distillation.gate.clear()
    fetch = ScriptedFetch()
    async with fleet(temporal, ScriptedIngestion(), fetch, distillation):
        handle = await start(temporal, ScheduleFetch.run, FetchBatch(entry_ids=TWENTY))
        async with asyncio.timeout(20):
            while sum(map(len, fetch.slices)) < 20:
                await asyncio.sleep(0.02)
        distillation.gate.set()
        await handle.result()

    assert sorted(map(len, fetch.slices)) == [1, 3, 8, 8]
