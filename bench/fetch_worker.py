"""A fetch process that works off the entries of a database, measured from inside.

It is built the way `feedmill_fetch` builds it. Only Temporal is left out: its cost is per slice.
Prints a line when it is ready, begins when it is given one, and prints its figures as JSON.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import psutil
import uvloop
from temporalio.testing import ActivityEnvironment

from feedmill.config import FetchSettings, load
from feedmill.isolation import IsolatedPool, open_pool
from feedmill.models.entries import FetchEntries
from feedmill.store import Store, open_store
from feedmill.telemetry.health import Health
from feedmill.telemetry.logs import configure_logs
from feedmill.web.client import open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.web.robots import Robots
from feedmill.worker import spare_collector
from feedmill_fetch.asking import PageAsker
from feedmill_fetch.documents import examine_document
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import Fetcher
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.recording import Recorder
from feedmill_fetch.transcribing import Transcriber
from measuring import LoopLag, children_megabytes, cpu_seconds, own_cpu_seconds, watched_loop
from page_plan import pages

_MARK_EVERY = 2_000


async def main() -> None:
    arguments = _arguments()
    settings = _settings(arguments)
    configure_logs(settings, "fetch")
    async with _opened(settings) as (store, fetcher):
        ids = await _entries(store)
        print("ready", flush=True)
        # Nothing else runs here yet that this could hold up.
        sys.stdin.readline()
        before = _cpu()
        began = time.perf_counter()
        async with watched_loop() as lag:
            work = _Work(fetcher, ids, arguments.slice_size)
            await asyncio.gather(*(work.go_on() for _ in range(arguments.slices)))
        figures = {
            "seconds": time.perf_counter() - began,
            "outcomes": dict(work.outcomes),
            "cpu": {part: used - before[part] for part, used in _cpu().items()},
            "memory": work.memory,
            "lag": _lag(lag),
        }
    print(json.dumps(figures))


class _Work:
    """The entries, slice by slice, as several runs take them at once."""

    def __init__(self, fetcher: Fetcher, ids: Sequence[int], size: int) -> None:
        self._fetcher = fetcher
        self._slices = _cut(ids, size)
        self._done = 0
        self.outcomes: Counter[str] = Counter()
        self.memory: list[tuple[int, float, float]] = []

    async def go_on(self) -> None:
        for slice_ in self._slices:
            request = FetchEntries(entry_ids=slice_)
            fetched = await ActivityEnvironment().run(self._fetcher.fetch_entries, request)
            self.outcomes.update(outcome.outcome for outcome in fetched.outcomes)
            before, self._done = self._done, self._done + len(slice_)
            if before // _MARK_EVERY != self._done // _MARK_EVERY:
                self.memory.append((self._done, *_megabytes()))


def _cut(ids: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    return (tuple(ids[start : start + size]) for start in range(0, len(ids), size))


@asynccontextmanager
async def _opened(settings: FetchSettings) -> AsyncIterator[tuple[Store, Fetcher]]:
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.extractor_processes) as extractors,
        Health({}).beating(),
    ):
        governor = Governor(store, manners_of(settings))
        robots = Robots(store, web, governor)
        examiner = Examiner(extractors)
        asker = PageAsker(store, web, governor, robots, examiner)
        recorder = Recorder(store, Transcriber(web, governor, robots, examiner))
        pruner = PagePruner(store, timedelta(days=settings.keep_pages_days))
        await _warm_up(store, extractors, settings.extractor_processes)
        yield store, Fetcher(store, asker, recorder, pruner)


async def _warm_up(store: Store, extractors: IsolatedPool, processes: int) -> None:
    """Start what starts with its first use, and once in the life of a process."""
    await store.check()
    [page] = pages(1, 0)
    reads = (
        extractors.run(
            60,
            examine_document,
            page.plain,
            media_type="text/html",
            charset="utf-8",
            url="http://a.example/",
        )
        for _ in range(2 * processes)
    )
    await asyncio.gather(*reads)
    spare_collector()


async def _entries(store: Store) -> list[int]:
    async with store.transaction() as tx:
        rows = await tx.connection.exec_driver_sql("select id from entries order by id")
        return list(rows.scalars())


def _cpu() -> dict[str, float]:
    own = own_cpu_seconds(os.getpid())
    return {"fetch": own, "extractors": cpu_seconds(os.getpid()) - own}


def _megabytes() -> tuple[float, float]:
    own = psutil.Process(os.getpid()).memory_info().rss / 1e6
    return own, children_megabytes(os.getpid())


def _lag(lag: LoopLag) -> dict[str, float]:
    return {"most_ms": 1_000 * lag.most(), "p99_ms": 1_000 * lag.percentile(0.99)}


def _settings(arguments: argparse.Namespace) -> FetchSettings:
    return load(
        FetchSettings,
        environ={},
        database_url=arguments.database,
        allowed_networks="127.0.0.0/8",
        host_spacing_seconds=0,
        host_in_flight=4,
        extractor_processes=arguments.extractors,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--extractors", type=int, required=True, help="processes")
    parser.add_argument("--slices", type=int, required=True, help="at once")
    parser.add_argument("--slice-size", type=int, required=True, help="entries")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main())
