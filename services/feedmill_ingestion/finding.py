"""The feed of a page that somebody named instead of a feed."""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.feeds import FeedLink, FeedToPoll, Validators
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Answer, Refusal
from feedmill.web.client import Admission, WebClient
from feedmill_ingestion.discovery import find_feeds
from feedmill_ingestion.discovery_hosts import known_feeds
from feedmill_ingestion.discovery_looks import likely_paths
from feedmill_ingestion.moves import may_be_kept
from feedmill_ingestion.polls import Failed, Found, Poll, Postponed, Shown, TurnedAway

_FINDER_SECONDS = 10
# What a page names is right or it is not; the paths that sites usually have are guesses.
_MOST_NAMED = 3
# A page that has named no feed so often names none tomorrow.
_MOST_SEARCHES = 2
# A site that takes a minute over each guess would take longer than a feed is leased for.
_SEARCH_SECONDS = 120.0


class Search:
    """One search: what it has asked for already, and how it asks."""

    def __init__(self, admit: Admission) -> None:
        self._admit = admit
        self._asked: set[str] = set()
        self._until = time.monotonic() + _SEARCH_SECONDS

    @property
    def is_over(self) -> bool:
        """Whether it has taken so long that nothing more is begun."""
        return time.monotonic() >= self._until

    def has_asked(self, url: str) -> bool:
        return url in self._asked

    async def permit(self, url: str) -> Refusal | None:
        """Forbid what was asked for before, be it that a redirect leads there again."""
        if self.has_asked(url):
            return Refusal(reason=Reason.NOT_A_FEED, detail="asked for already")
        self._asked.add(url)
        return None

    def admit(self, url: str, *, patient: bool) -> AbstractAsyncContextManager[datetime | None]:
        """Admit a request for what was permitted."""
        # To come back later would mean to ask for the first ones again.
        return self._admit(url, patient=patient or len(self._asked) > 1)


class AsksOnce(Protocol):
    """Makes one request for a feed at its address, as part of a search."""

    async def __call__(self, feed: FeedToPoll, search: Search) -> Poll: ...


class Finder:
    """Looks for the feed of a page: where its host keeps feeds, what it names, where they usually are."""

    def __init__(self, web: WebClient, parsers: IsolatedPool, ask: AsksOnce) -> None:
        self._web = web
        self._parsers = parsers
        self._ask = ask

    async def by_address(self, feed: FeedToPoll, search: Search) -> Found | Postponed | None:
        """Return the feed that a page on a common host has, without asking for the page."""
        known = self._askable(known_feeds(feed.url), search)
        return await self._first(feed, tuple(known)[:_MOST_NAMED], search)

    async def on_page(
        self, feed: FeedToPoll, page: Answer, search: Search
    ) -> Found | Failed | None:
        """Return the feed that a page names, or one that lies where feeds usually lie."""
        named = tuple(self._askable(await self._named(page), search))
        usual = (FeedLink(url=url) for url in likely_paths(page.url))
        links = named[:_MOST_NAMED] or tuple(self._askable(usual, search))
        found = await self._first(feed, links, search, named)
        if not isinstance(found, Postponed):
            return found
        # The page has sent all of itself, and would send it again to whoever comes back so soon.
        detail = "an HTML page whose feed's host wants time"
        return Failed(reason=Reason.RATE_LIMITED, detail=detail, with_body=True)

    async def _named(self, page: Answer) -> tuple[FeedLink, ...]:
        try:
            return await self._parsers.run(
                _FINDER_SECONDS, find_feeds, page.body, url=page.url, charset=page.charset
            )
        except IsolationError:
            return ()

    def _askable(
        self, links: Iterator[FeedLink] | Sequence[FeedLink], search: Search
    ) -> Iterator[FeedLink]:
        """Yield the links that may be asked for and were not yet, the way they are asked for.

        The feed is to be known by that address: others who name it have it in that form too.
        """
        for link in links:
            url = self._web.checked(link.url)
            if isinstance(url, str) and may_be_kept(url) and not search.has_asked(url):
                yield link.model_copy(update={"url": url})

    async def _first(
        self,
        feed: FeedToPoll,
        links: Sequence[FeedLink],
        search: Search,
        named: Sequence[FeedLink] = (),
    ) -> Found | Postponed | None:
        """Ask for one after the other, and return the first that is a feed."""
        for link in links:
            if search.is_over:
                return None
            there = feed.model_copy(update={"url": link.url, "validators": Validators()})
            poll = await self._ask(there, search)
            if isinstance(poll, Shown):
                others = tuple(other for other in named if other.url != link.url)
                return Found(link=link, shown=poll, others=others)
            if isinstance(poll, Postponed | TurnedAway):
                return Postponed(until=poll.until)
        return None


def is_sought(feed: FeedToPoll) -> bool:
    """Tell whether an address may still be that of a page: it has never been a feed."""
    was_hindered = feed.last_reason is Reason.RATE_LIMITED
    return feed.last_success_at is None and (feed.failures < _MOST_SEARCHES or was_hindered)
