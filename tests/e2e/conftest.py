from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.origin import Origin, open_origin
from support.running_fleet import RunningFleet, running_fleet


@pytest_asyncio.fixture(scope="session")
async def fleet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningFleet]:
    """One fleet for all tests that do not harm it for good."""
    async with running_fleet(tmp_path_factory.mktemp("fleet") / "data") as running:
        yield running


@pytest_asyncio.fixture
async def origin() -> AsyncIterator[Origin]:
    """A site of the test's own."""
    async with open_origin() as opened:
        yield opened
