"""What a reader may care about, as numbered rows that browsers receive."""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import AwareDatetime

from feedmill.models.base import BrowserModel, Model


class EventKind(StrEnum):
    FEED_ADDED = "feed.added"
    FEED_REMOVED = "feed.removed"
    FEED_POLLED = "feed.polled"
    FEED_FAILED = "feed.failed"
    FEED_MOVED = "feed.moved"
    FEED_RETIRED = "feed.retired"
    ENTRY_ADDED = "entry.added"
    ENTRY_FETCHED = "entry.fetched"
    ENTRY_UNAVAILABLE = "entry.unavailable"
    ENTRY_DISTILLED = "entry.distilled"
    ENTRY_UNDISTILLABLE = "entry.undistillable"
    ENTRY_REDRIVEN = "entry.redriven"


class RunRef(Model):
    """One execution of a workflow."""

    workflow_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event about to be appended, in the transaction of what it reports.

    No model: a poll can make hundreds, and all of it is our own.

    Attributes
    ----------
    detail
        One line for a person; a Reason where it failed.
    """

    kind: EventKind
    feed_id: int | None = None
    entry_id: int | None = None
    run: RunRef | None = None
    detail: str = ""


class Event(BrowserModel):
    """An event as it stands in the store. `id` is its number: it only grows."""

    id: int
    kind: EventKind
    at: AwareDatetime
    feed_id: int | None = None
    entry_id: int | None = None
    workflow_id: str | None = None
    run_id: str | None = None
    detail: str = ""
