"""A poller on a real store, a scripted site, and a process pool that all tests share."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from feedmill.isolation import IsolatedPool, open_pool
from feedmill.store import Store
from feedmill.web.client import WebClient, open_web
from feedmill.web.governor import Governor
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.scheduling import Pace
from support.manners import governor_of
from support.origin import Origin, open_origin
from support.web import web_settings


@pytest_asyncio.fixture(scope="package")
async def parsers() -> AsyncIterator[IsolatedPool]:
    async with open_pool(1) as pool:
        yield pool


@pytest_asyncio.fixture
async def origin() -> AsyncIterator[Origin]:
    async with open_origin() as opened:
        yield opened


@pytest_asyncio.fixture
async def web_client() -> AsyncIterator[WebClient]:
    async with open_web(web_settings()) as opened:
        yield opened


# A person may refresh a feed as often as a test likes.
PACE = Pace(conditional=timedelta(hours=1), unconditional=timedelta(days=1), refresh=timedelta(0))


@pytest.fixture
def governor(store: Store) -> Governor:
    return governor_of(store)


@pytest.fixture
def poller(
    store: Store, governor: Governor, web_client: WebClient, parsers: IsolatedPool
) -> Poller:
    return Poller(store, governor, Asker(web_client, governor, parsers), PACE)
