"""C1, C12 and C17 where they are hardest: processes that are killed, and several at once."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from aiohttp import web

from feedmill.models.feeds import DueFeedsPolled
from feedmill.store import Store
from politeness.conftest import RSS, rss
from support.clock import Clock
from support.origin import Origin

TESTS = Path(__file__).parents[1]


async def poller(
    database_url: str, *, activity: str = "round", attempt: int = 1, spacing: float = 0
) -> Process:
    """Start a process that polls what is due."""
    arguments = (database_url, activity, str(attempt), str(spacing))
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "support.poll_process", *arguments, cwd=TESTS, stdout=PIPE
    )


async def ended(process: Process) -> DueFeedsPolled:
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0
    return DueFeedsPolled.model_validate_json(output.splitlines()[-1])


async def add(store: Store, origin: Origin, *paths: str) -> None:
    async with store.transaction() as tx:
        for path in paths:
            await tx.feeds.add(origin.url(path))


def serve(origin: Origin, count: int) -> list[str]:
    paths = [f"/{number}" for number in range(count)]
    for path in paths:
        origin.serve(path, rss(path), content_type=RSS, etag='"1"')
    return paths


async def polled_well(store: Store) -> int:
    async with store.transaction() as tx:
        rows = await tx.connection.exec_driver_sql(
            "select count(*) from feeds where last_success_at is not null"
        )
        count: int = rows.scalar_one()
        return count


async def test_c1_c12_a_poller_killed_in_the_middle_loses_nothing_and_doubles_nothing(
    store: Store, database_url: str, origin: Origin
) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    origin.script("/hangs", hang)
    await add(store, origin, *serve(origin, 30), "/hangs")
    first = await poller(database_url)
    while await polled_well(store) < 30 or not origin.asked("/hangs"):
        await asyncio.sleep(0.05)

    first.kill()
    await first.wait()
    origin.serve("/hangs", rss("late"), content_type=RSS, etag='"1"')
    other = await ended(await poller(database_url, activity="another"))
    retried = await ended(await poller(database_url, attempt=2))

    # What hung is the dead one's until its own activity is tried again.
    assert other.polled == 0
    assert retried.polled == 1
    assert len(set(retried.new_entry_ids)) == len(retried.new_entry_ids) == 31
    asked = Counter(origin.paths)
    assert asked.pop("/hangs") == 2
    assert set(asked.values()) == {1}


async def test_c12_two_pollers_ask_each_feed_once(
    store: Store, database_url: str, origin: Origin
) -> None:
    await add(store, origin, *serve(origin, 80))
    both = [await poller(database_url, activity=name) for name in ("one", "two")]

    answers = await asyncio.gather(*map(ended, both))

    assert sum(answer.polled for answer in answers) == 80
    assert set(Counter(origin.paths).values()) == {1}
    entry_ids = [entry_id for answer in answers for entry_id in answer.new_entry_ids]
    assert len(set(entry_ids)) == len(entry_ids) == 80


async def test_c17_two_pollers_space_their_requests_to_a_host_together(
    store: Store, database_url: str, origin: Origin
) -> None:
    await add(store, origin, *serve(origin, 8))
    both = [await poller(database_url, activity=name, spacing=0.4) for name in ("one", "two")]

    answers = await asyncio.gather(*map(ended, both))

    assert sum(answer.polled for answer in answers) == 8
    starts = [seen.at for seen in origin.requests]
    # What reaches the site a hair early left in time.
    assert min(later - earlier for earlier, later in pairwise(starts)) > 0.37


async def test_c17_a_killed_pollers_requests_keep_their_places_until_they_are_lost(
    store: Store, database_url: str, origin: Origin
) -> None:
    clock = await Clock(store).start()

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    origin.script("/hangs", hang)
    await add(store, origin, "/hangs")
    first = await poller(database_url, spacing=1)
    while not origin.requests:
        await asyncio.sleep(0.05)
    first.kill()
    await first.wait()
    await add(store, origin, *serve(origin, 1))

    await clock.advance(timedelta(seconds=80))
    waiting = await poller(database_url, activity="another", spacing=1)
    await asyncio.sleep(2)
    asked_meanwhile = len(origin.requests)
    await clock.advance(timedelta(seconds=20))
    await ended(waiting)

    assert asked_meanwhile == 1
    assert origin.asked("/0")
