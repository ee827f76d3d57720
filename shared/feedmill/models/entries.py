"""Entries, the stages they pass, and what a fetch of one can answer."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model
from feedmill.models.feeds import Enclosure, Transcript, Validators
from feedmill.models.outcomes import Reason

FROM_FEED = "feed"
"""How the name of an extractor begins that found the article in the feed itself."""


class Stage(StrEnum):
    """Where an entry stands. The last three are ends: nothing waits for them."""

    NEW = "new"
    FETCHED = "fetched"
    DISTILLED = "distilled"
    UNAVAILABLE = "unavailable"
    UNDISTILLABLE = "undistillable"


class ContentKind(StrEnum):
    """What the content of an entry is."""

    ARTICLE = "article"
    DOCUMENT = "document"
    VIDEO = "video"
    PODCAST = "podcast"


class EntryToFetch(Model):
    """What a fetcher has to know of an entry."""

    id: int
    feed_id: int
    url: str | None = None
    title: str = ""
    teaser: str = ""
    markup: str | None = Field(default=None, description="the feed's own text, not sanitised")
    image_url: str | None = None
    enclosures: tuple[Enclosure, ...] = ()
    transcripts: tuple[Transcript, ...] = ()
    video_id: str | None = Field(default=None, description="of the video on YouTube that it is")
    stage: Stage = Stage.NEW
    reason: Reason | None = None
    detail: str = ""
    tries: int = Field(default=0, ge=0, description="in a row that failed for a while only")
    next_try_at: AwareDatetime | None = None
    asked_at: AwareDatetime | None = Field(default=None, description="when the last try ended")
    whole_texts: int = Field(
        default=0,
        description="pages of its feed in a row that said no more than the feed; "
        "negative: that said more",
    )


class EntryStanding(Model):
    """Where an entry stands, and why it ended there if it did."""

    id: int
    stage: Stage
    reason: Reason | None = None
    detail: str = ""


class PageSign(StrEnum):
    """What a page turned out to be, instead of an article or besides."""

    PAYWALL = "paywall"
    CONSENT_WALL = "consent_wall"
    LOGIN_WALL = "login_wall"
    BLOCKED = "blocked"
    NOT_FOUND = "not_found"
    NEEDS_BROWSER = "needs_browser"
    UNFINISHED = "unfinished"
    """It goes on on pages that could not be had."""


class Content(Model):
    """The article behind an entry, clean enough to store and to show.

    Where the entry is a recording, that is its description, and its transcript after it.
    """

    kind: ContentKind = ContentKind.ARTICLE
    url: str = Field(description="where the page was found, after redirects")
    title: str = ""
    html: str = Field(description="sanitised: safe to show as it is")
    text: str = Field(description="plain; paragraphs are lines")
    word_count: int = Field(ge=0)
    language: str | None = Field(default=None, description="BCP 47, as the page says")
    image_url: str | None = None
    extractor: str = Field(description="which extractor, and its version")
    withheld: str | None = Field(
        default=None, description="the sign by which its publisher keeps it from language models"
    )
    byline: str = Field(default="", description="who wrote it, as the page says")
    site_name: str = ""
    published_at: AwareDatetime | None = Field(default=None, description="as the page says")
    modified_at: AwareDatetime | None = Field(default=None, description="as the page says")
    canonical_url: str | None = Field(default=None, description="where the page says it lives")
    reading_minutes: int = Field(default=0, ge=0, description="at least 1 if there is a word")
    signs: tuple[PageSign, ...] = ()
    transcript_start: int | None = Field(
        default=None, ge=0, description="where in `text` the transcript begins, if it has one"
    )
    transcript_reason: Reason | None = Field(
        default=None, description="why it has none, though its feed names one"
    )


class StoredContent(Model):
    """As much of a stored article as it takes to see whether it has changed, and to keep its transcript."""

    entry_id: int
    hash: str = Field(description="of its text")
    extractor: str
    validators: Validators = Validators()
    transcript: str = Field(default="", description="the end of the text, if that is one")
    transcript_reason: Reason | None = None
    language: str | None = None
    withheld: str | None = None


class KeptPage(Model):
    """A page as it came, kept to find its article again without asking for it."""

    entry_id: int
    url: str = Field(description="where it was found, after redirects")
    media_type: str = ""
    charset: str | None = Field(default=None, description="as its HTTP header named it")
    withheld: str | None = Field(
        default=None, description="the sign beside the page that keeps it from language models"
    )
    moved_to: str | None = Field(default=None, description="where it lives, by its redirects")
    body: bytes = Field(description="compressed", repr=False)


class FetchEntries(Model):
    """Fetch the articles behind a slice of entries (tens)."""

    entry_ids: tuple[int, ...]
    again_since: AwareDatetime | None = Field(
        default=None,
        description="look again at what has an end already, unless it was asked for since then",
    )


class ContentFetched(Model):
    outcome: Literal["fetched"] = "fetched"
    entry_id: int
    transcript_reason: Reason | None = Field(
        default=None, description="why there is no transcript, though its feed names one"
    )


class ContentUnchanged(Model):
    """The page was looked at again, and the text is what it was."""

    outcome: Literal["unchanged"] = "unchanged"
    entry_id: int


class EntryDeferred(Model):
    """Not now: the host's next free slot, the time it asked for, or the next try is `until`."""

    outcome: Literal["deferred"] = "deferred"
    entry_id: int
    until: AwareDatetime
    reason: Reason | None = Field(
        default=None, description="why the last try failed; None: its host's turn has not come"
    )
    detail: str = ""


class ContentUnavailable(Model):
    """A named dead end: this entry has no article for us."""

    outcome: Literal["unavailable"] = "unavailable"
    entry_id: int
    reason: Reason
    detail: str = ""


class EntryNeedsBrowser(Model):
    """The page is empty without its scripts: the pool that has a browser is to look at it."""

    outcome: Literal["needs_browser"] = "needs_browser"
    entry_id: int


class EntryGone(Model):
    """The entry was removed while its fetch waited."""

    outcome: Literal["gone"] = "gone"
    entry_id: int


FetchOutcome = Annotated[
    ContentFetched
    | ContentUnchanged
    | EntryDeferred
    | EntryNeedsBrowser
    | ContentUnavailable
    | EntryGone,
    Field(discriminator="outcome"),
]


class EntriesFetched(Model):
    outcomes: tuple[FetchOutcome, ...]
