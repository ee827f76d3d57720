"""A fetcher on a real store, a scripted site, and a process pool that all tests share."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from feedmill.isolation import IsolatedPool, open_pool
from feedmill.store import Store
from feedmill.web.client import WebClient, open_web
from feedmill_fetch.fetching import Fetcher
from support.fetching import build_fetcher
from support.origin import Origin, open_origin
from support.web import web_settings


@pytest_asyncio.fixture(scope="package")
async def extractors() -> AsyncIterator[IsolatedPool]:
    async with open_pool(1) as pool:
        yield pool


@pytest_asyncio.fixture
async def origin(store: Store) -> AsyncIterator[Origin]:
    """A site whose robots.txt is known already, and forbids nothing."""
    async with open_origin() as opened:
        async with store.transaction() as tx:
            await tx.robots.save(opened.base, "")
        yield opened


@pytest_asyncio.fixture
async def web_client() -> AsyncIterator[WebClient]:
    async with open_web(web_settings()) as opened:
        yield opened


@pytest.fixture
def fetcher(store: Store, web_client: WebClient, extractors: IsolatedPool) -> Fetcher:
    return build_fetcher(store, web_client, extractors)
