import asyncio

from temporalio.client import Client

from feedmill.contracts.workflows import AllFeedsIngestion
from feedmill.errors import PermanentError
from feedmill.models.feeds import FeedDeferred, FeedFailed, FeedMissing, FeedPolled, PollOutcome
from feedmill.models.outcomes import Reason
from feedmill.models.runs import AllFeedsIngested, AllFeedsProgress, IngestAllFeeds, RunStep
from support.fleet import (
    ScriptedDistillation,
    ScriptedHandOver,
    ScriptedIngestion,
    fleet,
)
from support.starting import in_activity, result, start


def polled(feed_id: int, _: int) -> PollOutcome:
    return FeedPolled(feed_id=feed_id, waiting_entry_ids=(feed_id * 10, feed_id * 10 + 1))


async def test_every_feed_is_polled_and_what_is_new_goes_on_by_itself(
    temporal: Client,
) -> None:
    ingestion, distillation = ScriptedIngestion(outcome=polled), ScriptedDistillation()
    request = IngestAllFeeds(feeds_per_slice=3, feeds_per_history=4)
    async with fleet(
        temporal,
        ingestion,
        None,
        distillation,
        hand_over=ScriptedHandOver(range(1, 11)),
    ):
        ended = await result(temporal, AllFeedsIngestion.run, request)
        async with asyncio.timeout(20):
            while sum(map(len, distillation.slices)) < 20:
                await asyncio.sleep(0.02)

    assert ended == AllFeedsIngested(
        progress=AllFeedsProgress(step=RunStep.DONE, total=10, polled=10, handed_over=20)
    )
    # One asking for all of it, however many histories it takes.
    assert len(set(ingestion.asked_at)) == 1


async def test_feeds_are_waited_for_as_politeness_wants(time_skipping: Client) -> None:
    def outcome(feed_id: int, asking: int) -> PollOutcome:
        if feed_id == 1 and not asking:
            return FeedDeferred(feed_id=1, until=in_activity(minutes=10))
        if feed_id == 2:
            return FeedDeferred(feed_id=2, until=in_activity(days=400))
        if feed_id == 3:
            return FeedFailed(feed_id=3, reason=Reason.TIMED_OUT)
        return FeedMissing(feed_id=4) if feed_id == 4 else FeedPolled(feed_id=feed_id)

    async with fleet(
        time_skipping, ScriptedIngestion(outcome=outcome), hand_over=ScriptedHandOver([1, 2, 3, 4])
    ):
        ended = await result(time_skipping, AllFeedsIngestion.run, IngestAllFeeds())

    assert ended.progress == AllFeedsProgress(
        step=RunStep.DONE,
        total=4,
        polled=1,
        failed=1,
        missing=1,
        left=1,
        detail="the site asked for more time",
    )


async def test_polls_that_fail_for_good_are_counted_as_left(time_skipping: Client) -> None:
    def broken(_: int, __: int) -> PollOutcome:
        raise PermanentError("no such table")

    async with fleet(
        time_skipping, ScriptedIngestion(outcome=broken), hand_over=ScriptedHandOver([1, 2])
    ):
        ended = await result(time_skipping, AllFeedsIngestion.run, IngestAllFeeds())

    assert (ended.progress.left, ended.progress.polled) == (2, 0)
    assert "no such table" in ended.progress.detail


async def test_its_progress_can_be_asked_for(temporal: Client) -> None:
    def outcome(feed_id: int, _: int) -> PollOutcome:
        until = in_activity(minutes=30)
        return FeedDeferred(feed_id=2, until=until) if feed_id == 2 else FeedPolled(feed_id=1)

    async with fleet(
        temporal, ScriptedIngestion(outcome=outcome), hand_over=ScriptedHandOver([1, 2])
    ):
        handle = await start(temporal, AllFeedsIngestion.run, IngestAllFeeds())
        async with asyncio.timeout(20):
            while True:
                progress = await handle.query(AllFeedsIngestion.get_progress)
                if progress.waiting_until:
                    break
                await asyncio.sleep(0.02)
        await handle.terminate()

    assert progress == AllFeedsProgress(total=2, polled=1, waiting_until=progress.waiting_until)
