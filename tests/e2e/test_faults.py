"""What is killed, and when: a journey ends well all the same."""

import asyncio
import os
import signal
import time
from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest
from aiohttp import web

from support.origin import Origin
from support.running_fleet import RunningFleet, feedmill, running_fleet
from support.sites import article, serve_many

# A fleet starts within it, on a machine that does other things as well.
pytestmark = pytest.mark.timeout(300)

PARTS = ["ingestion", "fetch", "distillation", "orchestrator", "gateway", "temporal", "postgres"]
ENTRIES = 24
# By then the journey is in the middle of what the part does.
KILL_AFTER = {"distillation": "entry.distilled"}


def serve_slowly(origin: Origin) -> str:
    """Serve a feed whose pages come one after the other, so that there is a middle to be killed in."""
    site = serve_many(origin, ENTRIES)

    def slow(number: int) -> None:
        async def answer(_: web.Request) -> web.Response:
            await asyncio.sleep(0.4 * (number % 12))
            return web.Response(text=article(number), content_type="text/html")

        origin.script(f"/mills/{number}", answer)

    for number in range(ENTRIES):
        slow(number)
    return site.url


async def until_told(fleet: RunningFleet, run: Mapping[str, str], kind: str) -> None:
    """Wait for a run's first event of a kind."""
    async with aclosing(fleet.events(f"{run['href']}/events")) as events:
        async for told, _ in events:
            assert told != "run.finished"
            if told == kind:
                return


@pytest.mark.parametrize("part", PARTS)
async def test_a_killed_process_costs_nothing_but_time(
    fleet: RunningFleet, origin: Origin, part: str
) -> None:
    pid = await fleet.pid(part)
    added = await fleet.add(serve_slowly(origin))
    await until_told(fleet, added["run"], KILL_AFTER.get(part, "entry.fetched"))
    assert (await fleet.get(added["run"]["href"]))["status"] == "running"

    await kill(pid)
    progress = await fleet.finished(added["run"], seconds=110)

    assert progress["distilled"] == ENTRIES
    entries = await fleet.entries(added["feed"]["id"])
    assert {entry["stage"] for entry in entries} == {"distilled"}
    assert len(entries) == ENTRIES
    assert len(origin.asked("/many.xml")) == 1
    await fleet.until_ready()


async def test_ingestion_killed_in_the_middle_of_a_poll(
    fleet: RunningFleet, origin: Origin
) -> None:
    site = serve_many(origin, 3)
    feed = origin._handlers["/many.xml"]

    async def slow_feed(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3)
        return await feed(request)

    origin.script("/many.xml", slow_feed)
    pid = await fleet.pid("ingestion")
    added = await fleet.add(site.url)
    while not origin.requests:
        await asyncio.sleep(0.02)

    await kill(pid)
    progress = await fleet.finished(added["run"], seconds=110)

    assert progress["distilled"] == 3
    await fleet.until_ready()


async def test_a_second_start_on_the_same_folder_is_refused(fleet: RunningFleet) -> None:
    code, output, errors = await feedmill(fleet.folder, "up")

    assert code == 1
    assert str(fleet.folder) in (output + errors).replace("\n", "")


async def test_everything_is_there_after_a_restart_and_nothing_runs_in_between(
    tmp_path: Path, origin: Origin
) -> None:
    folder = tmp_path / "data"
    async with running_fleet(folder) as first:
        added = await first.add(serve_many(origin, 2).url)
        await first.finished(added["run"])
        pids = [part["pid"] for part in (await first.status())["parts"]]

    assert not [pid for pid in pids if psutil.pid_exists(pid)]
    started = time.monotonic()
    async with running_fleet(folder) as second:
        print(f"ready again after {time.monotonic() - started:.1f} s")
        entries = await second.entries(added["feed"]["id"])
        status = await second.status()
        psutil.Process(status["pid"]).send_signal(signal.SIGINT)
        psutil.Process(status["pid"]).wait(60)

    assert {entry["stage"] for entry in entries} == {"distilled"}
    assert not [part for part in status["parts"] if psutil.pid_exists(part["pid"])]


async def kill(pid: int) -> None:
    """End a process with -9, and wait until it is gone."""
    os.kill(pid, signal.SIGKILL)
    while psutil.pid_exists(pid):
        await asyncio.sleep(0.02)
