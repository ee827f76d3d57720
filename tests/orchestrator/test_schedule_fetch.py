import uuid
from datetime import UTC, datetime, timedelta

from temporalio.client import Client, WorkflowHandle

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import ScheduleFetch
from feedmill.models.entries import (
    ContentUnavailable,
    ContentUnchanged,
    EntryDeferred,
    EntryNeedsBrowser,
    FetchOutcome,
)
from feedmill.models.feeds import FeedMissing
from feedmill.models.outcomes import Reason
from feedmill.models.runs import BatchFetched, EntriesProgress, FetchBatch, RunStep
from support.fleet import (
    ScriptedBrowser,
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedIngestion,
    fleet,
)
from support.starting import in_activity

NOBODY = FeedMissing(feed_id=1)
# Each longer than the run may take; together short, as all tests share one clock that jumps.
RUN_SECONDS = 60
WAITS = (timedelta(minutes=2), timedelta(minutes=3), timedelta(minutes=4), timedelta(minutes=5))


async def start(client: Client, request: FetchBatch) -> WorkflowHandle[ScheduleFetch, BatchFetched]:
    return await client.start_workflow(
        ScheduleFetch.run,
        request,
        id=f"schedule-fetch/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )


def broken_for_days(tries: list[datetime], began: datetime) -> ScriptedFetch:
    """Return a service to which one entry's site is broken, for as long as it is tried."""

    def fetched(entry_id: int, asking: int) -> FetchOutcome | None:
        if entry_id != 2:
            return None
        if asking == len(WAITS):
            return ContentUnavailable(entry_id=2, reason=Reason.SITE_BROKEN, detail="500")
        tries.append(began + sum(WAITS[: asking + 1], timedelta()))
        return EntryDeferred(entry_id=2, until=tries[-1], reason=Reason.SITE_BROKEN, detail="500")

    return ScriptedFetch(fetched)


async def test_a_page_is_tried_until_its_last_try_whatever_else_the_run_may_take(
    time_skipping: Client,
) -> None:
    tries: list[datetime] = []
    fetch = broken_for_days(tries, datetime.now(UTC))
    distillation = ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(NOBODY), fetch, distillation):
        handle = await start(
            time_skipping, FetchBatch(entry_ids=(1, 2, 3), give_up_after_seconds=RUN_SECONDS)
        )
        fetched = await handle.result()

    assert fetched.progress == EntriesProgress(
        step=RunStep.DONE, total=3, fetched=2, distilled=2, unavailable=1
    )
    assert sorted(fetch.slices) == [(1,), (2,), (2,), (2,), (2,), (2, 3)]
    assert sorted(distillation.slices) == [(1,), (3,)]


async def test_a_host_that_wants_days_is_left_for_later_all_the_same(
    time_skipping: Client,
) -> None:
    def fetched(entry_id: int, _: int) -> FetchOutcome:
        return EntryDeferred(entry_id=entry_id, until=in_activity(days=3_000))

    async with fleet(time_skipping, ScriptedIngestion(NOBODY), ScriptedFetch(fetched)):
        handle = await start(time_skipping, FetchBatch(entry_ids=(1,)))
        fetched_batch = await handle.result()

    assert (fetched_batch.progress.left, fetched_batch.progress.fetched) == (1, 0)


async def test_what_is_fetched_again_and_unchanged_is_not_distilled_again(
    time_skipping: Client,
) -> None:
    since = datetime.now(UTC)

    def fetched(entry_id: int, _: int) -> FetchOutcome | None:
        return ContentUnchanged(entry_id=1) if entry_id == 1 else None

    fetch, distillation = ScriptedFetch(fetched), ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(NOBODY), fetch, distillation):
        handle = await start(time_skipping, FetchBatch(entry_ids=(1, 2), again_since=since))
        batch = await handle.result()

    assert batch.progress == EntriesProgress(
        step=RunStep.DONE, total=2, fetched=1, distilled=1, unchanged=1
    )
    assert distillation.slices == [(2,)]
    assert {request.again_since for request in fetch.requests} == {since}


async def test_pages_that_need_a_browser_are_looked_at_by_who_has_one(
    time_skipping: Client,
) -> None:
    def fetched(entry_id: int, _: int) -> FetchOutcome | None:
        return EntryNeedsBrowser(entry_id=entry_id) if entry_id in {2, 3, 4} else None

    def browsed(entry_id: int, asking: int) -> FetchOutcome | None:
        if entry_id == 3:
            return ContentUnavailable(entry_id=3, reason=Reason.NEEDS_BROWSER)
        if entry_id == 4 and asking == 0:
            return EntryDeferred(entry_id=4, until=in_activity(seconds=30))
        return None

    distillation, browser = ScriptedDistillation(), ScriptedBrowser(browsed)
    async with fleet(
        time_skipping,
        ScriptedIngestion(NOBODY),
        ScriptedFetch(fetched),
        distillation,
        browser=browser,
    ):
        handle = await start(time_skipping, FetchBatch(entry_ids=(1, 2, 3, 4)))
        batch = await handle.result()

    assert batch.progress == EntriesProgress(
        step=RunStep.DONE, total=4, fetched=3, distilled=3, unavailable=1
    )
    assert browser.slices == [(2, 3, 4), (4,)]
    assert sorted(distillation.slices) == [(1,), (2,), (4,)]
