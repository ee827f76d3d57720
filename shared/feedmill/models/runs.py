"""Workflow inputs, results and progress. Ids travel here, bodies never."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from feedmill.models.base import BrowserModel
from feedmill.models.outcomes import Reason


class EntriesPace(BrowserModel):
    """How many entries go the rest of the way at once, and for how long a run waits for their hosts."""

    slice_size: int = Field(default=10, ge=1, le=200, description="entries per activity")
    slices_in_flight: int = Field(default=4, ge=1, le=50)
    give_up_after_seconds: int = Field(
        default=3_600, ge=0, description="longest wait for a host before the rest is left for later"
    )


class IngestFeed(EntriesPace):
    """Take one feed the whole way: poll, fetch, distil."""

    feed_id: int


class FetchBatch(EntriesPace):
    """Take new entries, of any number of feeds, the rest of the way: fetch, distil."""

    entry_ids: tuple[int, ...]
    again_since: AwareDatetime | None = Field(
        default=None, description="also those that are no more new, unless fetched since then"
    )


class DistillBatch(EntriesPace):
    """Distil entries whose articles are stored."""

    entry_ids: tuple[int, ...]
    tenant: str = Field(default="", description="who shares the model fairly with others")
    interactive: bool = Field(default=False, description="whether somebody looks at the screen")


class JoinDomain(BrowserModel):
    """Entries that join the queue of their host."""

    entry_ids: tuple[int, ...]


class ServeDomain(BrowserModel):
    """Take the entries of one host the rest of the way, in order, for as long as that takes."""

    host: str
    entry_ids: tuple[int, ...] = Field(default=(), description="who waits already")
    needing_browser: tuple[int, ...] = Field(
        default=(), description="of these, whose pages are empty without their scripts"
    )
    slice_size: int = Field(default=10, ge=1, le=200)
    patience_seconds: int = Field(
        default=86_400, ge=0, description="a host that wants to be left alone for longer is"
    )
    most_waiting: int = Field(
        default=2_000, ge=1, description="who comes when so many wait is left for later"
    )
    slices: int = Field(default=200, ge=1, description="after so many a new history begins")
    progress: "EntriesProgress | None" = Field(default=None, description="of earlier histories")


class IngestAllFeeds(EntriesPace):
    """Poll every feed now, as far as politeness allows, and take what is new the rest of the way."""

    feeds_per_slice: int = Field(default=25, ge=1, le=250)
    feeds_per_history: int = Field(default=2_000, ge=1, description="then a new one begins")
    after_feed_id: int = Field(default=0, ge=0, description="where this history begins")
    asked_at: AwareDatetime | None = Field(default=None, description="when the first history began")
    progress: "AllFeedsProgress | None" = Field(default=None, description="of earlier histories")


class TendShard(BrowserModel):
    """Keep polling the feeds of one shard as they are due."""

    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1)
    rest_seconds: int = Field(
        default=300, ge=1, description="least time between two rounds, unless somebody wakes it"
    )
    longest_rest_seconds: int = Field(
        default=900, ge=1, description="after so long it looks whether something is due after all"
    )
    rounds: int = Field(
        default=200, ge=1, description="after so many a new run begins, with a new history"
    )
    paused: bool = Field(default=False, description="whether it waits for `resume`")


class RunStep(StrEnum):
    POLLING = "polling"
    WAITING = "waiting"
    FETCHING = "fetching"
    DISTILLING = "distilling"
    DONE = "done"


class EntriesProgress(BrowserModel):
    """How far some entries have come."""

    step: RunStep = RunStep.POLLING
    total: int = Field(default=0, ge=0, description="entries this run takes care of")
    fetched: int = Field(default=0, ge=0)
    unchanged: int = Field(default=0, ge=0, description="looked at again, and what they were")
    distilled: int = Field(default=0, ge=0)
    unavailable: int = Field(default=0, ge=0)
    undistillable: int = Field(default=0, ge=0)
    left: int = Field(default=0, ge=0, description="entries left where they stand, for a later run")
    handed_over: int = Field(
        default=0, ge=0, description="entries that the run of their own host goes on with"
    )
    waiting_until: AwareDatetime | None = None
    detail: str = Field(default="", description="one line for a person: what went wrong last")


class IngestionProgress(EntriesProgress):
    """How far one feed has come, for a person who waits."""

    feed_id: int
    reason: Reason | None = Field(default=None, description="why the feed itself gave nothing")
    found: tuple[str, ...] = Field(
        default=(),
        description="where the address was a page's: the feed that is followed, then its others",
    )


class FeedIngested(BrowserModel):
    """How a run ended. Its entries' stages are in the store."""

    progress: IngestionProgress


class BatchFetched(BrowserModel):
    """How a batch ended. Its entries' stages are in the store."""

    progress: EntriesProgress


class ShardProgress(BrowserModel):
    """What a shard's poller does, for an operator."""

    rounds: int = Field(default=0, ge=0, description="since this run began")
    polled: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)
    new_entries: int = Field(default=0, ge=0)
    pushes: int = Field(default=0, ge=0, description="what hubs sent")
    hubs_asked: int = Field(default=0, ge=0)
    resting_until: AwareDatetime | None = None
    paused: bool = False


class BatchDistilled(BrowserModel):
    """How a batch ended. Its entries' stages are in the store."""

    progress: EntriesProgress


class DomainServed(BrowserModel):
    """How the queue of a host ended."""

    progress: EntriesProgress


class AllFeedsProgress(BrowserModel):
    """How far polling every feed has come, for a person who waits."""

    step: RunStep = RunStep.POLLING
    total: int = Field(default=0, ge=0, description="feeds there are")
    polled: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)
    missing: int = Field(default=0, ge=0, description="removed meanwhile")
    left: int = Field(default=0, ge=0, description="feeds whose hosts want more time than we have")
    handed_over: int = Field(
        default=0, ge=0, description="entries that runs of their own go on with"
    )
    waiting_until: AwareDatetime | None = None
    detail: str = Field(default="", description="one line for a person: what went wrong last")


class AllFeedsIngested(BrowserModel):
    """How a run over every feed ended. Its entries go on by themselves."""

    progress: AllFeedsProgress


class RunDescription(BrowserModel):
    """What any run tells an operator, whatever it does."""

    workflow_type: str
    workflow_id: str
    run_id: str
    started_at: AwareDatetime
    attempt: int = 1
    history_events: int = Field(default=0, ge=0)
    history_bytes: int = Field(default=0, ge=0)
    continues_as_new_soon: bool = False
    is_known: bool = Field(default=True, description="False: asked by a name that it does not know")
    progress: str = Field(default="", description="as JSON, if it has any")
