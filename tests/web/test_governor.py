import asyncio
from datetime import datetime, timedelta

import pytest

from feedmill.config import StoreSettings
from feedmill.store import Store, open_store
from feedmill.web.governor import Governor, host_key

URL = "https://example.com/feed"
SPACING = timedelta(seconds=0.2)


async def slot(governor: Governor, url: str, *, patient: bool = False) -> datetime | None:
    async with governor.slot(url, patient=patient) as until:
        return until


async def test_two_governors_never_ask_a_host_at_once(store: Store, database_url: str) -> None:
    started: list[float] = []

    async def ask(governor: Governor) -> None:
        assert await slot(governor, URL) is None
        started.append(asyncio.get_running_loop().time())

    began = asyncio.get_running_loop().time()
    settings = StoreSettings(database_url=database_url, database_pool_size=5)
    async with open_store(settings) as other_store:
        governors = [Governor(store, SPACING), Governor(other_store, SPACING)]
        await asyncio.gather(*(ask(governor) for governor in governors * 4))

    # A busy machine starts late, never early; a timer may fire a hair early.
    waits = [start - began for start in sorted(started)]
    assert len(waits) == 8
    assert all(wait > 0.2 * turn - 0.02 for turn, wait in enumerate(waits))


async def test_a_host_never_waits_for_another(store: Store) -> None:
    governor = Governor(store, timedelta(seconds=4.5))

    async with asyncio.timeout(4):
        for host in ("a", "b", "c"):
            assert await slot(governor, f"https://{host}.example/") is None


async def test_a_slot_too_far_away_is_handed_back(store: Store) -> None:
    governor = Governor(store, timedelta(seconds=20))
    assert await slot(governor, URL) is None

    async with asyncio.timeout(5):
        until = await slot(governor, URL)
        again = await slot(governor, URL)

    async with store.transaction() as tx:
        now = await tx.feeds.now()
    assert until is not None
    assert timedelta(seconds=10) < until - now <= timedelta(seconds=20)
    assert again == until


async def test_the_middle_of_a_redirect_chain_is_more_patient(store: Store) -> None:
    governor = Governor(store, timedelta(seconds=6))
    assert await slot(governor, URL) is None

    assert await slot(governor, URL) is not None
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await slot(governor, URL, patient=True)


async def test_a_held_host_is_left_alone_by_everybody(store: Store) -> None:
    governor = Governor(store, timedelta(0))

    until = await governor.hold(URL, timedelta(minutes=5))
    shorter = await governor.hold(URL, timedelta(minutes=1))

    assert shorter == until
    assert await slot(Governor(store, timedelta(0)), "https://example.com/another") == until
    assert await slot(governor, "https://other.example/") is None


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://example.com/a", "example.com"),
        ("http://Example.com:8080/b", "example.com"),
        ("http://127.0.0.1/", "127.0.0.1"),
        ("http://127.0.0.1:8001/", "127.0.0.1:8001"),
        ("http://[::1]:8001/", "::1:8001"),
    ],
)
def test_what_counts_as_one_host(url: str, key: str) -> None:
    assert host_key(url) == key


async def test_a_hold_reaches_those_who_already_wait_for_their_slot(store: Store) -> None:
    governor = Governor(store, timedelta(seconds=0.3))
    assert await slot(governor, URL) is None
    waiting = asyncio.create_task(slot(governor, URL))
    while not await _is_reserved(store, timedelta(seconds=0.3)):
        await asyncio.sleep(0.01)

    until = await governor.hold(URL, timedelta(minutes=5))

    assert await waiting == until


async def _is_reserved(store: Store, ahead: timedelta) -> bool:
    """Tell whether a second slot has been taken."""
    async with store.transaction() as tx:
        rows = await tx.connection.exec_driver_sql(
            "select next_free_at - clock_timestamp() from hosts"
        )
        left: timedelta = rows.scalar_one()
    return left > ahead
