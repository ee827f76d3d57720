"""The short form of an article, and what a distillation can answer."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from feedmill.models.base import BrowserModel, Model
from feedmill.models.entries import ContentKind
from feedmill.models.outcomes import Reason


class Distiller(StrEnum):
    """Who wrote the summary."""

    MODEL = "model"
    EXTRACTIVE = "extractive"


class Recipe(Model):
    """How a distillate is made. Two recipes that could answer differently have different ids."""

    id: str = Field(description="hash of everything that makes a difference")
    name: str = Field(default="", description="what people choose it by")
    distiller: Distiller
    model: str
    prompt_version: str
    language: str | None = Field(
        default=None, description="of its summaries; None: each article's own"
    )


class RecipeChoice(Model):
    """What somebody who follows a feed wants its entries distilled with."""

    name: str = Field(default="", description="empty: what the workers are set to")
    language: str | None = None


class RecipeView(BrowserModel):
    """A recipe that workers can use now."""

    name: str
    distiller: Distiller
    model: str
    language: str | None = None


class RecipeList(BrowserModel):
    items: tuple[RecipeView, ...]


class Choice(BrowserModel):
    """What a reader has chosen where; nothing closer to a feed is chosen there."""

    recipe: str | None = Field(default=None, description="null: the one the workers are set to")
    language: str | None = Field(default=None, description="of summaries; null: the article's own")


class Passage(BrowserModel):
    """A part of the stored text: `text[start:end]`."""

    start: int = Field(ge=0, description="first character of the source passage in the stored text")
    end: int = Field(ge=0, description="one past its last character")


class KeyPoint(Passage):
    """One thing the article says, and where it says it."""

    text: str = Field(min_length=1, max_length=1_000)
    recited: bool = Field(
        default=False, description="the model cited other lines, which do not say it"
    )


class SummarySentence(BrowserModel):
    """A sentence of the summary, `summary[start:end]`, and where the article says it."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    sources: tuple[Passage, ...] = Field(
        default=(), description="empty: it was not found in the article, only nothing against it"
    )


class Distillate(Model):
    """The short form of an article, and how much it matters."""

    summary: str = Field(min_length=1, max_length=2_000)
    sentences: tuple[SummarySentence, ...] = Field(
        default=(), description="of the summary; none: nobody looked for them in the article"
    )
    key_points: tuple[KeyPoint, ...] = Field(default=(), max_length=7)
    topics: tuple[str, ...] = Field(default=(), max_length=12)
    relevance: float = Field(ge=0, le=1, description="0: noise, 1: must read")
    relevance_reason: str = Field(default="", max_length=300)
    language: str | None = None
    reading_minutes: int | None = Field(default=None, ge=1)
    article_start: int | None = Field(default=None, description="where the article itself begins")
    article_end: int | None = Field(default=None, description="one past its last character")
    calls: int = Field(default=0, ge=0)
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    cost_nanos: int | None = Field(
        default=0, ge=0, description="billionths of the price table's currency; None: not known"
    )


class ContentToDistill(Model):
    """What a distiller has to know of an entry."""

    entry_id: int
    feed_id: int
    kind: ContentKind = ContentKind.ARTICLE
    title: str
    text: str
    language: str | None = None
    content_hash: str
    withheld: str | None = Field(
        default=None, description="the sign by which its publisher keeps it from language models"
    )
    story: int | None = Field(default=None, description="the entry that told it first")


class DistillEntries(Model):
    """Distil a slice of entries (tens) whose content is stored."""

    entry_ids: tuple[int, ...]


class EntryDistilled(Model):
    outcome: Literal["distilled"] = "distilled"
    entry_id: int


class EntryUndistillable(Model):
    """A named dead end: this text has no distillate with this recipe."""

    outcome: Literal["undistillable"] = "undistillable"
    entry_id: int
    reason: Reason
    detail: str = ""


class DistillationDeferred(Model):
    """Today's budget is spent: the entry waits, as it is, until the next day begins."""

    outcome: Literal["deferred"] = "deferred"
    entry_id: int
    until: AwareDatetime


class DistillationSkipped(Model):
    """The entry is not at a stage that can be distilled: removed, or not fetched."""

    outcome: Literal["skipped"] = "skipped"
    entry_id: int


DistillOutcome = Annotated[
    EntryDistilled | EntryUndistillable | DistillationDeferred | DistillationSkipped,
    Field(discriminator="outcome"),
]


class EntriesDistilled(Model):
    outcomes: tuple[DistillOutcome, ...]
