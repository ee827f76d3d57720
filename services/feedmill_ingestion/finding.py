"""The feed of a page that somebody named instead of a feed."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.feeds import FeedLink, FeedToPoll, Validators
from feedmill.web.answers import Answer
from feedmill.web.client import Admission
from feedmill.web.governor import Governor
from feedmill_ingestion.discovery import find_feeds
from feedmill_ingestion.discovery_hosts import known_feeds
from feedmill_ingestion.discovery_looks import likely_paths
from feedmill_ingestion.polls import Found, Poll, Postponed, Shown, TurnedAway

_FINDER_SECONDS = 10
# What a page names is right or it is not; the paths that sites usually have are guesses.
_MOST_NAMED = 3
# A page that has named no feed so often names none tomorrow.
_MOST_SEARCHES = 2


class AsksOnce(Protocol):
    """Makes one request for a feed at its address."""

    async def __call__(self, feed: FeedToPoll, admit: Admission) -> Poll: ...


class Finder:
    """Looks for the feed of a page: where its host keeps feeds, what it names, where they usually are."""

    def __init__(self, governor: Governor, parsers: IsolatedPool, ask: AsksOnce) -> None:
        self._governor = governor
        self._parsers = parsers
        self._ask = ask

    async def by_address(self, feed: FeedToPoll) -> Found | Postponed | None:
        """Return the feed that a page on a common host has, without asking for the page."""
        return await self._first(feed, known_feeds(feed.url)[:_MOST_NAMED])

    async def on_page(self, feed: FeedToPoll, page: Answer) -> Found | Postponed | None:
        """Return the feed that a page names, or one that lies where feeds usually lie."""
        seen = {feed.url, page.url}
        named = tuple(link for link in await self._named(page) if link.url not in seen)
        if named:
            return await self._first(feed, named[:_MOST_NAMED], named)
        usual = tuple(FeedLink(url=url) for url in likely_paths(page.url) if url not in seen)
        return await self._first(feed, usual)

    async def _named(self, page: Answer) -> tuple[FeedLink, ...]:
        try:
            return await self._parsers.run(
                _FINDER_SECONDS, find_feeds, page.body, url=page.url, charset=page.charset
            )
        except IsolationError:
            return ()

    async def _first(
        self, feed: FeedToPoll, links: Sequence[FeedLink], named: Sequence[FeedLink] = ()
    ) -> Found | Postponed | None:
        """Ask for one after the other, and return the first that is a feed."""
        for link in links:
            there = feed.model_copy(update={"url": link.url, "validators": Validators()})
            poll = await self._ask(there, self._admit)
            if isinstance(poll, Shown):
                others = tuple(other for other in named if other.url != link.url)
                return Found(link=link, shown=poll, others=others)
            if isinstance(poll, Postponed | TurnedAway):
                return Postponed(until=poll.until)
        return None

    def _admit(
        self,
        url: str,
        *,
        patient: bool,  # noqa: ARG002 - as `Admission` has it
    ) -> AbstractAsyncContextManager[datetime | None]:
        # To come back later would mean to ask for the page again.
        return self._governor.slot(url, patient=True)


def is_sought(feed: FeedToPoll) -> bool:
    """Tell whether an address may still be that of a page: it has never been a feed."""
    return feed.last_success_at is None and feed.failures < _MOST_SEARCHES
