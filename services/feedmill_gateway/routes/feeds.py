from http import HTTPStatus

from fastapi import APIRouter

from feedmill.models.reader import FeedAdded, FeedList, FeedRefreshing, FeedView
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import (
    FeedId,
    NetworksDep,
    RunsDep,
    StoreDep,
    SubscriptionsDep,
)
from feedmill_gateway.following import change_feed, follow_feed, leave_feed, refresh_feed
from feedmill_gateway.queries import FeedChange, NewFeed

router = APIRouter(prefix="/api/v1/feeds", tags=["feeds"])


@router.post("", status_code=HTTPStatus.ACCEPTED, summary="Follow a feed")
async def add_feed(
    body: NewFeed,
    user: UserDep,
    store: StoreDep,
    subscriptions: SubscriptionsDep,
    networks: NetworksDep,
) -> FeedAdded:
    """Follow the feed at a URL, and poll, fetch and distil it at once.

    Following it again changes nothing, and joins the run under way. A URL that Feedmill does not
    ask is refused with the reason and what can be done about it. Where the first poll finds no feed,
    the run says why, and what was begun is undone; a feed that is only away is followed.
    """
    return await follow_feed(body.url, user, store, subscriptions, networks)


@router.get("", summary="List the feeds you follow")
async def list_feeds(user: UserDep, store: StoreDep) -> FeedList:
    """Return every feed you follow by title, with how it is doing and how many entries it has."""
    async with store.transaction() as tx:
        return FeedList(items=tuple(await tx.reader.feeds(user)))


@router.get("/{feed_id}", summary="Show a feed")
async def show_feed(feed_id: FeedId, user: UserDep, store: StoreDep) -> FeedView:
    """Return one feed you follow."""
    async with store.transaction() as tx:
        return await tx.reader.feed(user, feed_id)


@router.patch("/{feed_id}", summary="Rename a feed or move it")
async def change(feed_id: FeedId, body: FeedChange, user: UserDep, store: StoreDep) -> FeedView:
    """Call a feed what you like, and keep it in a category, which is made where it is missing.

    An empty title is what the feed calls itself; an empty category is none.
    """
    return await change_feed(feed_id, body, user, store)


@router.delete("/{feed_id}", status_code=HTTPStatus.NO_CONTENT, summary="Stop following a feed")
async def remove_feed(feed_id: FeedId, user: UserDep, store: StoreDep) -> None:
    """Stop following a feed. What nobody follows is forgotten, with all its entries."""
    await leave_feed(feed_id, user, store)


@router.post("/{feed_id}/refresh", status_code=HTTPStatus.ACCEPTED, summary="Refresh a feed")
async def refresh(feed_id: FeedId, user: UserDep, store: StoreDep, runs: RunsDep) -> FeedRefreshing:
    """Poll, fetch and distil a feed now, or join the run that does so already."""
    return FeedRefreshing(run=await refresh_feed(feed_id, user, store, runs))
