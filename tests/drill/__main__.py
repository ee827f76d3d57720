"""Kill everything again and again, and count what it cost.

    make drill

Each journey takes 500 entries of 25 hosts from the import of a list to their distillation. Meanwhile ten
processes of the fleet, Temporal and Postgres among them, are killed with -9. Two fleets do so side by side, since
each waits most of the time. The last line is the tally; the exit code is 1 if anything was lost, asked for too soon,
or paid for twice that was not in flight.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp

from drill.ground import ENTRIES, Ground, open_ground
from drill.plan import Kill, plan_kills
from drill.tally import Tally, repeats, too_soon
from support.running_fleet import RunningFleet, running_fleet

_SPACING_SECONDS = 0.2
_CALLS_AT_ONCE = 8
# As long as a journey takes that nobody disturbs.
_KILLING_SECONDS = 30
_JOURNEY_SECONDS = 240
_LOOK_SECONDS = 0.5
_ENDS = frozenset({"distilled", "unavailable", "undistillable"})


async def main() -> int:
    arguments = _arguments()
    began = time.monotonic()
    tally = Tally()
    journeys = iter(range(arguments.journeys))
    # Each lane takes the next journey as soon as its last one has ended.
    async with asyncio.TaskGroup() as lanes:
        for number in range(min(arguments.at_once, arguments.journeys)):
            lanes.create_task(_lane(number, arguments, journeys, began, tally))
    whole = tally.journeys == arguments.journeys
    if not whole:
        print(f"{arguments.journeys - tally.journeys} journeys were not made", file=sys.stderr)
    print(tally.line(arguments.seed, time.monotonic() - began))
    return 0 if tally.passed and whole else 1


async def _lane(
    number: int,
    arguments: argparse.Namespace,
    journeys: Iterator[int],
    began: float,
    tally: Tally,
) -> None:
    """Make journeys, one after the other, with a fleet and a ground of their own."""
    with tempfile.TemporaryDirectory(prefix="feedmill-drill-") as folder:
        async with open_ground() as ground:
            environ = _environ(ground, number)
            async with running_fleet(Path(folder) / "data", environ) as fleet:
                for journey in journeys:
                    if time.monotonic() - began > 60 * arguments.minutes:
                        print(f"after {arguments.minutes} minutes, no more journeys are begun")
                        break
                    plan = plan_kills(
                        arguments.seed, journey, kills=arguments.kills, seconds=_KILLING_SECONDS
                    )
                    await _travel(fleet, ground, journey, plan, tally)
            tally.repeated_pages += repeats(ground.pages)
            tally.repeated_calls += repeats(ground.calls)
            tally.too_soon += too_soon(ground.moments, _SPACING_SECONDS)


async def _travel(
    fleet: RunningFleet, ground: Ground, journey: int, plan: Sequence[Kill], tally: Tally
) -> None:
    """Make one journey, and add it up."""
    began = time.monotonic()
    feeds = await _import(fleet, ground, journey)
    killing = asyncio.create_task(_kill(fleet, plan, tally))
    entries: list[dict[str, Any]] = []
    while time.monotonic() - began < _JOURNEY_SECONDS:
        await asyncio.sleep(_LOOK_SECONDS)
        with suppress(aiohttp.ClientError, AssertionError, TimeoutError):
            if await _waiting(fleet, feeds) == 0:
                break
    killing.cancel()
    await fleet.until_ready()
    for feed in feeds.values():
        entries += await fleet.entries(feed)
    ends = [entry["reason"] or entry["stage"] for entry in entries if entry["stage"] in _ENDS]
    tally.ended.update(ends)
    tally.lost += ENTRIES - len(ends)
    tally.journeys += 1
    print(
        f"journey {journey + 1}: {len(ends)} of {ENTRIES} entries ended, "
        f"{tally.kills.total()} kills so far, {time.monotonic() - began:.0f} s",
        flush=True,
    )


async def _import(fleet: RunningFleet, ground: Ground, journey: int) -> dict[str, int]:
    """Follow a journey's feeds; return their ids by address."""
    wanted = set(ground.feeds(journey))
    listed = Path(fleet.folder.parent) / f"{journey}.opml"
    listed.write_bytes(ground.opml(journey))
    code, output, errors = await fleet.run("import", str(listed))
    assert code == 0, output + errors
    items = (await fleet.get("/api/v1/feeds"))["items"]
    return {item["url"]: item["id"] for item in items if item["url"] in wanted}


async def _waiting(fleet: RunningFleet, feeds: dict[str, int]) -> int:
    """Return how many entries of these feeds have come to no end yet."""
    items = (await fleet.get("/api/v1/feeds"))["items"]
    ended = sum(item["entries"] - item["waiting"] for item in items if item["url"] in feeds)
    return int(ENTRIES - ended)


async def _kill(fleet: RunningFleet, plan: Sequence[Kill], tally: Tally) -> None:
    began = time.monotonic()
    for kill in plan:
        await asyncio.sleep(began + kill.after_seconds - time.monotonic())
        os.kill(await _pid(fleet, kill.part), signal.SIGKILL)
        tally.kills[kill.part] += 1
        tally.calls_in_flight += _CALLS_AT_ONCE


async def _pid(fleet: RunningFleet, part: str) -> int:
    """Return the process of a part; wait for it if it is just being started again."""
    while True:
        for each in (await fleet.status())["parts"]:
            if each["name"] == part and each["pid"] is not None:
                return int(each["pid"])
        await asyncio.sleep(_LOOK_SECONDS)


def _environ(ground: Ground, lane: int) -> dict[str, str]:
    return {
        # A part that is killed must find its port when it is started again, whoever else has a fleet here.
        "FEEDMILL_FLEET_NUMBER": str(20 + lane),
        "FEEDMILL_HOST_SPACING_SECONDS": str(_SPACING_SECONDS),
        "FEEDMILL_HOST_IN_FLIGHT": "1",
        "FEEDMILL_MODEL_URL": ground.model_url,
        "FEEDMILL_MODEL_NAME": "drilled",
        "FEEDMILL_MODEL_CONCURRENCY": str(_CALLS_AT_ONCE),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the same one, the same kills")
    parser.add_argument("--journeys", type=int, default=10)
    parser.add_argument("--at-once", type=int, default=2, help="journeys, each with its own fleet")
    parser.add_argument("--kills", type=int, default=10, help="in each journey")
    parser.add_argument("--minutes", type=float, default=13, help="no journey begins after that")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
