"""How long a new user waits: start, first distillate, whole journey. See README.md."""

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from support.origin import open_origin
from support.running_fleet import MANNERS, RunningFleet, feedmill, running_fleet
from support.sites import serve_many

# The origin is ours and on loopback: spacing would measure only itself.
_NO_SPACING = {**MANNERS, "FEEDMILL_HOST_SPACING_SECONDS": "0"}


async def main() -> None:
    arguments = _arguments()
    figures: dict[str, list[float]] = {}
    for _ in range(arguments.runs):
        with tempfile.TemporaryDirectory() as folder:
            for name, value in (await _one(Path(folder) / "data", arguments.entries)).items():
                figures.setdefault(name, []).append(value)
    for name, values in figures.items():
        spread = f"{min(values):.2f} to {max(values):.2f}"
        print(f"{name:24} {statistics.median(values):8.2f}   ({spread}, {len(values)} runs)")


async def _one(folder: Path, entries: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    began = time.perf_counter()
    async with running_fleet(folder, _NO_SPACING) as fleet:
        figures["first start, s"] = time.perf_counter() - began
        figures |= await _journey(fleet, entries)
        figures |= await _memory(fleet)
    began = time.perf_counter()
    code, output, errors = await feedmill(folder, "up", "--detach", environ=_NO_SPACING)
    assert code == 0, output + errors
    figures["next start, s"] = time.perf_counter() - began
    await feedmill(folder, "down")
    return figures


async def _journey(fleet: RunningFleet, entries: int) -> dict[str, float]:
    async with open_origin() as origin:
        site = serve_many(origin, entries)
        began = time.perf_counter()
        added = await fleet.add(site.url)
        first: float | None = None
        async for kind, _ in fleet.events(f"{added['run']['href']}/events"):
            if kind == "entry.distilled" and first is None:
                first = time.perf_counter() - began
        whole = time.perf_counter() - began
    assert first is not None
    return {
        "first distillate, s": first,
        "journey, s": whole,
        "journey, entries/s": entries / whole,
    }


async def _memory(fleet: RunningFleet) -> dict[str, float]:
    parts = [part for part in (await fleet.status())["parts"] if part["pid"]]
    return {
        f"memory {part['name']}, MB": psutil.Process(part["pid"]).memory_info().rss / 1e6
        for part in parts
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--entries", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main())
