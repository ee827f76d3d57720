"""The workflows of the fleet, as those who start or query them see them."""

import hashlib
from abc import ABC, abstractmethod

from temporalio import workflow

from feedmill.models.lists import ImportEnded, ImportList, ImportProgress
from feedmill.models.redriving import EndedRedriven, RedriveEnded, RedriveProgress
from feedmill.models.reextraction import Reextracted, ReextractionProgress, ReextractKept
from feedmill.models.runs import (
    AllFeedsIngested,
    AllFeedsProgress,
    BatchDistilled,
    BatchFetched,
    DistillBatch,
    DomainServed,
    EntriesProgress,
    FeedIngested,
    FetchBatch,
    IngestAllFeeds,
    IngestFeed,
    IngestionProgress,
    JoinDomain,
    ServeDomain,
    ShardProgress,
    TendShard,
)
from feedmill.models.subscribing import (
    FeedSubscribed,
    FollowingBegun,
    SubscribeProgress,
    SubscribeToFeed,
)
from feedmill.models.upkeep import (
    ForgetOld,
    KeepShards,
    OldForgotten,
    RepairStages,
    ShardsKept,
    StagesRepaired,
)

ALL_FEEDS_INGESTION_ID = "all-feeds-ingestion"
"""The workflow id under which every feed is polled: once at a time, whoever asks."""

SUMMARY_CHARACTERS = 200
"""So much of what a run is about is told to Temporal, which refuses more than 400 bytes."""

NOT_FOLLOWED = "NotFollowed"
"""The type of the error with which `SubscribeFeed.followed` fails when following failed."""


@workflow.defn(name="SingleFeedIngestion")
class SingleFeedIngestion(ABC):
    """One feed the whole way, first in every queue, for a person who waits."""

    @workflow.run
    @abstractmethod
    async def run(self, request: IngestFeed) -> FeedIngested:
        """Poll the feed, then fetch and distil everything of it that waits."""

    @workflow.update
    @abstractmethod
    def refresh(self, request: IngestFeed) -> IngestionProgress:
        """Join the run, whoever began it; return how far it has come.

        Refused when the run is another feed's, which leaves no trace in its history.
        """

    @workflow.query
    @abstractmethod
    def get_progress(self) -> IngestionProgress:
        """How far it has come."""


@workflow.defn(name="ScheduleFetch")
class ScheduleFetch(ABC):
    """New entries of any number of feeds, the rest of the way."""

    @workflow.run
    @abstractmethod
    async def run(self, request: FetchBatch) -> BatchFetched:
        """Fetch and distil the entries, in slices over many hosts."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> EntriesProgress:
        """How far they have come."""


@workflow.defn(name="PollShard")
class PollShard(ABC):
    """Polls the feeds of one shard as they are due, for ever. Its id is what keeps it the only one."""

    @workflow.run
    @abstractmethod
    async def run(self, request: TendShard) -> None:
        """Poll, hand over what is new, rest until something is due or `wake` comes."""

    @workflow.signal
    @abstractmethod
    async def wake(self) -> None:
        """Something may be due sooner than the shard thinks: begin a round now."""

    @workflow.signal
    @abstractmethod
    async def pause(self) -> None:
        """Begin nothing any more until `resume` comes; what was begun ends as usual."""

    @workflow.signal
    @abstractmethod
    async def resume(self) -> None:
        """Go on, at once."""

    @workflow.signal
    @abstractmethod
    async def pushed(self) -> None:
        """Hubs have sent something for its feeds: take it now, whatever is being polled."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> ShardProgress:
        """How much it has done since its run began."""


@workflow.defn(name="AllFeedsIngestion")
class AllFeedsIngestion(ABC):
    """Every feed now, for a person who wants all there is."""

    @workflow.run
    @abstractmethod
    async def run(self, request: IngestAllFeeds) -> AllFeedsIngested:
        """Poll every feed as far as politeness allows; what is new goes on in runs of its own."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> AllFeedsProgress:
        """How far it has come."""


@workflow.defn(name="DomainFetch")
class DomainFetch(ABC):
    """One slow or busy host's queue. Its id is what keeps it the only one."""

    @workflow.run
    @abstractmethod
    async def run(self, request: ServeDomain) -> DomainServed:
        """Fetch and distil whoever waits, in order, until nobody does."""

    @workflow.signal
    @abstractmethod
    async def join(self, request: JoinDomain) -> None:
        """Let entries of the host wait too; who waits already goes on doing so."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> EntriesProgress:
        """How far they have come."""


@workflow.defn(name="ContentDistillation")
class ContentDistillation(ABC):
    """Fetched entries of any number of feeds, distilled."""

    @workflow.run
    @abstractmethod
    async def run(self, request: DistillBatch) -> BatchDistilled:
        """Distil the entries in slices."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> EntriesProgress:
        """How far they have come."""


@workflow.defn(name="SubscribeFeed")
class SubscribeFeed(ABC):
    """Lets a user follow a feed: all of it, or nothing."""

    @workflow.run
    @abstractmethod
    async def run(self, request: SubscribeToFeed) -> FeedSubscribed:
        """Validate, add, subscribe and ingest; undo what was done if it is no feed or fails."""

    @workflow.update
    @abstractmethod
    async def followed(self) -> FollowingBegun:
        """Answer as soon as the feed is followed, or it is clear that it is not going to be.

        Fails when following it failed; what was begun is undone then.
        """

    @workflow.query
    @abstractmethod
    def get_progress(self) -> SubscribeProgress:
        """How far it has come, and what was undone."""


@workflow.defn(name="ImportSubscriptions")
class ImportSubscriptions(ABC):
    """Lets a user follow what a list names, line by line."""

    @workflow.run
    @abstractmethod
    async def run(self, request: ImportList) -> ImportEnded:
        """Follow the stored list in slices, until no line of it waits."""

    @workflow.signal
    @abstractmethod
    def again(self) -> None:
        """Somebody has given the same list once more: look for lines that wait before it ends."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> ImportProgress:
        """How far it has come."""


@workflow.defn(name="Supervise")
class Supervise(ABC):
    """Keeps the shards' pollers running, on a schedule."""

    @workflow.run
    @abstractmethod
    async def run(self, request: KeepShards) -> ShardsKept:
        """Start whichever does not run."""


@workflow.defn(name="PruneEntries")
class PruneEntries(ABC):
    """Forgets what is old, on a schedule."""

    @workflow.run
    @abstractmethod
    async def run(self, request: ForgetOld) -> OldForgotten:
        """Forget old entries; their guids are remembered."""


@workflow.defn(name="Reconcile")
class Reconcile(ABC):
    """Picks up whatever has stalled, on a schedule."""

    @workflow.run
    @abstractmethod
    async def run(self, request: RepairStages) -> StagesRepaired:
        """Let runs of their own take stalled entries the rest of the way."""


@workflow.defn(name="Redrive")
class Redrive(ABC):
    """Takes entries back from dead ends, for an operator who knows that the reason has passed."""

    @workflow.run
    @abstractmethod
    async def run(self, request: RedriveEnded) -> EndedRedriven:
        """Count dead ends; take those of a reason back, and let runs of their own go on with them."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> RedriveProgress:
        """How far it has come."""


@workflow.defn(name="Reextract")
class Reextract(ABC):
    """Finds articles anew in the pages that were kept, and has those distilled that read otherwise."""

    @workflow.run
    @abstractmethod
    async def run(self, request: ReextractKept) -> Reextracted:
        """Go through the kept pages in slices, by the numbers of their entries."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> ReextractionProgress:
        """How far it has come."""


ALL_FEEDS_INGESTION_ID = "all-feeds-ingestion"
"""Whoever wants every feed while somebody else has them polled joins that run."""


def feed_ingestion_id(feed_id: int) -> str:
    """Return the workflow id under which a feed is ingested: one at a time, whoever asks."""
    return f"feed-ingestion/{feed_id}"


def schedule_fetch_id(batch: str) -> str:
    """Return the workflow id under which a batch of new entries is taken care of."""
    return f"schedule-fetch/{batch}"


def refetch_id(feed_id: int, entry_id: int) -> str:
    """Return the workflow id under which an entry is fetched again: once at a time, whoever asks."""
    return f"refetch/{feed_id}/{entry_id}"


def reextract_id(feed_id: int | None) -> str:
    """Return the workflow id under which kept pages are read anew, of one feed or of all."""
    return f"reextract/{'all' if feed_id is None else feed_id}"


def poll_shard_id(shard: int) -> str:
    """Return the workflow id under which a shard is polled."""
    return f"poll-shard/{shard}"


def domain_fetch_id(host: str) -> str:
    """Return the workflow id under which a host's queue is served."""
    return f"domain-fetch/{host}"


def subscribe_feed_id(user_id: int, url: str) -> str:
    """Return the workflow id under which a user begins to follow an address."""
    return f"subscribe/{user_id}/{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def import_id(user_id: int, file_hash: str) -> str:
    """Return the workflow id under which a user's list is imported: one at a time for each file."""
    return f"import/{user_id}/{file_hash}"


def redrive_id(reason: str) -> str:
    """Return the workflow id under which entries that ended for a reason are taken back: once at a time."""
    return f"redrive/{reason}"


def content_distillation_id(batch: str) -> str:
    """Return the workflow id under which a batch of fetched entries is distilled."""
    return f"content-distillation/{batch}"
