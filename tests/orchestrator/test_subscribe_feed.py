"""Following a feed leaves all of it or nothing, whatever fails, and when."""

import asyncio
import uuid
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

import pytest
from sqlalchemy import func, select, text
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError, CancelledError

from feedmill.contracts import options
from feedmill.contracts.workflows import (
    NOT_FOLLOWED,
    SingleFeedIngestion,
    SubscribeFeed,
    feed_ingestion_id,
    subscribe_feed_id,
)
from feedmill.errors import PermanentError
from feedmill.models.feeds import FeedFailed, FeedPolled, FeedsPolled, PollFeeds
from feedmill.models.outcomes import Reason
from feedmill.models.runs import IngestFeed, IngestionProgress, RunStep
from feedmill.models.subscribing import (
    AddFeed,
    FeedAddedBy,
    FeedFollowed,
    FeedSubscribed,
    FeedValidated,
    FollowFeed,
    FollowingBegun,
    SubscribeProgress,
    SubscribeStep,
    SubscribeToFeed,
    ValidateFeed,
)
from feedmill.store import Store
from feedmill.store.tables import feeds, subscriptions
from feedmill_orchestrator.subscribing import Subscriber
from feedmill_orchestrator.workflows.subscribe_feed import SubscribeFeedWorkflow
from support.fleet import ScriptedIngestion, fleet
from support.library import Library, open_library
from support.starting import start

T = TypeVar("T")
URL = "https://news.example/feed"
# What the steps are called, and the options of each.
STEPS = {
    SubscribeStep.VALIDATING: options.VALIDATE_FEED,
    SubscribeStep.ADDING: options.ADD_FEED,
    SubscribeStep.SUBSCRIBING: options.FOLLOW_FEED,
    SubscribeStep.INGESTING: options.POLL_FEEDS,
}


class Failure(StrEnum):
    ERROR = "error"
    TIMEOUT = "timeout"
    CANCELLATION = "cancellation"


class Fault:
    """Lets one step fail, before or after it has done what it does."""

    def __init__(self, step: SubscribeStep, kind: Failure, *, after: bool) -> None:
        self.step = step
        self.kind = kind
        self.after = after
        self.reached = asyncio.Event()

    async def strike(self, step: SubscribeStep, *, after: bool) -> None:
        if (step, after) != (self.step, self.after):
            return
        self.reached.set()
        if self.kind is Failure.ERROR:
            raise PermanentError("struck")
        await asyncio.sleep(3 if self.kind is Failure.TIMEOUT else 60)


class FaultySubscriber(Subscriber):
    def __init__(self, store: Store, fault: Fault) -> None:
        super().__init__(store)
        self._fault = fault

    @activity.defn
    async def validate_feed(self, request: ValidateFeed) -> FeedValidated:
        await self._fault.strike(SubscribeStep.VALIDATING, after=False)
        done = await super().validate_feed(request)
        await self._fault.strike(SubscribeStep.VALIDATING, after=True)
        return done

    @activity.defn
    async def add_feed(self, request: AddFeed) -> FeedAddedBy:
        await self._fault.strike(SubscribeStep.ADDING, after=False)
        done = await super().add_feed(request)
        await self._fault.strike(SubscribeStep.ADDING, after=True)
        return done

    @activity.defn
    async def follow_feed(self, request: FollowFeed) -> FeedFollowed:
        await self._fault.strike(SubscribeStep.SUBSCRIBING, after=False)
        done = await super().follow_feed(request)
        await self._fault.strike(SubscribeStep.SUBSCRIBING, after=True)
        return done


class FaultyIngestion(ScriptedIngestion):
    def __init__(self, fault: Fault) -> None:
        super().__init__(FeedPolled(feed_id=1))
        self._fault = fault

    @activity.defn
    async def poll_feeds(self, request: PollFeeds) -> FeedsPolled:
        await self._fault.strike(SubscribeStep.INGESTING, after=False)
        done = await super().poll_feeds(request)
        await self._fault.strike(SubscribeStep.INGESTING, after=True)
        return done


async def subscribe(
    client: Client, user_id: int, url: str = URL
) -> WorkflowHandle[SubscribeFeed, FeedSubscribed]:
    return await start(
        client,
        SubscribeFeed.run,
        SubscribeToFeed(user_id=user_id, url=url),
        id=f"{subscribe_feed_id(user_id, url)}/{uuid.uuid4()}",
    )


async def rows(store: Store) -> tuple[int, int]:
    """Return how many feeds and subscriptions there are."""
    async with store.transaction() as tx:
        counts = [
            (await tx.connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (feeds, subscriptions)
        ]
    return counts[0], counts[1]


async def a_feed_ahead(store: Store) -> Library:
    """Let the next feed have a number that no other test's run has at the same time."""
    async with store.transaction() as tx:
        number = uuid.uuid4().int % 10**9
        await tx.connection.exec_driver_sql(f"alter table feeds alter id restart with {number}")
    return await open_library(store)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("kind", Failure)
@pytest.mark.parametrize("step", STEPS)
async def test_nothing_is_left_behind(
    store: Store,
    temporal: Client,
    monkeypatch: pytest.MonkeyPatch,
    step: SubscribeStep,
    kind: Failure,
    *,
    after: bool,
) -> None:
    library = await a_feed_ahead(store)
    if kind is Failure.TIMEOUT:
        for name in ("start_to_close_timeout", "schedule_to_close_timeout"):
            monkeypatch.setitem(STEPS[step], name, timedelta(seconds=1))  # type: ignore[call-overload]
    fault = Fault(step, kind, after=after)
    subscriber = FaultySubscriber(store, fault)
    async with fleet(temporal, FaultyIngestion(fault), subscriber=subscriber):
        handle = await subscribe(temporal, library.user_id)
        await asyncio.wait_for(fault.reached.wait(), 20)
        if kind is Failure.CANCELLATION:
            await handle.cancel()
        with pytest.raises(WorkflowFailureError) as failure:
            await handle.result()
        progress = await handle.query(SubscribeFeed.get_progress)

    assert await rows(store) == (0, 0)
    assert isinstance(failure.value.cause, CancelledError) == (kind is Failure.CANCELLATION)
    assert progress.step is SubscribeStep.UNDOING
    assert [each for each in progress.undone if each != step] == _done_before(step)


def _done_before(step: SubscribeStep) -> list[SubscribeStep]:
    order = list(STEPS)
    undoable = (SubscribeStep.SUBSCRIBING, SubscribeStep.ADDING)
    return [each for each in undoable if order.index(each) < order.index(step)]


async def test_a_feed_is_followed_and_taken_the_whole_way(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    ingestion = ScriptedIngestion(FeedPolled(feed_id=1, waiting_entry_ids=(1,)))
    async with fleet(temporal, ingestion, subscriber=Subscriber(store)):
        first = await (await subscribe(temporal, library.user_id)).result()
        again = await (await subscribe(temporal, library.user_id)).result()

    assert first.feed_id is not None
    ingested = IngestionProgress(feed_id=first.feed_id, step=RunStep.DONE, total=1, fetched=1)
    ingested = ingested.model_copy(update={"distilled": 1})
    assert first == again == FeedSubscribed(feed_id=first.feed_id, ingested=ingested)
    assert await rows(store) == (1, 1)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("ftp://news.example/", Reason.URL_INVALID, id="no web address"),
        pytest.param("http://127.0.0.1/", Reason.ADDRESS_FORBIDDEN, id="nobody's business"),
        pytest.param(URL, Reason.NOT_A_FEED, id="no feed there"),
    ],
)
async def test_what_is_no_feed_is_refused_with_its_reason(
    store: Store, temporal: Client, url: str, reason: Reason
) -> None:
    library = await a_feed_ahead(store)
    ingestion = ScriptedIngestion(
        FeedFailed(feed_id=1, reason=Reason.NOT_A_FEED, detail="text/html")
    )
    async with fleet(temporal, ingestion, subscriber=Subscriber(store)):
        ended = await (await subscribe(temporal, library.user_id, url)).result()

    assert (ended.feed_id, ended.reason) == (None, reason)
    assert bool(ended.undone) == (reason is Reason.NOT_A_FEED)
    assert await rows(store) == (0, 0)


async def test_a_feed_that_is_only_away_is_followed(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    ingestion = ScriptedIngestion(FeedFailed(feed_id=1, reason=Reason.TIMED_OUT))
    async with fleet(temporal, ingestion, subscriber=Subscriber(store)):
        ended = await (await subscribe(temporal, library.user_id)).result()

    assert (ended.reason, await rows(store)) == (None, (1, 1))


async def test_only_what_this_run_did_is_undone(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    await library.feed(URL)
    before = await rows(store)
    ingestion = ScriptedIngestion(FeedFailed(feed_id=1, reason=Reason.NOT_A_FEED))
    async with fleet(temporal, ingestion, subscriber=Subscriber(store)):
        ended = await (await subscribe(temporal, library.user_id)).result()

    assert before == (1, 2)
    assert (ended.undone, await rows(store)) == ((), before)


async def test_a_feed_that_somebody_else_follows_meanwhile_stays(
    store: Store, temporal: Client
) -> None:
    library = await a_feed_ahead(store)
    fault = Fault(SubscribeStep.INGESTING, Failure.CANCELLATION, after=False)
    async with fleet(temporal, FaultyIngestion(fault), subscriber=Subscriber(store)):
        handle = await subscribe(temporal, library.user_id)
        await asyncio.wait_for(fault.reached.wait(), 20)
        await library.feed(URL, followed=False)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        progress = await handle.query(SubscribeFeed.get_progress)

    assert await rows(store) == (1, 1)
    assert progress == SubscribeProgress(
        step=SubscribeStep.UNDOING,
        feed_id=progress.feed_id,
        undone=(SubscribeStep.SUBSCRIBING,),
    )


class OvertakenSubscriber(Subscriber):
    """Whoever had added the feed undoes that before it is followed."""

    def __init__(self, store: Store, doing: str) -> None:
        super().__init__(store)
        self._other, self._doing = store, doing

    @activity.defn
    async def add_feed(self, request: AddFeed) -> FeedAddedBy:
        added = await super().add_feed(request)
        async with self._other.transaction() as tx:
            await tx.connection.execute(text(self._doing.format(feed_id=added.feed_id)))
        return added


async def test_a_feed_that_is_forgotten_before_it_is_followed_fails_at_once(
    store: Store, temporal: Client
) -> None:
    library = await a_feed_ahead(store)
    subscriber = OvertakenSubscriber(store, "delete from feeds where id = {feed_id}")
    async with fleet(temporal, ScriptedIngestion(), subscriber=subscriber):
        handle = await subscribe(temporal, library.user_id)
        with pytest.raises(WorkflowUpdateFailedError):
            await asyncio.wait_for(handle.execute_update(SubscribeFeed.followed), 20)

    assert await rows(store) == (0, 0)


async def test_a_feed_that_becomes_another_is_followed_as_that(
    store: Store, temporal: Client
) -> None:
    library = await a_feed_ahead(store)
    other = await library.feed("https://news.example/moved", followed=False)
    becomes = (
        "with gone as (delete from feeds where id = {feed_id} returning id, url) "
        f"insert into aliases (url, feed_id, was_id) select url, {other}, id from gone"
    )
    subscriber = OvertakenSubscriber(store, becomes)
    ingestion = ScriptedIngestion(FeedPolled(feed_id=1))
    async with fleet(temporal, ingestion, subscriber=subscriber):
        await (await subscribe(temporal, library.user_id)).result()

    async with store.transaction() as tx:
        assert [feed.id for feed in await tx.reader.feeds(library.user_id)] == [other]


async def test_who_asks_is_answered_once_it_is_followed(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    fault = Fault(SubscribeStep.INGESTING, Failure.CANCELLATION, after=False)
    async with fleet(temporal, FaultyIngestion(fault), subscriber=Subscriber(store)):
        handle = await subscribe(temporal, library.user_id)
        begun = await handle.execute_update(SubscribeFeed.followed)
        again = await handle.execute_update(SubscribeFeed.followed)
        assert begun.feed_id is not None
        reading = temporal.get_workflow_handle(feed_ingestion_id(begun.feed_id))
        described = await reading.describe()
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert begun == again
    assert begun.ingestion_run_id == described.run_id
    assert await described.static_summary() == URL


async def test_who_asks_for_no_feed_is_told_so(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    async with fleet(temporal, ScriptedIngestion(), subscriber=Subscriber(store)):
        handle = await subscribe(temporal, library.user_id, "ftp://news.example/")
        begun = await handle.execute_update(SubscribeFeed.followed)
        await handle.result()

    assert (begun.feed_id, begun.reason) == (None, Reason.URL_INVALID)


async def test_who_asks_is_told_that_it_failed_once_it_is_undone(
    store: Store, temporal: Client
) -> None:
    library = await a_feed_ahead(store)
    fault = Fault(SubscribeStep.SUBSCRIBING, Failure.ERROR, after=True)
    subscriber = FaultySubscriber(store, fault)
    async with fleet(temporal, ScriptedIngestion(), subscriber=subscriber):
        handle = await subscribe(temporal, library.user_id)
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(SubscribeFeed.followed)
        left = await rows(store)
        with pytest.raises(WorkflowFailureError):
            await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert (failed.value.cause.type, left) == (NOT_FOLLOWED, (0, 0))


async def test_a_feed_that_is_being_read_is_read_by_one_run(store: Store, temporal: Client) -> None:
    library = await a_feed_ahead(store)
    feed_id = await library.feed(URL, followed=False)
    fault = Fault(SubscribeStep.INGESTING, Failure.CANCELLATION, after=False)
    async with fleet(temporal, FaultyIngestion(fault), subscriber=Subscriber(store)):
        reading = await start(
            temporal,
            SingleFeedIngestion.run,
            IngestFeed(feed_id=feed_id),
            id=feed_ingestion_id(feed_id),
        )
        await asyncio.wait_for(fault.reached.wait(), 20)
        handle = await subscribe(temporal, library.user_id)
        begun = await handle.execute_update(SubscribeFeed.followed)
        ended = await handle.result()
        await reading.terminate()

    assert begun == FollowingBegun(feed_id=feed_id)
    assert ended == FeedSubscribed(feed_id=feed_id)


class _Forgotten(SubscribeFeedWorkflow):
    """Waits, outside any worker."""

    def __init__(self) -> None:
        self.is_undone = False

    async def _subscribe(self, request: SubscribeToFeed) -> FeedSubscribed:
        await asyncio.sleep(0)
        return FeedSubscribed()

    async def _undo(self) -> None:
        self.is_undone = True


async def test_a_run_whose_worker_is_gone_undoes_nothing() -> None:
    forgotten = _Forgotten()
    run = SubscribeFeedWorkflow.run(forgotten, SubscribeToFeed(user_id=1, url="https://a.example/"))
    run.send(None)

    # As it is collected in whatever event loop happens to run.
    run.close()

    assert not forgotten.is_undone
