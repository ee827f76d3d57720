"""How many pages a second one fetch service gets, reads and stores, and what that costs. See README.md."""

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from contenders import Postgres, running_postgres
from conversation import conversation
from feedmill.config import StoreSettings
from feedmill.models.feeds import SnapshotEntry
from feedmill.store import open_store
from measuring import cpu_seconds
from page_plan import pages
from support.programs import free_port

_HERE = Path(__file__).parent
_SAMPLE = 160
_AT_ONCE = 500


def main() -> None:
    arguments = _arguments()
    port = free_port()
    with (
        tempfile.TemporaryDirectory() as folder,
        _running_farm(port, arguments.seed),
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        database = postgres.fresh_database()
        asyncio.run(_add_entries(database, arguments.pages, arguments.hosts, port))
        _show(arguments, _measured(arguments, postgres, database))


def _measured(arguments: argparse.Namespace, postgres: Postgres, database: str) -> dict[str, Any]:
    command = [
        sys.executable,
        _HERE / "fetch_worker.py",
        f"--database={database}",
        f"--extractors={arguments.extractors}",
        f"--slices={arguments.slices}",
        f"--slice-size={arguments.slice_size}",
    ]
    idle_loop = [sys.executable, _HERE / "idle_loop.py"]
    with conversation(command) as worker, conversation(idle_loop) as idle:
        worker.hear()
        idle.hear()
        before = cpu_seconds(postgres.pid)
        worker.say("begin")
        figures: dict[str, Any] = json.loads(worker.hear())
        idle.say("enough")
        figures["idle_lag"] = json.loads(idle.hear())
        figures["cpu"]["postgres"] = cpu_seconds(postgres.pid) - before
    return figures


async def _add_entries(database: str, count: int, hosts: int, port: int) -> None:
    """Store entries whose pages are spread over hosts, each an address of its own."""
    async with open_store(StoreSettings.model_validate({"database_url": database})) as store:
        for start in range(0, count, _AT_ONCE):
            shown = [
                SnapshotEntry(
                    guid=str(number),
                    url=f"http://127.9.{number % hosts // 250 + 1}.{number % hosts % 250 + 1}:{port}/page/{number}",
                    title=f"Page {number}",
                )
                for number in range(start, min(start + _AT_ONCE, count))
            ]
            async with store.transaction() as tx:
                feed_id = await tx.feeds.add("http://127.9.1.1/feed")
                await tx.entries.add_new({feed_id: shown})


def _show(arguments: argparse.Namespace, figures: Mapping[str, Any]) -> None:
    console = Console(width=100)
    sizes = sorted(len(page.plain) / 1_000 for page in pages(_SAMPLE, arguments.seed))
    console.print(
        f"{arguments.pages} pages of {statistics.median(sizes):.0f} KB (largest {sizes[-1]:.0f} KB) on "
        f"{arguments.hosts} hosts; {arguments.extractors} extractors, {arguments.slices} slices of "
        f"{arguments.slice_size} at once: {figures['outcomes']}"
    )
    table = Table("figure", "value", "aim", box=None, padding=(0, 2, 0, 0))
    table.add_row(
        "pages a second", f"{arguments.pages / figures['seconds']:.1f}", ">= 20 on 2 cores"
    )
    for part, seconds in figures["cpu"].items():
        table.add_row(f"CPU ms a page, {part}", f"{1_000 * seconds / arguments.pages:.1f}", "")
    total = 1_000 * sum(figures["cpu"].values()) / arguments.pages
    table.add_row("CPU ms a page, in all", f"{total:.1f}", "")
    for name, aim in (("most", "< 100 ms"), ("p99", "")):
        ours, idle = (figures[lag][f"{name}_ms"] for lag in ("lag", "idle_lag"))
        shown = f"{ours:.0f} ms, of an idle one {idle:.0f} ms"
        table.add_row(f"event loop's lag, {name}", shown, aim)
    console.print(table)
    for done, own, extractors in figures["memory"]:
        console.print(f"after {done:6} pages: {own:.0f} MB, extractors {extractors:.0f} MB")


@contextmanager
def _running_farm(port: int, seed: int) -> Iterator[None]:
    options = [f"--pages={_SAMPLE}", f"--port={port}", f"--seed={seed}"]
    with conversation([sys.executable, _HERE / "page_farm.py", *options]) as line:
        # It speaks once it listens.
        line.hear()
        yield


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1_000, help="20000 shows whether memory grows")
    parser.add_argument("--hosts", type=int, default=100)
    parser.add_argument("--extractors", type=int, default=2, help="processes")
    parser.add_argument("--slices", type=int, default=4, help="at once, as a run has them")
    parser.add_argument("--slice-size", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
