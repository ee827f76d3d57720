"""Feeds that name a hub, and how they stand with it."""

from collections.abc import Sequence

from feedmill.models.hubs import HubSubscription
from feedmill.store import Store

HUB = "https://hub.example/"
FEED = "https://a.example/feed"


async def add_announced(
    store: Store, url: str = FEED, *, hub: str = HUB, topic: str | None = None
) -> int:
    """Add a feed that a poll found to name a hub."""
    async with store.transaction() as tx:
        feed_id = await tx.feeds.add(url)
    await announce(store, feed_id, hub, topic or url)
    return feed_id


async def announce(
    store: Store, feed_id: int, hub: str | None, topic: str | None, **known: object
) -> None:
    """Let a feed name a hub from now on, or none."""
    async with store.transaction() as tx:
        feed = (await tx.feeds.get([feed_id]))[feed_id]
        said = {"hub_url": hub, "topic_url": topic, **known}
        await tx.feeds.keep([feed.model_copy(update=said)])
        await tx.websub.reconsider([feed_id])


async def subscription(store: Store, feed_id: int) -> HubSubscription | None:
    """Return how a feed stands with its hub; None if it has none."""
    async with store.transaction() as tx:
        return (await tx.websub.lock([feed_id])).get(feed_id)


async def standing(store: Store, feed_id: int) -> HubSubscription:
    """Return how a feed stands with the hub that it certainly has asked."""
    found = await subscription(store, feed_id)
    assert found is not None
    return found


async def stands(store: Store, feed_ids: Sequence[int], **known: object) -> None:
    """Say how feeds stand with their hubs."""
    async with store.transaction() as tx:
        found = await tx.websub.lock(feed_ids)
        await tx.websub.keep(each.model_copy(update=known) for each in found.values())
