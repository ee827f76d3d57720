"""What the store says of the fleet as a whole: numbers for those who watch it."""

from datetime import timedelta

from pydantic import Field

from feedmill.models.base import Model
from feedmill.models.entries import Stage
from feedmill.models.reader import FeedHealth


class Waiting(Model):
    """Entries that stand at a stage which is no end."""

    stage: Stage
    entries: int
    oldest: timedelta = Field(description="age of the one that was seen first")


class FleetFigures(Model):
    """How feeds and entries stand at one moment."""

    feeds: dict[FeedHealth, int]
    overdue: timedelta = Field(description="how late the poll is that should have been first")
    waiting: tuple[Waiting, ...]


class Readable(Model):
    """An entry that became readable, and how long that took.

    Attributes
    ----------
    since_published
        None where it was published before its feed was followed, or nobody says when.
    """

    event_id: int
    since_seen: timedelta
    since_published: timedelta | None = None
