import asyncio
import time
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from feedmill.config import StoreSettings
from feedmill.models.feeds import Validators
from feedmill.store import Store, open_store
from feedmill.web.answers import Answer
from feedmill.web.governor import Governor
from support import manners
from support.clock import NOON, Clock

URL = "https://example.com/feed"
MINUTE = timedelta(minutes=1)


def governor_of(store: Store, spacing: timedelta) -> Governor:
    return manners.governor_of(store, spacing, in_flight=1)


async def slot(governor: Governor, url: str = URL, *, patient: bool = False) -> datetime | None:
    async with governor.slot(url, patient=patient) as until:
        return until


def answer(status: int, **said: object) -> Answer:
    fields: dict[str, object] = {
        "url": URL,
        "redirected": False,
        "status": status,
        "media_type": "",
        "charset": None,
        "validators": Validators(),
        "retry_after": None,
        "max_age": None,
        "body": b"",
        **said,
    }
    return Answer.model_validate(fields)


async def test_two_governors_never_ask_a_host_at_once(store: Store, database_url: str) -> None:
    started: list[float] = []

    async def ask(governor: Governor) -> None:
        async with governor.slot(URL) as until:
            assert until is None
            started.append(time.monotonic())

    spacing = timedelta(seconds=0.2)
    settings = StoreSettings(database_url=database_url, database_pool_size=5)
    async with open_store(settings) as other_store:
        governors = [governor_of(store, spacing), governor_of(other_store, spacing)]
        await asyncio.gather(*(ask(governor) for governor in governors * 4))

    gaps = [later - earlier for earlier, later in pairwise(started)]
    assert len(started) == 8
    # A timer may fire a hair early.
    assert min(gaps) > 0.195


async def test_one_request_is_in_flight_at_a_time_however_long_it_takes(
    store: Store, database_url: str
) -> None:
    under_way = 0
    most = 0

    async def ask(governor: Governor) -> None:
        nonlocal under_way, most
        async with governor.slot(URL) as until:
            assert until is None
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.1)
            under_way -= 1

    settings = StoreSettings(database_url=database_url, database_pool_size=5)
    async with open_store(settings) as other_store:
        governors = [governor_of(each, timedelta(0)) for each in (store, other_store)]
        await asyncio.gather(*(ask(governor) for governor in governors * 3))

    assert most == 1


async def test_a_host_never_waits_for_another(store: Store) -> None:
    governor = governor_of(store, timedelta(seconds=4.5))

    async with asyncio.timeout(4):
        for host in ("a", "b", "c"):
            assert await slot(governor, f"https://{host}.example/") is None


async def test_a_slot_too_far_away_is_handed_back(store: Store) -> None:
    governor = governor_of(store, timedelta(seconds=20))
    assert await slot(governor) is None

    async with asyncio.timeout(5):
        until = await slot(governor)
        again = await slot(governor)

    async with store.transaction() as tx:
        now = await tx.now()
    assert until is not None
    assert timedelta(seconds=10) < until - now <= timedelta(seconds=20)
    assert again == until


@pytest.mark.parametrize("seconds", [6, 63])
async def test_the_middle_of_a_redirect_chain_is_more_patient(store: Store, seconds: int) -> None:
    governor = governor_of(store, timedelta(seconds=seconds))
    assert await slot(governor) is None

    assert await slot(governor) is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await slot(governor, patient=True)


async def test_who_queues_behind_a_slow_request_is_sent_away_in_time(store: Store) -> None:
    governor = governor_of(store, timedelta(0))

    async with governor.slot(URL) as admitted, asyncio.timeout(12):
        waiting = [asyncio.create_task(slot(governor)) for _ in range(3)]
        answers = await asyncio.gather(*waiting)

    assert admitted is None
    assert all(until is not None for until in answers)


async def test_a_failed_request_gives_its_place_back(store: Store) -> None:
    governor = governor_of(store, timedelta(0))

    with pytest.raises(ConnectionError):
        async with governor.slot(URL):
            raise ConnectionError

    async with asyncio.timeout(2):
        assert await slot(governor) is None


@pytest.mark.parametrize(
    ("refusal", "hold"),
    [
        pytest.param(answer(429, retry_after=5 * MINUTE), 5 * MINUTE, id="as long as it asked"),
        pytest.param(answer(503, retry_after=2 * MINUTE), 2 * MINUTE, id="503"),
        pytest.param(answer(429), MINUTE, id="429 without saying"),
        pytest.param(answer(429, max_age=9 * MINUTE), 9 * MINUTE, id="by its freshness"),
        pytest.param(answer(403, retry_after=3 * MINUTE), 3 * MINUTE, id="403 of a rate limiter"),
        pytest.param(answer(200, spent_for=7 * MINUTE), 7 * MINUTE, id="its budget is spent"),
    ],
)
async def test_a_host_that_asks_for_time_is_left_alone_by_everybody(
    store: Store, refusal: Answer, hold: timedelta
) -> None:
    clock = await Clock(store).start()
    governor = governor_of(store, timedelta(0))

    until = await governor.heed(refusal)

    elsewhere = governor_of(store, timedelta(0))
    assert until == NOON + hold
    assert await slot(elsewhere, "https://example.com/another") == until
    assert await slot(elsewhere, "https://other.example/") is None
    await clock.advance(hold)
    assert await slot(elsewhere, "https://example.com/another") is None


@pytest.mark.parametrize("status", [200, 304, 403, 404, 500])
async def test_other_answers_teach_nothing(store: Store, status: int) -> None:
    governor = governor_of(store, timedelta(0))

    assert await governor.heed(answer(status, max_age=MINUTE)) is None
    assert await slot(governor) is None


async def test_a_crawl_delay_counts_for_the_whole_host(store: Store) -> None:
    clock = await Clock(store).start()
    governor = governor_of(store, timedelta(seconds=1))
    await governor.heed_crawl_delay(URL, timedelta(seconds=30))
    assert await slot(governor) is None

    await clock.advance(timedelta(seconds=20))

    assert await slot(governor, "https://example.com/b") == NOON + timedelta(seconds=30)
