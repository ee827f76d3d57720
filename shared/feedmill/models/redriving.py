"""Entries at dead ends, and taking them back to where work goes on."""

from pydantic import Field

from feedmill.models.base import BrowserModel, Model
from feedmill.models.entries import Stage
from feedmill.models.outcomes import Reason


class DeadEnd(BrowserModel):
    """How many entries have ended at a stage for a reason."""

    stage: Stage
    reason: Reason | None = None
    entries: int = Field(ge=0)


class WhichEnded(BrowserModel):
    """Of which feed or host; of all, if nothing is said."""

    feed_id: int | None = None
    host: str | None = Field(default=None, description="of the entries' pages, in lower case")


class CountDeadEnds(WhichEnded):
    """Count entries at dead ends."""


class DeadEndsCounted(Model):
    ends: tuple[DeadEnd, ...] = Field(default=(), description="the most entries first")


class RedriveSlice(WhichEnded):
    """Take the next entries that ended for a reason back, by number."""

    reason: Reason
    batch: str = Field(description="whose runs take care of them from now on")
    after_entry_id: int = Field(default=0, ge=0)
    limit: int = Field(ge=1)


class SliceRedriven(Model):
    """Who was taken back, by the stage where they stand now."""

    new_entry_ids: tuple[int, ...] = ()
    fetched_entry_ids: tuple[int, ...] = ()

    @property
    def entry_ids(self) -> tuple[int, ...]:
        """All of them, in order."""
        return tuple(sorted((*self.new_entry_ids, *self.fetched_entry_ids)))


class RedriveEnded(WhichEnded):
    """Take entries that ended for a reason back; without one, say which there are."""

    reason: Reason | None = None
    most: int = Field(default=1_000, ge=1, le=10_000)
    is_dry_run: bool = False


class RedriveProgress(BrowserModel):
    """How far a redrive has come."""

    ends: tuple[DeadEnd, ...] = Field(default=(), description="as they stood when it began")
    to_fetch: int = Field(default=0, ge=0, description="taken back to be fetched")
    to_distill: int = Field(default=0, ge=0, description="taken back to be distilled")


class EndedRedriven(BrowserModel):
    """How a redrive ended."""

    progress: RedriveProgress
