"""What keeps the fleet whole by itself: shards that run, stages that move, old entries that go."""

from pydantic import Field

from feedmill.models.base import Model


class SelectFeeds(Model):
    """Name the feeds after a given one, by number."""

    after_feed_id: int = Field(default=0, ge=0)
    limit: int = Field(default=2_000, ge=1)


class FeedsSelected(Model):
    feed_ids: tuple[int, ...] = ()
    total: int = Field(default=0, ge=0, description="feeds there are, these among them")


class JoinDomains(Model):
    """Let the entries of every host that has a queue wait in that host's own run."""

    entry_ids: tuple[int, ...]
    least: int = Field(default=3, ge=1, description="so many entries of a host make a queue")


class DomainsJoined(Model):
    entry_ids: tuple[int, ...] = Field(default=(), description="who waits there from now on")


class KeepShards(Model):
    """Let every shard's poller run."""

    shards: int = Field(default=1, ge=1)


class ShardsKept(Model):
    running: int = Field(default=0, ge=0, description="ran already")
    started: int = Field(default=0, ge=0)


class PickUpStalled(Model):
    """Find entries that have stood still for too long and that no run takes care of; make them a batch's."""

    batch: str = Field(description="whose runs take care of them from now on")
    stalled_after_seconds: int = Field(ge=1)
    most: int = Field(ge=1)


class StalledPickedUp(Model):
    """Who was picked up, by stage, and how many stand still besides."""

    new_entry_ids: tuple[int, ...] = ()
    fetched_entry_ids: tuple[int, ...] = ()
    left: int = Field(default=0, ge=0)


class RepairStages(Model):
    """Pick up whatever has stalled.

    A run takes care of an entry for three hours at the most: an hour of waiting for hosts, one of
    patience with a fetch and one with a distillation. Who has stood still for longer has none.
    """

    stalled_after_seconds: int = Field(default=4 * 3_600, ge=1)
    most: int = Field(default=500, ge=1, le=2_000, description="entries picked up per run")


class StagesRepaired(Model):
    picked_up: int = Field(default=0, ge=0)
    left: int = Field(default=0, ge=0, description="stand still besides: the next run's")


class PruneSlice(Model):
    """Forget what is old among the entries that come next, by number."""

    keep_days: int = Field(ge=1)
    keep_newest: int = Field(ge=0)
    after_entry_id: int = Field(default=0, ge=0)
    limit: int = Field(default=500, ge=1)


class SlicePruned(Model):
    pruned: int = Field(default=0, ge=0)
    next_after: int | None = Field(default=None, description="where to go on; None: all was seen")


class ForgetOld(Model):
    """Forget entries that came long ago, and remember that they were there.

    Of each feed the newest stay: by them it is seen whether what it shows is new.
    """

    keep_days: int = Field(default=0, ge=0, description="0: for ever")
    keep_newest: int = Field(default=100, ge=0, description="of each feed, however old they are")
    after_entry_id: int = Field(default=0, ge=0, description="where this history begins")
    slices: int = Field(default=500, ge=1, description="after so many a new history begins")
    pruned: int = Field(default=0, ge=0, description="by earlier histories")


class OldForgotten(Model):
    pruned: int = Field(default=0, ge=0)
