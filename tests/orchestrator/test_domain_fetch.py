import asyncio
import uuid

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import DomainFetch, ScheduleFetch
from feedmill.errors import PermanentError
from feedmill.models.entries import (
    ContentUnavailable,
    EntryDeferred,
    EntryNeedsBrowser,
    FetchOutcome,
)
from feedmill.models.outcomes import Reason
from feedmill.models.runs import (
    DomainServed,
    EntriesProgress,
    FetchBatch,
    JoinDomain,
    RunStep,
    ServeDomain,
)
from support.fleet import (
    ScriptedBrowser,
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedHandOver,
    ScriptedIngestion,
    fleet,
)
from support.starting import in_activity, result

HOST = "slow.example"


async def joined(
    client: Client, *entry_ids: int, **request: int
) -> WorkflowHandle[DomainFetch, DomainServed]:
    """Let entries join a host's queue the way an activity does."""
    return await client.start_workflow(
        DomainFetch.run,
        ServeDomain(host=HOST, **request),
        id=f"domain-fetch/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
        start_signal="join",
        start_signal_args=[JoinDomain(entry_ids=entry_ids)],
    )


class OneAtATime(ScriptedFetch):
    """A host that gives one page a minute."""

    def _one(self, entry_id: int) -> FetchOutcome:
        if entry_id != self.slices[-1][0]:
            return EntryDeferred(entry_id=entry_id, until=in_activity(minutes=1))
        return super()._one(entry_id)


async def test_a_host_is_served_in_order_for_as_long_as_it_takes(time_skipping: Client) -> None:
    fetch, distillation = OneAtATime(), ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(), fetch, distillation):
        handle = await joined(time_skipping, *range(1, 13), slices=5)

        served = await handle.result()

    assert served.progress == EntriesProgress(step=RunStep.DONE, total=12, fetched=12, distilled=12)
    assert [slice_[0] for slice_ in fetch.slices] == [*range(1, 13)]
    assert distillation.slices == [(each,) for each in range(1, 13)]


async def test_pages_that_need_a_browser_have_their_turn_at_the_host_like_others(
    time_skipping: Client,
) -> None:
    def fetched(entry_id: int, _: int) -> FetchOutcome | None:
        return EntryNeedsBrowser(entry_id=entry_id) if entry_id in {2, 3} else None

    def browsed(entry_id: int, asking: int) -> FetchOutcome | None:
        wants_time = entry_id == 3 and asking == 0
        return EntryDeferred(entry_id=3, until=in_activity(minutes=1)) if wants_time else None

    fetch, browser = ScriptedFetch(fetched), ScriptedBrowser(browsed)
    async with fleet(time_skipping, ScriptedIngestion(), fetch, browser=browser):
        # A new history begins after each slice, and knows who needs the browser.
        handle = await joined(time_skipping, 1, 2, 3, slices=1)

        served = await handle.result()

    assert served.progress == EntriesProgress(step=RunStep.DONE, total=3, fetched=3, distilled=3)
    assert fetch.slices == [(1, 2, 3)]
    assert browser.slices == [(2, 3), (3,)]


async def test_who_joins_later_is_served_later(temporal: Client) -> None:
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    distillation.gate.clear()
    async with fleet(temporal, ScriptedIngestion(), fetch, distillation):
        handle = await joined(temporal, 5, 6)
        async with asyncio.timeout(20):
            while not distillation.slices:
                await asyncio.sleep(0.02)
        # While the last ones are being distilled, others come.
        await handle.signal(DomainFetch.join, JoinDomain(entry_ids=(1, 2)))
        async with asyncio.timeout(20):
            while len(fetch.slices) < 2:
                await asyncio.sleep(0.02)
        distillation.gate.set()
        served = await handle.result()

    assert fetch.slices == [(5, 6), (1, 2)]
    assert served.progress.distilled == 4


async def test_who_joins_twice_is_served_once(time_skipping: Client) -> None:
    def slow(entry_id: int, asking: int) -> FetchOutcome | None:
        until = in_activity(hours=1)
        return None if asking else EntryDeferred(entry_id=entry_id, until=until)

    fetch = ScriptedFetch(slow)
    async with fleet(time_skipping, ScriptedIngestion(), fetch):
        handle = await joined(time_skipping, 1, 2)
        await handle.signal(DomainFetch.join, JoinDomain(entry_ids=(2, 3)))
        served = await handle.result()

    assert served.progress.total == served.progress.fetched == 3


async def test_dead_ends_and_hosts_that_want_days_hold_up_nobody(time_skipping: Client) -> None:
    def outcome(entry_id: int, _: int) -> FetchOutcome | None:
        if entry_id == 1:
            return EntryDeferred(entry_id=1, until=in_activity(days=30))
        return ContentUnavailable(entry_id=2, reason=Reason.NO_ARTICLE) if entry_id == 2 else None

    async with fleet(time_skipping, ScriptedIngestion(), ScriptedFetch(outcome)):
        served = await (await joined(time_skipping, 1, 2, 3)).result()

    assert served.progress == EntriesProgress(
        step=RunStep.DONE,
        total=3,
        fetched=1,
        distilled=1,
        unavailable=1,
        left=1,
        detail="the site asked for more time",
    )


async def test_a_queue_that_is_full_leaves_who_comes_for_later(time_skipping: Client) -> None:
    async with fleet(time_skipping, ScriptedIngestion()):
        served = await (await joined(time_skipping, *range(1, 8), most_waiting=4)).result()

    assert (served.progress.total, served.progress.distilled, served.progress.left) == (7, 4, 3)


async def test_a_fetch_that_fails_for_good_leaves_its_slice(time_skipping: Client) -> None:
    def broken(_: int, __: int) -> FetchOutcome | None:
        raise PermanentError("no such table")

    async with fleet(time_skipping, ScriptedIngestion(), ScriptedFetch(broken)):
        served = await (await joined(time_skipping, 1, 2)).result()

    assert (served.progress.left, served.progress.detail) == (2, "PermanentError: no such table")


async def test_nobody_is_lost_between_two_histories(temporal: Client) -> None:
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    async with fleet(temporal, ScriptedIngestion(), fetch, distillation):
        handle = await joined(temporal, *range(1, 5), slices=1, slice_size=4)
        latest = temporal.get_workflow_handle_for(DomainFetch.run, handle.id)
        for entry_id in range(5, 13):
            await latest.signal(DomainFetch.join, JoinDomain(entry_ids=(entry_id,)))
        async with asyncio.timeout(60):
            while (await latest.describe()).status is not WorkflowExecutionStatus.COMPLETED:
                await asyncio.sleep(0.05)

    served = {entry_id for slice_ in distillation.slices for entry_id in slice_}
    assert served == set(range(1, 13))


@pytest.mark.parametrize("broken", [False, True], ids=["joins", "cannot join"])
async def test_a_batch_lets_a_busy_hosts_entries_join_its_queue(
    time_skipping: Client, *, broken: bool
) -> None:
    def slow(entry_id: int, asking: int) -> FetchOutcome | None:
        until = in_activity(minutes=5)
        return EntryDeferred(entry_id=entry_id, until=until) if entry_id > 6 > asking * 6 else None

    fetch = ScriptedFetch(slow)
    hand_over = ScriptedHandOver(joins=lambda entry_ids: [each for each in entry_ids if each > 8])
    hand_over.broken = broken
    async with fleet(time_skipping, ScriptedIngestion(), fetch, hand_over=hand_over):
        ended = await result(
            time_skipping, ScheduleFetch.run, FetchBatch(entry_ids=tuple(range(1, 13)))
        )

    assert ended.progress == EntriesProgress(
        step=RunStep.DONE,
        total=12,
        fetched=12 if broken else 8,
        distilled=12 if broken else 8,
        handed_over=0 if broken else 4,
    )
    assert hand_over.askings == [(7, 8, 9, 10, 11, 12)]


async def test_a_few_that_wait_stay_where_they_are(time_skipping: Client) -> None:
    def slow(entry_id: int, asking: int) -> FetchOutcome | None:
        until = in_activity(minutes=5)
        return (
            EntryDeferred(entry_id=entry_id, until=until) if entry_id > 10 > asking * 10 else None
        )

    hand_over = ScriptedHandOver(joins=lambda entry_ids: entry_ids)
    async with fleet(time_skipping, ScriptedIngestion(), ScriptedFetch(slow), hand_over=hand_over):
        ended = await result(
            time_skipping, ScheduleFetch.run, FetchBatch(entry_ids=tuple(range(1, 13)))
        )

    assert (ended.progress.distilled, hand_over.askings) == (12, [])
