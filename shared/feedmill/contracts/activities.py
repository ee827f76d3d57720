"""The activities of the fleet: one abstract class per kind of work."""

from abc import ABC, abstractmethod

from temporalio import activity

from feedmill.models.distillates import DistillEntries, EntriesDistilled
from feedmill.models.entries import EntriesFetched, FetchEntries
from feedmill.models.feeds import DueFeedsPolled, FeedsPolled, PollDueFeeds, PollFeeds
from feedmill.models.hubs import HubsTended, PushesTaken, TakePushes, TendHubs
from feedmill.models.lists import FollowListed, ListedFollowed
from feedmill.models.redriving import (
    CountDeadEnds,
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


class IngestionActivities(ABC):
    """Served on `TaskQueue.INGESTION`."""

    @activity.defn
    @abstractmethod
    async def poll_feeds(self, request: PollFeeds) -> FeedsPolled:
        """Poll feeds, and store what they show and what they said about themselves.

        Every feed gets an outcome; what a site answers is never an exception. A feed polled since
        `request.asked_at`, or a few minutes before, is not asked again: its stored outcome is the
        answer. One that somebody else is asking right now is deferred.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def poll_due_feeds(self, request: PollDueFeeds) -> DueFeedsPolled:
        """Poll the feeds of a shard that are due, as their hosts allow, until none is due soon.

        Each poll is committed on its own, and a retry goes on where the attempt before ended.
        The answer may come early, when enough is new or the worker is to leave.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class HubActivities(ABC):
    """Served on `TaskQueue.INGESTION`."""

    @activity.defn
    @abstractmethod
    async def tend_hubs(self, request: TendHubs) -> HubsTended:
        """Ask hubs to push the news of feeds, or to stop, where that is due; some of each hub's.

        What a hub answers is never an exception: it is asked again later, and the less often the
        longer it does not confirm. A retry asks nobody whom the attempt before has asked.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def take_pushes(self, request: TakePushes) -> PushesTaken:
        """Read what hubs have sent, and store what is new of it as a poll does.

        Each push is committed on its own, and read once. A feed whose push cannot be read is polled
        instead, as soon as it may be.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class FetchActivities(ABC):
    """Served on `TaskQueue.FETCH`."""

    @activity.defn
    @abstractmethod
    async def fetch_entries(self, request: FetchEntries) -> EntriesFetched:
        """Download, extract and store the articles behind a slice of entries.

        Every entry gets an outcome; what a site answers is never an exception.
        Entries already fetched are skipped, so a retry costs nothing. With `request.again_since`
        they are looked at again, once: what has not changed keeps its distillate.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class ReextractionActivities(ABC):
    """Served on `TaskQueue.FETCH`."""

    @activity.defn
    @abstractmethod
    async def reextract_pages(self, request: ReextractPages) -> PagesReextracted:
        """Find the articles of a slice of kept pages anew, and store those that read otherwise.

        Nobody is asked for anything. Each article is committed on its own; a retry finds the same.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class BrowserActivities(ABC):
    """Served on `TaskQueue.FETCH_BROWSER`."""

    @activity.defn
    @abstractmethod
    async def browse_entries(self, request: FetchEntries) -> EntriesFetched:
        """Fetch the articles of pages that are empty without their scripts, in a browser.

        Every entry gets an outcome, as in `fetch_entries`, and for the last time: what a browser does
        not show either is a dead end.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class DistillationActivities(ABC):
    """Served on `TaskQueue.DISTILLATION`."""

    @activity.defn
    @abstractmethod
    async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
        """Distil a slice of fetched entries, and store each result as it comes.

        An article that this recipe has already distilled is not paid for again.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        ModelUnavailableError
            The model did not answer or asked us to wait. Retried after the time it asked for.
        """


class HandOverActivities(ABC):
    """Served on `TaskQueue.ORCHESTRATION`."""

    @activity.defn
    @abstractmethod
    async def select_feeds(self, request: SelectFeeds) -> FeedsSelected:
        """Name the feeds that somebody follows, some at a time, by number.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def join_domains(self, request: JoinDomains) -> DomainsJoined:
        """Let entries wait in the runs of their hosts, where a host has a queue.

        A host's run is started if there is none. Joining twice changes nothing.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        TemporalUnavailableError
            Temporal did not answer. Retried.
        """


class UpkeepActivities(ABC):
    """Served on `TaskQueue.ORCHESTRATION`."""

    @activity.defn
    @abstractmethod
    async def keep_shards(self, request: KeepShards) -> ShardsKept:
        """Start every shard's poller that does not run.

        Raises
        ------
        TemporalUnavailableError
            Temporal did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def pick_up_stalled(self, request: PickUpStalled) -> StalledPickedUp:
        """Find entries that have stalled and that no living run takes care of, and claim them.

        The same batch gets the same entries again, so that a retry loses none; nobody else gets
        them before they have stalled anew.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        TemporalUnavailableError
            Temporal did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def prune_slice(self, request: PruneSlice) -> SlicePruned:
        """Forget the old ones among the entries that come next, with all that belongs to them.

        Their guids are kept, so that a feed that still shows them does not bring them back.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class RedriveActivities(ABC):
    """Served on `TaskQueue.ORCHESTRATION`."""

    @activity.defn
    @abstractmethod
    async def count_dead_ends(self, request: CountDeadEnds) -> DeadEndsCounted:
        """Count the entries at dead ends, by stage and reason.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def redrive_slice(self, request: RedriveSlice) -> SliceRedriven:
        """Take the next entries that ended for a reason back: to `fetched` where there is an article.

        Each is an event. The same batch gets the same entries again, so that a retry loses none.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class SubscriptionActivities(ABC):
    """Served on `TaskQueue.ORCHESTRATION`."""

    @activity.defn
    @abstractmethod
    async def validate_feed(self, request: ValidateFeed) -> FeedValidated:
        """Judge an address: what is refused has a reason, and is never an exception."""

    @activity.defn
    @abstractmethod
    async def add_feed(self, request: AddFeed) -> FeedAddedBy:
        """Know a feed; what is new knows the run that wanted it.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def follow_feed(self, request: FollowFeed) -> FeedFollowed:
        """Let a user follow a feed; what is new knows the run that wanted it.

        Raises
        ------
        NotFoundError
            The feed was forgotten meanwhile.
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def undo_follow(self, request: UndoneBy) -> StepUndone:
        """Let a user leave what a run let them follow, and nothing else.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """

    @activity.defn
    @abstractmethod
    async def undo_add_feed(self, request: UndoneBy) -> StepUndone:
        """Forget the feed that a run added, unless somebody follows it by now.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """


class ImportActivities(ABC):
    """Served on `TaskQueue.ORCHESTRATION`."""

    @activity.defn
    @abstractmethod
    async def follow_listed(self, request: FollowListed) -> ListedFollowed:
        """Follow the next lines of a stored list, and write down what came of each.

        A slice is followed whole or not at all; a line that the database refuses is an outcome. What
        is new is due at once, and polled as its hosts allow. A retry goes on with what still waits.

        Raises
        ------
        StoreUnavailableError
            Postgres did not answer. Retried.
        """
