"""Workflow inputs, results and progress. Ids travel here, bodies never."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from feedmill.models.base import BrowserModel
from feedmill.models.outcomes import Reason


class IngestFeed(BrowserModel):
    """Take one feed the whole way: poll, fetch, distil."""

    feed_id: int
    slice_size: int = Field(default=10, ge=1, le=200, description="entries per activity")
    slices_in_flight: int = Field(default=4, ge=1, le=50)
    give_up_after_seconds: int = Field(
        default=3_600, ge=0, description="longest wait for a host before the rest is left for later"
    )


class RunStep(StrEnum):
    POLLING = "polling"
    WAITING = "waiting"
    FETCHING = "fetching"
    DISTILLING = "distilling"
    DONE = "done"


class IngestionProgress(BrowserModel):
    """How far one feed has come, for a person who waits."""

    feed_id: int
    step: RunStep = RunStep.POLLING
    total: int = Field(default=0, ge=0, description="entries this run takes care of")
    fetched: int = Field(default=0, ge=0)
    distilled: int = Field(default=0, ge=0)
    unavailable: int = Field(default=0, ge=0)
    undistillable: int = Field(default=0, ge=0)
    left: int = Field(default=0, ge=0, description="entries left where they stand, for a later run")
    waiting_until: AwareDatetime | None = None
    reason: Reason | None = Field(default=None, description="why the feed itself gave nothing")
    detail: str = Field(default="", description="one line for a person: what went wrong last")


class FeedIngested(BrowserModel):
    """How a run ended. Its entries' stages are in the store."""

    progress: IngestionProgress
