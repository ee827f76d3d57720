"""A site, and a client that may ask it."""

from collections.abc import AsyncIterator

import pytest_asyncio

from feedmill.web.client import WebClient, WebLimits, open_web
from support.origin import Origin, open_origin
from support.web import web_settings

IMPATIENT = WebLimits(
    total_seconds=3,
    connect_seconds=1,
    silence_seconds=1,
    grace_seconds=0.3,
    least_bytes_per_second=1_000,
)


@pytest_asyncio.fixture
async def origin() -> AsyncIterator[Origin]:
    async with open_origin() as opened:
        yield opened


@pytest_asyncio.fixture
async def client() -> AsyncIterator[WebClient]:
    async with open_web(web_settings(), IMPATIENT) as opened:
        yield opened
