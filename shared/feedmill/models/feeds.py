"""Feeds, and what a poll of one can answer."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason

DEAD_AFTER = timedelta(days=14)
"""A feed that has failed for so long is dead: looked at now and then, in case it is not."""


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


class Transcript(Model):
    """Where the words of an episode are written down, by its feed (podcasting 2.0)."""

    url: str
    media_type: str = ""
    language: str | None = Field(default=None, description="BCP 47")
    is_captions: bool = Field(default=False, description="short lines, with their times")


class SnapshotEntry(Model):
    """One entry as a feed showed it, before we know whether it is new."""

    guid: str = Field(min_length=1)
    url: str | None = None
    title: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    teaser: str = Field(default="", description="the feed's own text for it, plain, shortened")
    markup: str | None = Field(
        default=None, description="the same whole and as it came, where it may be the article"
    )
    image_url: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    video_id: str | None = Field(default=None, description="of the video on YouTube that it is")


class KnownEntry(Model):
    """As much of a stored entry as it takes to know it again."""

    guid: str
    url: str | None = None
    title: str = ""
    published_at: AwareDatetime | None = None
    teaser: str = ""


class FeedSnapshot(Model):
    """What one poll of a feed showed."""

    title: str = ""
    site_url: str | None = None
    entries: tuple[SnapshotEntry, ...] = ()
    hints: PollingHints = PollingHints()
    hub_url: str | None = Field(default=None, description="`rel=hub` of the document")
    self_url: str | None = Field(default=None, description="`rel=self` of the document")


class Rejected(Model):
    """A body that could not be read, by what it is asked for again: "is it still that one?"."""

    validators: Validators
    parser: str = Field(description="which release of our parser could not; a later one might")


class FeedLink(Model):
    """Where a feed is said to be, by a page or by a rule; nobody has asked there yet."""

    url: str
    title: str = Field(default="", description="what it is called there, plain and short")
    media_type: str = Field(default="", description="what it is said to be; often wrong, or empty")


class Feed(Model):
    """Everything a poller has to know of a feed, and may change."""

    id: int
    url: str
    title: str = ""
    site_url: str | None = None
    validators: Validators = Validators()
    rejected: Rejected | None = None
    body_hash: str | None = None
    last_polled_at: AwareDatetime | None = None
    last_success_at: AwareDatetime | None = None
    next_poll_at: AwareDatetime | None = Field(
        default=None, description="None: only when somebody asks for it"
    )
    last_reason: Reason | None = None
    last_detail: str = ""
    failures: int = Field(default=0, ge=0, description="polls failed in a row")
    failing_since: AwareDatetime | None = None
    entries_per_week: float | None = None
    newest_entry_at: AwareDatetime | None = None
    hints: PollingHints = PollingHints()
    moved_to: str | None = Field(default=None, description="where it says it lives from now on")
    moved_since: AwareDatetime | None = None
    moved_polls: int = Field(default=0, ge=0, description="polls in a row that said so")
    gone_since: AwareDatetime | None = None
    retired_at: AwareDatetime | None = None
    hub_url: str | None = None
    topic_url: str | None = None

    @property
    def announcement(self) -> Hub | None:
        """Which hub is to push its news, and as what; None if none is."""
        if self.hub_url is None or self.topic_url is None or self.retired_at is not None:
            return None
        return Hub(url=self.hub_url, topic=self.topic_url)


class FeedToPoll(Feed):
    """A feed whose poll is ours now, and for whom it is."""

    subscribers: int = 0
    pushed: bool = Field(default=False, description="whether a hub sends us its news")


class PollFeeds(Model):
    """Poll these feeds, unless they have been polled since `asked_at`.

    `asked_at` makes a retried activity one poll and not two.
    """

    feed_ids: tuple[int, ...]
    asked_at: AwareDatetime


class FeedPolled(Model):
    """The feed answered, with or without news.

    `feed_id` is another than asked for where the address was that of a page whose feed somebody
    follows already.
    """

    outcome: Literal["polled"] = "polled"
    feed_id: int
    found: tuple[FeedLink, ...] = Field(
        default=(), description="the feeds of the page that was named: this one, then the others"
    )
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


class PollDueFeeds(Model):
    """Poll the feeds of one shard that are due, until none is or `seconds` have passed."""

    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1, description="how many the feeds are divided among")
    seconds: int = Field(default=300, ge=1)
    most_new_entries: int = Field(
        default=1_500, ge=1, description="once so many are new, the answer is given early"
    )


class DueFeedsPolled(Model):
    """What a round over the due feeds came to."""

    polled: int = Field(default=0, ge=0, description="feeds that were asked")
    failed: int = Field(default=0, ge=0, description="of these: gave nothing")
    new_entry_ids: tuple[int, ...] = ()
    next_due_at: AwareDatetime | None = Field(
        default=None, description="when the shard's next feed is due; None when it has none"
    )
    hubs_to_tend: int = Field(default=0, ge=0, description="feeds whose hubs are to be asked")
    pushes_waiting: int = Field(default=0, ge=0, description="what hubs sent and nobody read yet")
