"""Activities that play the three services, with scripted outcomes; they remember what they were asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime

from temporalio import activity
from temporalio.client import Client

from feedmill.contracts.activities import (
    BrowserActivities,
    DistillationActivities,
    FetchActivities,
    HandOverActivities,
    HubActivities,
    ImportActivities,
    IngestionActivities,
    RedriveActivities,
    ReextractionActivities,
    SubscriptionActivities,
    UpkeepActivities,
)
from feedmill.contracts.queues import TaskQueue
from feedmill.errors import PermanentError
from feedmill.models.distillates import (
    DistillEntries,
    DistillOutcome,
    EntriesDistilled,
    EntryDistilled,
)
from feedmill.models.entries import (
    ContentFetched,
    EntriesFetched,
    FetchEntries,
    FetchOutcome,
    Stage,
)
from feedmill.models.feeds import (
    DueFeedsPolled,
    FeedsPolled,
    PollDueFeeds,
    PollFeeds,
    PollOutcome,
)
from feedmill.models.hubs import HubsTended, PushesTaken, TakePushes, TendHubs
from feedmill.models.lists import FollowListed, ImportProgress, ListedFollowed
from feedmill.models.outcomes import Reason
from feedmill.models.redriving import (
    CountDeadEnds,
    DeadEnd,
    DeadEndsCounted,
    RedriveSlice,
    SliceRedriven,
)
from feedmill.models.reextraction import PagesReextracted, ReextractPages
from feedmill.models.subscribing import (
    AddFeed,
    FeedAddedBy,
    FeedFollowed,
    FeedValidated,
    FollowFeed,
    StepUndone,
    UndoneBy,
    ValidateFeed,
)
from feedmill.models.upkeep import (
    DomainsJoined,
    FeedsSelected,
    JoinDomains,
    KeepShards,
    PickUpStalled,
    PruneSlice,
    SelectFeeds,
    ShardsKept,
    SlicePruned,
    StalledPickedUp,
)
from feedmill.worker.run import build_worker
from feedmill_orchestrator.registry import WORKFLOWS


class ScriptedIngestion(IngestionActivities):
    """Answers each poll with the next outcome of a script, the last one for ever, or by `outcome`.

    While the gate is closed, rounds take their time.
    """

    def __init__(
        self,
        *script: PollOutcome,
        rounds: Sequence[DueFeedsPolled] = (),
        outcome: Callable[[int, int], PollOutcome] | None = None,
    ) -> None:
        self._script = list(script)
        self._outcome = outcome
        self._askings: dict[int, int] = {}
        self._rounds = list(rounds)
        self.asked_at: list[datetime] = []
        self.rounds: list[PollDueFeeds] = []
        self.round_broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn
    async def poll_feeds(self, request: PollFeeds) -> FeedsPolled:
        self.asked_at.append(request.asked_at)
        if self._outcome is not None:
            return FeedsPolled(outcomes=tuple(map(self._one, request.feed_ids)))
        outcome = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        return FeedsPolled(outcomes=(outcome,))

    def _one(self, feed_id: int) -> PollOutcome:
        assert self._outcome is not None
        asking = self._askings.get(feed_id, 0)
        self._askings[feed_id] = asking + 1
        return self._outcome(feed_id, asking)

    @activity.defn
    async def poll_due_feeds(self, request: PollDueFeeds) -> DueFeedsPolled:
        self.rounds.append(request)
        await self.gate.wait()
        if self.round_broken:
            raise PermanentError("no such table")
        return self._rounds.pop(0) if self._rounds else DueFeedsPolled()


class ScriptedHubs(HubActivities):
    """Answers each request with the next of a script, then with nothing to do.

    Attributes
    ----------
    gate
        While it is closed, hubs take their time.
    """

    def __init__(
        self, tended: Sequence[HubsTended] = (), taken: Sequence[PushesTaken] = ()
    ) -> None:
        self._tended = list(tended)
        self._taken = list(taken)
        self.tendings: list[TendHubs] = []
        self.takings: list[TakePushes] = []
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn
    async def tend_hubs(self, request: TendHubs) -> HubsTended:
        self.tendings.append(request)
        await self.gate.wait()
        self._may_break()
        return self._tended.pop(0) if self._tended else HubsTended()

    @activity.defn
    async def take_pushes(self, request: TakePushes) -> PushesTaken:
        self.takings.append(request)
        await self.gate.wait()
        self._may_break()
        return self._taken.pop(0) if self._taken else PushesTaken()

    def _may_break(self) -> None:
        if self.broken:
            raise PermanentError("no such table")


class ScriptedFetch(FetchActivities):
    """Fetches every entry, unless `outcome` says otherwise for the n-th asking (from 0)."""

    def __init__(self, outcome: Callable[[int, int], FetchOutcome | None] | None = None) -> None:
        self._outcome = outcome or (lambda _entry_id, _asking: None)
        self.slices: list[tuple[int, ...]] = []
        self.requests: list[FetchEntries] = []
        self._askings: dict[int, int] = {}

    @activity.defn
    async def fetch_entries(self, request: FetchEntries) -> EntriesFetched:
        self.slices.append(request.entry_ids)
        self.requests.append(request)
        return EntriesFetched(outcomes=tuple(self._one(entry_id) for entry_id in request.entry_ids))

    def _one(self, entry_id: int) -> FetchOutcome:
        asking = self._askings.get(entry_id, 0)
        self._askings[entry_id] = asking + 1
        return self._outcome(entry_id, asking) or ContentFetched(entry_id=entry_id)


class ScriptedBrowser(BrowserActivities):
    """Fetches every entry, unless `outcome` says otherwise for the n-th asking (from 0)."""

    def __init__(self, outcome: Callable[[int, int], FetchOutcome | None] | None = None) -> None:
        self._fetch = ScriptedFetch(outcome)
        self.slices = self._fetch.slices

    @activity.defn
    async def browse_entries(self, request: FetchEntries) -> EntriesFetched:
        return await self._fetch.fetch_entries(request)


class ScriptedDistillation(DistillationActivities):
    """Distils every entry, unless `outcome` says otherwise or raises."""

    def __init__(self, outcome: Callable[[int], DistillOutcome | None] | None = None) -> None:
        self._outcome = outcome or (lambda _entry_id: None)
        self.slices: list[tuple[int, ...]] = []
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        self.slices.append(request.entry_ids)
        await self.gate.wait()
        return EntriesDistilled(
            outcomes=tuple(self._one(entry_id) for entry_id in request.entry_ids)
        )

    def _one(self, entry_id: int) -> DistillOutcome:
        return self._outcome(entry_id) or EntryDistilled(entry_id=entry_id)


class ScriptedHandOver(HandOverActivities):
    """Knows some feeds, and lets those entries join a domain's queue that `joins` says."""

    def __init__(
        self,
        feed_ids: Sequence[int] = (),
        joins: Callable[[Sequence[int]], Sequence[int]] | None = None,
    ) -> None:
        self._feed_ids = feed_ids
        self._joins = joins or (lambda _entry_ids: ())
        self.askings: list[tuple[int, ...]] = []
        self.broken = False

    @activity.defn
    async def select_feeds(self, request: SelectFeeds) -> FeedsSelected:
        after = [each for each in self._feed_ids if each > request.after_feed_id]
        return FeedsSelected(feed_ids=tuple(after[: request.limit]), total=len(self._feed_ids))

    @activity.defn
    async def join_domains(self, request: JoinDomains) -> DomainsJoined:
        self.askings.append(request.entry_ids)
        if self.broken:
            raise PermanentError("no such table")
        return DomainsJoined(entry_ids=tuple(self._joins(request.entry_ids)))


class ScriptedUpkeep(UpkeepActivities):
    """Answers with the next of a script, then with nothing to do."""

    def __init__(
        self,
        stalled: Sequence[StalledPickedUp] = (),
        pruned: Sequence[SlicePruned] = (),
    ) -> None:
        self._stalled = list(stalled)
        self._pruned = list(pruned)
        self.pick_ups: list[PickUpStalled] = []
        self.prunings: list[PruneSlice] = []

    @activity.defn
    async def keep_shards(self, request: KeepShards) -> ShardsKept:
        return ShardsKept(running=request.shards)

    @activity.defn
    async def pick_up_stalled(self, request: PickUpStalled) -> StalledPickedUp:
        self.pick_ups.append(request)
        return self._stalled.pop(0) if self._stalled else StalledPickedUp()

    @activity.defn
    async def prune_slice(self, request: PruneSlice) -> SlicePruned:
        self.prunings.append(request)
        return self._pruned.pop(0) if self._pruned else SlicePruned()


class ScriptedSubscriber(SubscriptionActivities):
    """Lets everybody follow everything, as feed 1."""

    @activity.defn
    async def validate_feed(self, request: ValidateFeed) -> FeedValidated:
        return FeedValidated(url=request.url)

    @activity.defn
    async def add_feed(self, request: AddFeed) -> FeedAddedBy:
        return FeedAddedBy(feed_id=1)

    @activity.defn
    async def follow_feed(self, request: FollowFeed) -> FeedFollowed:
        return FeedFollowed(new=True)

    @activity.defn
    async def undo_follow(self, request: UndoneBy) -> StepUndone:
        return StepUndone(changed=True)

    @activity.defn
    async def undo_add_feed(self, request: UndoneBy) -> StepUndone:
        return StepUndone(changed=True)


class ScriptedImporter(ImportActivities):
    """Answers with the next of a script, then with nothing left."""

    def __init__(self, *script: ImportProgress) -> None:
        self._script = list(script)
        self.requests: list[FollowListed] = []
        self.is_broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    @activity.defn
    async def follow_listed(self, request: FollowListed) -> ListedFollowed:
        self.requests.append(request)
        await self.gate.wait()
        if self.is_broken:
            raise PermanentError("no such table")
        return ListedFollowed(progress=self._script.pop(0) if self._script else ImportProgress())


class ScriptedRedriver(RedriveActivities):
    """Answers with the next slice of a script, then with nobody."""

    def __init__(self, *script: SliceRedriven) -> None:
        self._script = list(script)
        self.slices: list[RedriveSlice] = []

    @activity.defn
    async def count_dead_ends(self, request: CountDeadEnds) -> DeadEndsCounted:
        end = DeadEnd(stage=Stage.UNAVAILABLE, reason=Reason.PAGE_BLOCKED, entries=3)
        return DeadEndsCounted(ends=(end,))

    @activity.defn
    async def redrive_slice(self, request: RedriveSlice) -> SliceRedriven:
        self.slices.append(request)
        return self._script.pop(0) if self._script else SliceRedriven()


class ScriptedReextraction(ReextractionActivities):
    """Answers each request with the next slice of a script, unless it is broken."""

    def __init__(self, *script: PagesReextracted) -> None:
        self._script = list(script)
        self.requests: list[ReextractPages] = []
        self.is_broken = False

    @activity.defn
    async def reextract_pages(self, request: ReextractPages) -> PagesReextracted:
        self.requests.append(request)
        if self.is_broken:
            raise PermanentError("no such table")
        return self._script.pop(0) if self._script else PagesReextracted()


@asynccontextmanager
async def fleet(
    client: Client,
    ingestion: IngestionActivities,
    fetch: ScriptedFetch | None = None,
    distillation: ScriptedDistillation | None = None,
    hubs: ScriptedHubs | None = None,
    hand_over: HandOverActivities | None = None,
    upkeep: UpkeepActivities | None = None,
    subscriber: SubscriptionActivities | None = None,
    reextraction: ScriptedReextraction | None = None,
    browser: ScriptedBrowser | None = None,
    importer: ImportActivities | None = None,
    redriver: RedriveActivities | None = None,
) -> AsyncIterator[None]:
    """Serve every queue while the block lasts: real workflows, scripted activities."""
    fetch, distillation = fetch or ScriptedFetch(), distillation or ScriptedDistillation()
    hubs, reextraction = hubs or ScriptedHubs(), reextraction or ScriptedReextraction()
    hand_over, upkeep = hand_over or ScriptedHandOver(), upkeep or ScriptedUpkeep()
    subscriber, importer = subscriber or ScriptedSubscriber(), importer or ScriptedImporter()
    redriver = redriver or ScriptedRedriver()
    async with AsyncExitStack() as stack:
        for worker in (
            build_worker(
                client,
                TaskQueue.ORCHESTRATION,
                workflows=WORKFLOWS,
                activities=[
                    hand_over.select_feeds,
                    hand_over.join_domains,
                    upkeep.keep_shards,
                    upkeep.pick_up_stalled,
                    upkeep.prune_slice,
                    subscriber.validate_feed,
                    subscriber.add_feed,
                    subscriber.follow_feed,
                    subscriber.undo_follow,
                    subscriber.undo_add_feed,
                    importer.follow_listed,
                    redriver.count_dead_ends,
                    redriver.redrive_slice,
                ],
            ),
            build_worker(
                client,
                TaskQueue.INGESTION,
                activities=[
                    ingestion.poll_feeds,
                    ingestion.poll_due_feeds,
                    hubs.tend_hubs,
                    hubs.take_pushes,
                ],
            ),
            build_worker(
                client,
                TaskQueue.FETCH,
                activities=[fetch.fetch_entries, reextraction.reextract_pages],
            ),
            build_worker(
                client,
                TaskQueue.FETCH_BROWSER,
                activities=[(browser or ScriptedBrowser()).browse_entries],
            ),
            build_worker(client, TaskQueue.DISTILLATION, activities=[distillation.distill_entries]),
        ):
            await stack.enter_async_context(worker)
        yield
