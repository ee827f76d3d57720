"""What a reader is shown: one shape for the REST API, the pages and our own commands."""

import base64
from enum import StrEnum
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter

from feedmill.models.base import BrowserModel, Model
from feedmill.models.distillates import Distiller, KeyPoint, SummarySentence
from feedmill.models.entries import ContentKind, Stage
from feedmill.models.outcomes import Reason
from feedmill.models.reextraction import ReextractionProgress
from feedmill.models.runs import IngestionProgress

MAX_ID = 2**53 - 1
"""The largest number that JavaScript holds exactly; no id is ever larger."""


def web_only(url: object) -> object:
    """Return a URL that a browser may follow, None for `javascript:` and its like."""
    is_web = isinstance(url, str) and url.lower().startswith(("http://", "https://"))
    return url if is_web else None


WebUrl = Annotated[str | None, BeforeValidator(web_only)]


class StageCounts(BrowserModel):
    """How many entries of a feed stand at each stage."""

    new: int = 0
    fetched: int = 0
    distilled: int = 0
    unavailable: int = 0
    undistillable: int = 0


class FeedHealth(StrEnum):
    """How a feed is doing, in a word."""

    NEW = "new"
    GOOD = "good"
    BUSY = "busy"
    FAILING = "failing"
    DEAD = "dead"
    RETIRED = "retired"


class FeedView(BrowserModel):
    """A feed that a user follows, and how it is doing."""

    id: int
    url: str
    title: str = Field(default="", description="what you call it, else what it calls itself")
    category: tuple[str, ...] = Field(default=(), description="names, outermost first")
    recipe: str | None = Field(default=None, description="null: the category's, or yours")
    site_url: WebUrl = None
    added_at: AwareDatetime
    health: FeedHealth = Field(
        default=FeedHealth.NEW,
        description="busy: its host asked for time; dead: failing for two weeks, polled weekly; "
        "retired: gone for good by its own account, polled only when somebody asks",
    )
    last_polled_at: AwareDatetime | None = None
    last_success_at: AwareDatetime | None = None
    next_poll_at: AwareDatetime | None = None
    pushed: bool = Field(
        default=False, description="whether a hub sends its news; it is polled daily all the same"
    )
    failing_since: AwareDatetime | None = None
    failures: int = Field(default=0, description="polls failed in a row")
    moved_to: WebUrl = Field(default=None, description="where it says it lives, not believed yet")
    reason: Reason | None = Field(default=None, description="why the last poll gave nothing")
    detail: str = ""
    advice: str | None = Field(default=None, description="what a person can do about it")
    entries: int = 0
    waiting: int = Field(default=0, description="entries that have not reached an end stage")
    stages: StageCounts = StageCounts()


class FeedList(BrowserModel):
    items: tuple[FeedView, ...]


class AlsoIn(BrowserModel):
    """Another entry of a followed feed that tells the same story."""

    entry_id: int
    feed_id: int
    feed_title: str = ""
    url: WebUrl = None


class EntryView(BrowserModel):
    """An entry in a list: what it is, its short form, or why it has none."""

    id: int
    feed_id: int
    feed_title: str = ""
    url: WebUrl = None
    title: str = ""
    author: str | None = None
    published_at: AwareDatetime | None = None
    added_at: AwareDatetime
    teaser: str = Field(default="", description="the feed's own text for it, plain")
    stage: Stage
    reason: Reason | None = Field(default=None, description="why it ended where it stands")
    advice: str | None = Field(default=None, description="what a person can do about it")
    detail: str = ""
    summary: str | None = None
    sentences: tuple[SummarySentence, ...] = Field(
        default=(), description="where the article says what the summary says"
    )
    key_points: tuple[KeyPoint, ...] = ()
    also_in: tuple[AlsoIn, ...] = Field(
        default=(), description="where the same story stands too; lists show it once"
    )
    topics: tuple[str, ...] = ()
    relevance: float | None = Field(default=None, description="0: noise, 1: must read")
    relevance_reason: str = ""
    reading_minutes: int | None = None
    article_start: int | None = Field(
        default=None, description="where the article itself begins in `text`"
    )
    article_end: int | None = None
    recipe: str | None = None
    distiller: Distiller | None = None
    model: str | None = None
    kind: ContentKind | None = Field(default=None, description="null until it is fetched")
    word_count: int | None = None
    image_url: WebUrl = None
    withheld: str | None = Field(
        default=None, description="the sign by which its publisher keeps it from language models"
    )


class EnclosureView(BrowserModel):
    """A file that the feed gives with an entry: an episode's recording, a picture."""

    url: WebUrl = None
    media_type: str = Field(default="", description="as the feed says")
    size_bytes: int | None = None
    duration_seconds: int | None = None


class EntryDetail(EntryView):
    """An entry with its article. Passages count Unicode characters of `text`."""

    html: str | None = Field(default=None, description="sanitised")
    text: str | None = None
    transcript_start: int | None = Field(
        default=None, description="where in `text` the transcript begins, if it has one"
    )
    transcript_reason: Reason | None = Field(
        default=None, description="why it has none, though its feed names one"
    )
    enclosures: tuple[EnclosureView, ...] = ()


class EntryPosition(Model):
    """Where an entry stands in a list that shows the newest first."""

    at: AwareDatetime
    id: int = Field(ge=1, le=MAX_ID)

    def encode(self) -> str:
        """Return it as an opaque text for URLs."""
        return base64.urlsafe_b64encode(f"{self.id} {self.at.isoformat()}".encode()).decode()

    @classmethod
    def decode(cls, text: str) -> "EntryPosition":
        """Read what `encode` returned.

        Raises
        ------
        ValueError
            It is something else.
        """
        try:
            plain = base64.b64decode(text.encode(), altchars=b"-_", validate=True).decode()
            number, _, at = plain.partition(" ")
            return cls(id=int(number), at=_TIME.validate_python(at))
        # Base64, UTF-8, the number and the time complain with subclasses of it.
        except ValueError as error:
            raise ValueError("no position that a list of entries gave") from error


_TIME = TypeAdapter(AwareDatetime)


class EntryPage(BrowserModel):
    items: tuple[EntryView, ...]
    next: str | None = Field(
        default=None, description="ask for `before=<next>` to go on; null at the end"
    )


class RunStatus(StrEnum):
    """How a run stands. Only `running` is no end."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


class RunStarted(BrowserModel):
    workflow_id: str
    run_id: str
    href: str = Field(description="where its progress is")


class RunView(BrowserModel):
    """One run of a workflow that a person may wait for."""

    workflow_id: str
    run_id: str
    href: str
    feed_id: int | None = Field(
        default=None, description="null while an address is none that is followed yet"
    )
    about: str = Field(default="", description="its address or title, in a line; empty in lists")
    status: RunStatus
    started_at: AwareDatetime
    closed_at: AwareDatetime | None = None
    progress: IngestionProgress | None = Field(
        default=None, description="null in lists, and while nobody can tell"
    )
    detail: str = Field(default="", description="why it failed")


class RunList(BrowserModel):
    items: tuple[RunView, ...]


class RunFinished(BrowserModel):
    """The last message of a run's stream."""

    workflow_id: str
    run_id: str
    status: RunStatus
    progress: IngestionProgress | None = None


class FeedAdded(BrowserModel):
    """A feed that is followed from now on, and the run that reads it."""

    feed: FeedView | None = Field(
        default=None,
        description="null when it was no feed after all, or following it takes long: the run tells",
    )
    run: RunStarted


class FeedRefreshing(BrowserModel):
    run: RunStarted


class EntryRefetching(BrowserModel):
    run: RunStarted


class ReextractionView(BrowserModel):
    """A reextraction, and how far it has come."""

    workflow_id: str
    run_id: str
    href: str = Field(description="where its progress is")
    status: RunStatus
    progress: ReextractionProgress | None = Field(
        default=None, description="null while no worker can tell"
    )
    detail: str = Field(default="", description="why it failed")


class RequestError(BrowserModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="dotted path, beginning with path, query, header or body")
    message: str


class Problem(BrowserModel):
    """What went wrong (RFC 9457), and what a person can do about it."""

    type: str
    title: str
    status: int
    detail: str
    reason: Reason | None = None
    advice: str | None = None
    errors: tuple[RequestError, ...] = ()
