import asyncio
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import SingleFeedIngestion
from feedmill.errors import ModelUnavailableError, PermanentError
from feedmill.models.distillates import DistillationSkipped, DistillOutcome, EntryUndistillable
from feedmill.models.entries import ContentUnavailable, EntryDeferred, EntryGone, FetchOutcome
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedLink, FeedMissing, FeedPolled
from feedmill.models.outcomes import Reason
from feedmill.models.runs import FeedIngested, IngestFeed, IngestionProgress, RunStep
from support.fleet import ScriptedDistillation, ScriptedFetch, ScriptedIngestion, fleet

FEED = 42
NEVER = datetime(9998, 1, 1, tzinfo=UTC)


def polled(*entry_ids: int) -> FeedPolled:
    return FeedPolled(feed_id=FEED, waiting_entry_ids=entry_ids)


def in_future(**delta: int) -> datetime:
    return datetime.now(UTC) + timedelta(**delta)


async def start(
    client: Client, request: IngestFeed | None = None
) -> WorkflowHandle[SingleFeedIngestion, FeedIngested]:
    return await client.start_workflow(
        SingleFeedIngestion.run,
        request or IngestFeed(feed_id=FEED),
        id=f"feed-ingestion/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )


async def test_a_feed_goes_all_the_way_in_slices(time_skipping: Client) -> None:
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(polled(*range(1, 26))), fetch, distillation):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress == IngestionProgress(
        feed_id=FEED, step=RunStep.DONE, total=25, fetched=25, distilled=25
    )
    assert sorted(len(slice_) for slice_ in fetch.slices) == [1, 3, 7, 7, 7]
    assert sorted(entry for slice_ in distillation.slices for entry in slice_) == [*range(1, 26)]


async def test_which_feed_a_page_led_to_is_told(time_skipping: Client) -> None:
    links = tuple(FeedLink(url=f"https://a.example/{name}") for name in ("feed", "comments"))
    found = polled(1).model_copy(update={"feed_id": 7, "found": links})
    async with fleet(time_skipping, ScriptedIngestion(found)):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress == IngestionProgress(
        feed_id=FEED,
        step=RunStep.DONE,
        total=1,
        fetched=1,
        distilled=1,
        found=("https://a.example/feed", "https://a.example/comments"),
    )


async def test_every_outcome_is_counted_once(time_skipping: Client) -> None:
    def fetched(entry_id: int, _: int) -> FetchOutcome | None:
        if entry_id == 1:
            return ContentUnavailable(entry_id=1, reason=Reason.NO_ARTICLE)
        return EntryGone(entry_id=2) if entry_id == 2 else None

    def distilled(entry_id: int) -> DistillOutcome | None:
        if entry_id == 3:
            return EntryUndistillable(entry_id=3, reason=Reason.MODEL_REFUSED)
        return DistillationSkipped(entry_id=4) if entry_id == 4 else None

    services = (
        ScriptedIngestion(polled(1, 2, 3, 4, 5)),
        ScriptedFetch(fetched),
        ScriptedDistillation(distilled),
    )
    async with fleet(time_skipping, *services):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress == IngestionProgress(
        feed_id=FEED,
        step=RunStep.DONE,
        total=4,
        fetched=3,
        distilled=1,
        unavailable=1,
        undistillable=1,
        left=1,
    )


async def test_what_is_fetched_is_distilled_while_the_rest_waits(time_skipping: Client) -> None:
    later = in_future(minutes=10)

    def fetched(entry_id: int, asking: int) -> FetchOutcome | None:
        return EntryDeferred(entry_id=entry_id, until=later) if entry_id > 1 > asking else None

    fetch, distillation = ScriptedFetch(fetched), ScriptedDistillation()
    async with fleet(time_skipping, ScriptedIngestion(polled(1, 2, 3)), fetch, distillation):
        handle = await start(time_skipping)

        await handle.result()

    assert sorted(fetch.slices) == [(1,), (2, 3), (2, 3)]
    assert sorted(distillation.slices) == [(1,), (2, 3)]


async def test_a_host_that_wants_more_time_than_the_run_has_is_left_for_later(
    time_skipping: Client,
) -> None:
    def fetched(entry_id: int, _: int) -> FetchOutcome | None:
        return EntryDeferred(entry_id=2, until=NEVER) if entry_id == 2 else None

    async with fleet(time_skipping, ScriptedIngestion(polled(1, 2)), ScriptedFetch(fetched)):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress == IngestionProgress(
        feed_id=FEED,
        step=RunStep.DONE,
        total=2,
        fetched=1,
        distilled=1,
        left=1,
        detail="the site asked for more time",
    )


async def test_a_deferred_poll_is_asked_again_as_the_same_poll(time_skipping: Client) -> None:
    ingestion = ScriptedIngestion(FeedDeferred(feed_id=FEED, until=in_future(minutes=5)), polled(1))
    async with fleet(time_skipping, ingestion):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress.distilled == 1
    assert len(ingestion.asked_at) == 2
    assert ingestion.asked_at[0] == ingestion.asked_at[1]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            FeedFailed(feed_id=FEED, reason=Reason.NOT_A_FEED, detail="text/html"),
            IngestionProgress(
                feed_id=FEED, step=RunStep.DONE, reason=Reason.NOT_A_FEED, detail="text/html"
            ),
            id="a page that is no feed",
        ),
        pytest.param(
            FeedFailed(feed_id=FEED, reason=Reason.TIMED_OUT, waiting_entry_ids=(7,)),
            IngestionProgress(
                feed_id=FEED,
                step=RunStep.DONE,
                total=1,
                fetched=1,
                distilled=1,
                reason=Reason.TIMED_OUT,
            ),
            id="entries of an earlier poll go on all the same",
        ),
        pytest.param(
            FeedMissing(feed_id=FEED),
            IngestionProgress(feed_id=FEED, step=RunStep.DONE),
            id="a feed that was removed meanwhile",
        ),
        pytest.param(
            FeedDeferred(feed_id=FEED, until=NEVER),
            IngestionProgress(
                feed_id=FEED,
                step=RunStep.DONE,
                reason=Reason.WAITED_TOO_LONG,
                detail="until 9998-01-01 00:00 UTC",
            ),
            id="a host that wants years",
        ),
    ],
)
async def test_a_feed_that_gives_nothing_ends_the_run_with_its_reason(
    time_skipping: Client,
    outcome: FeedFailed | FeedMissing | FeedDeferred,
    expected: IngestionProgress,
) -> None:
    async with fleet(time_skipping, ScriptedIngestion(outcome)):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress == expected


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        pytest.param(lambda: PermanentError("no such thing"), "no such thing", id="permanent"),
        pytest.param(
            lambda: ModelUnavailableError("out for lunch"), "out for lunch", id="an hour long"
        ),
    ],
)
async def test_a_distillation_that_fails_leaves_its_entries_where_they_stand(
    time_skipping: Client, error: Callable[[], Exception], detail: str
) -> None:
    def broken(_: int) -> DistillOutcome | None:
        raise error()

    async with fleet(
        time_skipping, ScriptedIngestion(polled(1, 2)), distillation=ScriptedDistillation(broken)
    ):
        handle = await start(time_skipping)

        ingested = await handle.result()

    assert ingested.progress.left == 2
    assert detail in ingested.progress.detail


async def test_progress_can_be_asked_for_while_it_runs(temporal: Client) -> None:
    distillation = ScriptedDistillation()
    distillation.gate.clear()
    async with fleet(temporal, ScriptedIngestion(polled(1, 2)), distillation=distillation):
        handle = await start(temporal)
        while not distillation.slices:
            await asyncio.sleep(0.02)

        progress = await handle.query(SingleFeedIngestion.get_progress)

        distillation.gate.set()
        await handle.result()
    assert progress == IngestionProgress(feed_id=FEED, step=RunStep.DISTILLING, total=2, fetched=2)


async def test_a_cancelled_run_ends_as_cancelled(temporal: Client) -> None:
    distillation = ScriptedDistillation()
    distillation.gate.clear()
    async with fleet(temporal, ScriptedIngestion(polled(1)), distillation=distillation):
        handle = await start(temporal)
        while not distillation.slices:
            await asyncio.sleep(0.02)

        await handle.cancel()
        distillation.gate.set()

        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
    assert isinstance(failure.value.cause, CancelledError)


async def test_slices_that_wait_for_a_host_do_not_hold_up_the_rest(temporal: Client) -> None:
    later = in_future(minutes=10)

    def slow(entry_id: int, _: int) -> FetchOutcome | None:
        return EntryDeferred(entry_id=entry_id, until=later) if entry_id <= 6 else None

    # Slices of two, two at once: the first entry of each slice is at a slow host.
    request = IngestFeed(feed_id=FEED, slice_size=2, slices_in_flight=2)
    distillation = ScriptedDistillation()
    async with fleet(
        temporal, ScriptedIngestion(polled(*range(1, 13))), ScriptedFetch(slow), distillation
    ):
        handle = await start(temporal, request)
        async with asyncio.timeout(20):
            while sum(map(len, distillation.slices)) < 6:
                await asyncio.sleep(0.02)

        progress = await handle.query(SingleFeedIngestion.get_progress)

        await handle.terminate()
    assert sorted(each for slice_ in distillation.slices for each in slice_) == [*range(7, 13)]
    assert progress.waiting_until == later


async def test_a_model_that_is_away_bounds_the_run(time_skipping: Client) -> None:
    def away(_: int) -> DistillOutcome | None:
        raise ModelUnavailableError("out for lunch")

    distillation = ScriptedDistillation(away)
    request = IngestFeed(feed_id=FEED, slice_size=1, slices_in_flight=1)
    async with fleet(
        time_skipping, ScriptedIngestion(polled(*range(1, 9))), distillation=distillation
    ):
        handle = await start(time_skipping, request)

        ingested = await handle.result()

    assert ingested.progress.left == 8
    assert {entry for (entry,) in distillation.slices} <= {1, 2}
    closed, started = (await handle.describe()).close_time, (await handle.describe()).start_time
    assert closed is not None
    assert closed - started < timedelta(hours=2, minutes=10)


async def test_a_page_that_is_tried_again_tomorrow_is_handed_to_a_run_that_waits(
    temporal: Client,
) -> None:
    def fetched(entry_id: int, asking: int) -> FetchOutcome | None:
        if entry_id == 2 and asking == 0:
            return EntryDeferred(
                entry_id=2, until=in_future(days=1), reason=Reason.SITE_BROKEN, detail="500"
            )
        return None

    fetch, distillation = ScriptedFetch(fetched), ScriptedDistillation()
    async with fleet(temporal, ScriptedIngestion(polled(1, 2)), fetch, distillation):
        handle = await start(temporal)
        ingested = await handle.result()
        while len(distillation.slices) < 2:
            await asyncio.sleep(0.05)

    assert ingested.progress == IngestionProgress(
        feed_id=FEED,
        step=RunStep.DONE,
        total=2,
        fetched=1,
        distilled=1,
        left=1,
        detail="the site asked for more time",
    )
    assert distillation.slices == [(1,), (2,)]
