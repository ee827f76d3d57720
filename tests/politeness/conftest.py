"""A fleet's pollers, a scripted site, and a clock that both go by.

Each test is named after the criterion it checks, in the list that feed readers are held to: `c1` is
one unconditional GET in a feed's life, and so on.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
import pytest_asyncio
from temporalio.testing import ActivityEnvironment

from feedmill.isolation import IsolatedPool, open_pool
from feedmill.models.feeds import DueFeedsPolled, FeedToPoll, PollDueFeeds, PollFeeds, PollOutcome
from feedmill.models.hosts import HostLimit
from feedmill.store import Store
from feedmill.web.client import WebClient, open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import Manners
from feedmill_fetch.fetching import Fetcher
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.scheduling import Pace
from support.clock import Clock
from support.fetching import build_fetcher
from support.manners import governor_of
from support.origin import Origin, open_origin
from support.web import web_settings

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
PACE = Pace(conditional=HOUR, unconditional=DAY, refresh=5 * MINUTE)
RSS = "application/rss+xml"


def rss(*guids: str, channel: str = "") -> str:
    items = "".join(f"<item><guid>{guid}</guid><title>{guid}</title></item>" for guid in guids)
    return f'<rss version="2.0"><channel><title>T</title>{channel}{items}</channel></rss>'


class Fleet:
    """What polls, as many processes as a test likes, on one store and one clock."""

    def __init__(
        self, store: Store, web: WebClient, parsers: IsolatedPool, clock: Clock, origin: Origin
    ) -> None:
        self.store = store
        self.clock = clock
        self.origin = origin
        self.limit = HostLimit(host="", spacing=timedelta(0), in_flight=100)
        self._web = web
        self._parsers = parsers

    def governor(self) -> Governor:
        return Governor(self.store, Manners(self.limit), luck=lambda: 0.5)

    def poller(self) -> Poller:
        """Start another process: it knows nothing but what the store does."""
        governor = self.governor()
        return Poller(self.store, governor, Asker(self._web, governor, self._parsers), PACE)

    async def add(self, path: str = "/feed") -> int:
        async with self.store.transaction() as tx:
            return await tx.feeds.add(self.origin.url(path))

    async def feed(self, feed_id: int) -> FeedToPoll:
        async with self.store.transaction() as tx:
            return (await tx.feeds.get([feed_id]))[feed_id]

    async def round(
        self, poller: Poller | None = None, *, attempt: int = 1, activity: str = "round"
    ) -> DueFeedsPolled:
        """Poll what is due, in a process of its own unless one is given."""
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt, activity_id=activity)
        due = (poller or self.poller()).poll_due_feeds
        return await environment.run(due, PollDueFeeds(seconds=1))

    async def refresh(self, feed_id: int, *, asked_at: datetime | None = None) -> PollOutcome:
        """Poll a feed as a person asks for it."""
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, activity_id="refresh")
        request = PollFeeds(feed_ids=(feed_id,), asked_at=asked_at or await self.clock.now())
        return (await environment.run(self.poller().poll_feeds, request)).outcomes[0]

    async def live(self, time: timedelta) -> None:
        """Let time pass, and poll whenever a feed is due; every process lives for one round."""
        until = await self.clock.now() + time
        while True:
            await self.round()
            now = await self.clock.now()
            async with self.store.transaction() as tx:
                next_due_at = await tx.feeds.next_due_at(shard=0, shards=1)
            if next_due_at is None or next_due_at > until:
                await self.clock.advance(until - now)
                return
            await self.clock.advance(max(next_due_at - now, SECOND))

    def moments(self, path: str = "/feed") -> list[datetime]:
        """Return when a path was asked for, by the clock."""
        return [seen.moment for seen in self.origin.asked(path) if seen.moment is not None]

    def gaps(self, path: str = "/feed") -> list[timedelta]:
        """Return how long it was from each request for a path to the next."""
        moments = self.moments(path)
        return [later - earlier for earlier, later in pairwise(moments)]


@pytest_asyncio.fixture(scope="package")
async def parsers() -> AsyncIterator[IsolatedPool]:
    async with open_pool(1) as pool:
        yield pool


@pytest_asyncio.fixture
async def origin() -> AsyncIterator[Origin]:
    async with open_origin() as opened:
        yield opened


@pytest_asyncio.fixture
async def fleet(store: Store, parsers: IsolatedPool, origin: Origin) -> AsyncIterator[Fleet]:
    clock = await Clock(store).start()
    origin.clock = clock.now
    async with open_web(web_settings()) as web:
        yield Fleet(store, web, parsers, clock, origin)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[WebClient]:
    async with open_web(web_settings()) as opened:
        yield opened


@pytest.fixture
def fetcher(store: Store, client: WebClient, parsers: IsolatedPool) -> Fetcher:
    return build_fetcher(store, client, parsers)


@pytest.fixture
def poller(store: Store, client: WebClient, parsers: IsolatedPool) -> Poller:
    """A poller by the real clock, of feeds that may be refreshed as often as a test likes."""
    governor, pace = governor_of(store), PACE.model_copy(update={"refresh": timedelta(0)})
    return Poller(store, governor, Asker(client, governor, parsers), pace)
