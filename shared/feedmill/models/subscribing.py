"""Following feeds durably: one by one, each step undone if a later one fails, or a whole list."""

from enum import StrEnum

from pydantic import Field

from feedmill.models.base import BrowserModel, Model
from feedmill.models.outcomes import Reason
from feedmill.models.runs import IngestionProgress

NO_FEED = frozenset(
    {
        Reason.NOT_HTTP,
        Reason.HOST_UNKNOWN,
        Reason.ADDRESS_FORBIDDEN,
        Reason.NOT_FOUND,
        Reason.GONE,
        Reason.NOT_A_FEED,
        Reason.UNSUPPORTED_TYPE,
    }
)
"""A first poll that ends so has found no feed: whatever was begun is undone."""


class SubscribeStep(StrEnum):
    VALIDATING = "validating"
    ADDING = "adding"
    SUBSCRIBING = "subscribing"
    INGESTING = "ingesting"
    UNDOING = "undoing"
    DONE = "done"


class SubscribeToFeed(BrowserModel):
    """Let a user follow what is at an address, if it is a feed."""

    user_id: int
    url: str


class SubscribeProgress(BrowserModel):
    """How far it has come, and what was undone."""

    step: SubscribeStep = SubscribeStep.VALIDATING
    feed_id: int | None = None
    undone: tuple[SubscribeStep, ...] = Field(default=(), description="steps, last one first")


class FollowingBegun(BrowserModel):
    """What whoever asked waits for: the feed is followed and read, or there is a reason why not."""

    feed_id: int | None = None
    ingestion_run_id: str | None = Field(
        default=None, description="of the run that reads it; null: of one that did so already"
    )
    reason: Reason | None = None
    detail: str = ""


class FeedSubscribed(BrowserModel):
    """How it ended: with a feed, or with the reason why there is none and nothing was changed."""

    feed_id: int | None = None
    reason: Reason | None = None
    detail: str = ""
    undone: tuple[SubscribeStep, ...] = ()
    ingested: IngestionProgress | None = Field(
        default=None, description="null: another run's business"
    )


class ValidateFeed(Model):
    url: str


class FeedValidated(Model):
    """The address as it is kept, or why it is none that is asked."""

    url: str
    reason: Reason | None = None
    detail: str = ""


class AddFeed(Model):
    """Know a feed; `by` is the run that wants it, and may want to undo that."""

    url: str
    by: str


class FeedAddedBy(Model):
    feed_id: int


class FollowFeed(Model):
    user_id: int
    feed_id: int
    by: str


class UndoneBy(Model):
    """Undo whatever a run has done for a user at one of its steps, and nothing else."""

    user_id: int
    by: str


class StepUndone(Model):
    changed: bool = Field(description="whether there was something to undo")


class FeedFollowed(Model):
    new: bool = Field(description="False: they followed it already")
