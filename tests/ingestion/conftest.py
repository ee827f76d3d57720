"""A poller on a real store, a scripted site, and a process pool that all tests share."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from feedmill.isolation import IsolatedPool, open_pool
from feedmill.store import Store
from feedmill.web.client import WebClient, open_web
from feedmill_ingestion.polling import Poller
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


@pytest.fixture
def poller(store: Store, web_client: WebClient, parsers: IsolatedPool) -> Poller:
    return Poller(store, web_client, governor_of(store), parsers, timedelta(hours=1))
