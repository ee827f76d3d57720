"""Entries, the stages they pass, and what a fetch of one can answer."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason


class Stage(StrEnum):
    """Where an entry stands. The last three are ends: nothing waits for them."""

    NEW = "new"
    FETCHED = "fetched"
    DISTILLED = "distilled"
    UNAVAILABLE = "unavailable"
    UNDISTILLABLE = "undistillable"


class EntryToFetch(Model):
    """What a fetcher has to know of an entry."""

    id: int
    feed_id: int
    url: str | None = None
    title: str = ""
    teaser: str = ""
    stage: Stage = Stage.NEW
    reason: Reason | None = None
    detail: str = ""


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


class Content(Model):
    """The article behind an entry, clean enough to store and to show."""

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


class FetchEntries(Model):
    """Fetch the articles behind a slice of entries (tens)."""

    entry_ids: tuple[int, ...]


class ContentFetched(Model):
    outcome: Literal["fetched"] = "fetched"
    entry_id: int


class EntryDeferred(Model):
    """Not now: the host's next free slot, or the time it asked for, is `until`."""

    outcome: Literal["deferred"] = "deferred"
    entry_id: int
    until: AwareDatetime


class ContentUnavailable(Model):
    """A named dead end: this entry has no article for us."""

    outcome: Literal["unavailable"] = "unavailable"
    entry_id: int
    reason: Reason
    detail: str = ""


class EntryGone(Model):
    """The entry was removed while its fetch waited."""

    outcome: Literal["gone"] = "gone"
    entry_id: int


FetchOutcome = Annotated[
    ContentFetched | EntryDeferred | ContentUnavailable | EntryGone, Field(discriminator="outcome")
]


class EntriesFetched(Model):
    outcomes: tuple[FetchOutcome, ...]
