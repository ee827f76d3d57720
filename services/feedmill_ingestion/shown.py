"""What a feed says, as its format gives it: nothing checked, nothing resolved but `xml:base`."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason

# Feeds of that many entries exist, as whole archives. Of more, the newest are surely not the last.
MOST_READ = 50_000


class Text(NamedTuple):
    """A piece of a feed, which is markup or means what it says."""

    text: str = ""
    is_markup: bool = True


NO_TEXT = Text()


class ShownFile(NamedTuple):
    """An enclosure, an attachment, a `media:content`."""

    url: str
    media_type: str = ""
    size: str = ""
    duration: str = ""


class ShownTranscript(NamedTuple):
    """A `podcast:transcript`."""

    url: str
    media_type: str = ""
    language: str = ""
    rel: str = ""


class ShownHints(NamedTuple):
    """When to poll: `ttl` in minutes, `sy:updatePeriod`, `skipHours`, `skipDays`."""

    ttl: str = ""
    period: str = ""
    frequency: str = ""
    hours: tuple[str, ...] = ()
    days: tuple[str, ...] = ()


NO_HINTS = ShownHints()


class ShownEntry(NamedTuple):
    guid: str = ""
    link: str = ""
    title: Text = NO_TEXT
    authors: tuple[str, ...] = ()
    # In the order of what they mean: published, else changed, else written.
    dates: tuple[datetime, ...] = ()
    texts: tuple[Text, ...] = ()
    files: tuple[ShownFile, ...] = ()
    # The most fitting one first.
    pictures: tuple[str, ...] = ()
    transcripts: tuple[ShownTranscript, ...] = ()
    video_id: str = ""


class ShownFeed(NamedTuple):
    title: Text = NO_TEXT
    link: str = ""
    entries: Sequence[ShownEntry] = ()
    hints: ShownHints = NO_HINTS
    hub: str = ""
    self_link: str = ""


class FeedUnreadable(Model):
    """The body gave no feed."""

    reason: Reason
    detail: str
