"""The farm as a process, asked the way pollers ask."""

import json
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from conversation import Conversation, conversation
from farm_plan import Scene
from farm_record import Manners
from support.programs import free_port

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux answers on all of 127.0.0.0/8"
)

FARM = Path(__file__).parents[2] / "bench" / "farm.py"
FEEDS = 40


@pytest.fixture(scope="module")
def farm() -> Iterator[Conversation]:
    command = [sys.executable, FARM, f"--feeds={FEEDS}", f"--port={free_port()}"]
    with conversation(command) as line:
        assert json.loads(line.hear()) == {}
        yield line


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(auto_decompress=False) as opened:
        yield opened


def tell(farm: Conversation, **command: object) -> dict[str, Any]:
    farm.say(json.dumps(command))
    answer: dict[str, Any] = json.loads(farm.hear())
    return answer


def begin(farm: Conversation, scene: Scene) -> list[str]:
    tell(farm, do="scene", scene=scene._asdict(), manners=asdict(Manners()))
    urls: list[str] = tell(farm, do="urls")["urls"]
    return urls


async def test_a_feed_is_given_once_and_confirmed_afterwards(
    farm: Conversation, session: aiohttp.ClientSession
) -> None:
    url, *_ = begin(farm, Scene())

    async with session.get(url) as first:
        body = await first.read()
    known = {"If-None-Match": first.headers["ETag"]}
    async with session.get(url, headers=known) as second:
        assert (second.status, await second.read()) == (304, b"")

    assert (first.status, len(body) > 1_000) == (200, True)
    seen = tell(farm, do="report")
    assert seen["statuses"] == {"200": 1, "304": 1}
    assert seen["violations"] == {"asked twice in a pass": 1}
    assert seen["cpu_seconds"] > 0


async def test_a_changed_feed_is_given_again(
    farm: Conversation, session: aiohttp.ClientSession
) -> None:
    url, *_ = begin(farm, Scene())
    async with session.get(url) as first:
        known = {"If-None-Match": first.headers["ETag"]}

    begin(farm, Scene(changed=1))
    async with session.get(url, headers=known) as second:
        assert second.status == 200

    assert second.headers["ETag"] != first.headers["ETag"]


async def test_some_are_packed_for_those_who_can_unpack(
    farm: Conversation, session: aiohttp.ClientSession
) -> None:
    begun = begin(farm, Scene())

    encodings = set()
    for url in begun:
        async with session.get(url, headers={"Accept-Encoding": "gzip"}) as packed:
            encodings.add(packed.headers.get("Content-Encoding"))
        async with session.get(url, headers={"Accept-Encoding": "identity"}) as plain:
            assert "Content-Encoding" not in plain.headers

    assert encodings == {None, "gzip"}


async def test_failing_feeds_fail_in_every_way(
    farm: Conversation, session: aiohttp.ClientSession
) -> None:
    urls = begin(farm, Scene(failing=1))

    statuses = set()
    for url in urls:
        try:
            async with session.get(url, timeout=aiohttp.ClientTimeout(total=0.2)) as response:
                await response.read()
                statuses.add(str(response.status))
                if response.status == 429:
                    assert response.headers["Retry-After"] == "3"
        except (aiohttp.ClientError, TimeoutError) as error:
            statuses.add(type(error).__name__)

    assert statuses == {"404", "429", "500", "ClientPayloadError", "TimeoutError"}


async def test_another_poller_finds_everything_as_at_the_start(
    farm: Conversation, session: aiohttp.ClientSession
) -> None:
    url, *_ = begin(farm, Scene(changed=1))
    async with session.get(url):
        pass

    tell(farm, do="forget")
    begin(farm, Scene())
    async with session.get(url) as response:
        assert response.headers["ETag"] == '"0-0"'

    assert tell(farm, do="report")["violations"] == {}
