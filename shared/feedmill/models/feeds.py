"""Feeds, and what a poll of one can answer."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason


class Validators(Model):
    """What a server gave us to ask "changed since?" with, byte for byte."""

    etag: str | None = None
    last_modified: str | None = None
    url: str | None = Field(
        default=None, description="whose they are: no other address is ever sent them"
    )

    @property
    def usable(self) -> bool:
        """Whether there is anything to ask with."""
        return self.url is not None and (self.etag or self.last_modified) is not None


class Hub(Model):
    """Where a feed says it announces its news (WebSub)."""

    url: str
    topic: str = Field(description="the feed's own address, as the hub knows it")


class PollingHints(Model):
    """What a feed says about when it should be polled: RSS `ttl`, `sy:update*`, `skip*`."""

    interval_seconds: int = Field(default=0, ge=0, description="least time between two polls")
    skip_hours: tuple[int, ...] = Field(default=(), description="0 to 23, in UTC")
    skip_days: tuple[int, ...] = Field(default=(), description="0 is Monday, in UTC")


class Enclosure(Model):
    """A file that belongs to an entry: a podcast's episode, a video."""

    url: str
    media_type: str = ""
    size_bytes: int | None = None
    duration_seconds: int | None = None


class SnapshotEntry(Model):
    """One entry as a feed showed it, before we know whether it is new."""

    guid: str = Field(min_length=1)
    url: str | None = None
    title: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    teaser: str = Field(default="", description="the feed's own text for it, plain, shortened")
    image_url: str | None = None
    enclosures: tuple[Enclosure, ...] = ()


class FeedSnapshot(Model):
    """What one poll of a feed showed."""

    title: str = ""
    site_url: str | None = None
    entries: tuple[SnapshotEntry, ...] = ()
    hints: PollingHints = PollingHints()
    hub_url: str | None = Field(default=None, description="`rel=hub` of the document")
    self_url: str | None = Field(default=None, description="`rel=self` of the document")


class FeedToPoll(Model):
    """What a poller has to know of a feed."""

    id: int
    url: str
    validators: Validators = Validators()
    body_hash: str | None = None
    last_polled_at: AwareDatetime | None = None
    last_reason: Reason | None = None
    last_detail: str = ""
    failures: int = Field(default=0, ge=0, description="polls failed in a row")


class PollFeeds(Model):
    """Poll these feeds, unless they have been polled since `asked_at`.

    `asked_at` makes a retried activity one poll and not two.
    """

    feed_ids: tuple[int, ...]
    asked_at: AwareDatetime


class FeedPolled(Model):
    """The feed answered, with or without news."""

    outcome: Literal["polled"] = "polled"
    feed_id: int
    waiting_entry_ids: tuple[int, ...] = Field(
        default=(), description="entries of this feed that have not reached an end stage"
    )


class FeedDeferred(Model):
    """The host's next free slot is further away than a worker waits."""

    outcome: Literal["deferred"] = "deferred"
    feed_id: int
    until: AwareDatetime


class FeedFailed(Model):
    """The feed gave nothing this time; the store knows when to try again."""

    outcome: Literal["failed"] = "failed"
    feed_id: int
    reason: Reason
    detail: str = ""
    waiting_entry_ids: tuple[int, ...] = ()


class FeedMissing(Model):
    """The feed was removed while its poll waited."""

    outcome: Literal["missing"] = "missing"
    feed_id: int


PollOutcome = Annotated[
    FeedPolled | FeedDeferred | FeedFailed | FeedMissing, Field(discriminator="outcome")
]


class FeedsPolled(Model):
    outcomes: tuple[PollOutcome, ...]
