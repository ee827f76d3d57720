"""What one poll of a feed can come to, before anything is written down."""

from datetime import timedelta

from pydantic import AwareDatetime

from feedmill.models.base import Model
from feedmill.models.feeds import FeedLink, FeedSnapshot, Hub, Rejected, Validators
from feedmill.models.outcomes import Reason


class Shown(Model):
    """The feed answered. `snapshot` is None when it shows what it showed before."""

    validators: Validators
    snapshot: FeedSnapshot | None = None
    body_hash: str | None = None
    fresh_for: timedelta | None = None
    moved_to: str | None = None
    hub: Hub | None = None


class Failed(Model):
    """The feed gave nothing.

    Attributes
    ----------
    wait
        How long the site asked to be left alone, if it did.
    with_body
        Whether a whole body was sent for nothing.
    rejected
        The validators of that body, if it had any: it need not be sent again.
    """

    reason: Reason
    detail: str = ""
    wait: timedelta | None = None
    with_body: bool = False
    rejected: Rejected | None = None


class Found(Model):
    """The address was a page's, and the feed is elsewhere: at `link`, where it showed this.

    Attributes
    ----------
    others
        What else the page names, the likeliest first.
    """

    link: FeedLink
    shown: Shown
    others: tuple[FeedLink, ...] = ()


class TurnedAway(Model):
    """The host asked for fewer requests: its feeds are asked again from `until` on."""

    until: AwareDatetime
    detail: str


class Postponed(Model):
    """Nothing was asked: the host has no slot before `until`."""

    until: AwareDatetime


Poll = Shown | Found | Failed | TurnedAway | Postponed
