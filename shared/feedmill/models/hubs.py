"""Hubs that push the news of feeds (WebSub): what they promised, and what they sent."""

from enum import StrEnum

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model
from feedmill.models.feeds import Hub


class HubState(StrEnum):
    """How a feed stands with its hub. Only what is active is pushed."""

    ASKED = "asked"
    ACTIVE = "active"
    REFUSED = "refused"
    SILENT = "silent"
    LEAVING = "leaving"


class HubSubscription(Model):
    """A feed's news, asked of the hub that announces them."""

    feed_id: int
    hub_url: str
    topic_url: str
    token: str = Field(repr=False, description="the end of our callback's address")
    secret: str = Field(repr=False, description="the key of the hub's signatures")
    state: HubState = HubState.ASKED
    detail: str = Field(default="", description="why it is not active, or was not renewed")
    asked_at: AwareDatetime | None = None
    promised_until: AwareDatetime | None = Field(
        default=None, description="how long the hub pushes unless it is asked again"
    )
    renew_at: AwareDatetime = Field(description="when the hub is asked next, for whatever reason")
    last_push_at: AwareDatetime | None = None
    read_by: str | None = Field(default=None, description="under which name its last push was")
    failures: int = Field(default=0, ge=0, description="times asked since it confirmed last")
    missed: int = Field(
        default=0, ge=0, description="polls in a row that found news it kept silent about"
    )

    @property
    def hub(self) -> Hub:
        """Which hub was asked, and for what."""
        return Hub(url=self.hub_url, topic=self.topic_url)


class DueSubscription(HubSubscription):
    """A subscription whose hub is to be asked, beside what its feed says now."""

    offered: Hub | None = Field(default=None, description="None: the feed names no hub any more")


class Push(Model):
    """A body that a hub sent, as it came; its signature was right."""

    id: int
    feed_id: int
    content_type: str = ""
    body: bytes = Field(repr=False)
    received_at: AwareDatetime


class TendHubs(Model):
    """Ask hubs for the news of a shard's feeds, where that is due."""

    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1, description="how many the feeds are divided among")


class HubsTended(Model):
    """What asking hubs came to. Whether they confirm shows later."""

    asked: int = Field(default=0, ge=0, description="requests that hubs took")
    refused: int = Field(default=0, ge=0)
    left: int = Field(default=0, ge=0, description="feeds whose hubs are still to be asked now")


class TakePushes(Model):
    """Read what hubs have sent for a shard's feeds."""

    shard: int = Field(default=0, ge=0)
    shards: int = Field(default=1, ge=1)
    most_new_entries: int = Field(
        default=1_500, ge=1, description="once so many are new, the answer is given early"
    )


class PushesTaken(Model):
    """What hubs have sent, as entries."""

    taken: int = Field(default=0, ge=0)
    unreadable: int = Field(default=0, ge=0, description="of these: their feeds are polled instead")
    left: int = Field(default=0, ge=0, description="what is still to be read")
    new_entry_ids: tuple[int, ...] = ()
