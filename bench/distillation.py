"""How busy the model is kept, and what an entry costs us: see README.md.

The endpoint is a process of its own that answers after a fixed time. A store on a Postgres of our
own; the activity runs in this process, as in a worker.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import uvloop
from temporalio.testing import ActivityEnvironment

from feedmill.config import DistillationSettings, StoreSettings
from feedmill.models.distillates import DistillEntries
from feedmill.store import Store, open_store
from feedmill.store.migrations import migrate
from feedmill_distillation.__main__ import open_service
from feedmill_distillation.distilling import DistillationService
from feedmill_distillation.kitchen import read_kitchen
from measuring import own_cpu_seconds, watched_loop
from page_plan import sentence
from support.articles import store_articles
from support.distilling import NoDistiller
from support.model_server import good, open_model_server
from support.programs import embedded_postgres

_STORED_AT_ONCE = 500


def serve(seconds: float, told: "multiprocessing.connection.Connection") -> None:
    """Answer after so many seconds, until asked for the record of when calls began and ended."""
    uvloop.run(_serve(seconds, told))


async def _serve(seconds: float, told: "multiprocessing.connection.Connection") -> None:
    spans: list[tuple[float, float]] = []

    async def slow(request):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - a script for the server
        began = time.monotonic()
        await asyncio.sleep(seconds)
        answer = await good(request)
        spans.append((began, time.monotonic()))
        server.requests.clear()
        return answer

    async with open_model_server() as server:
        server.usual = slow
        told.send(server.url)
        while True:
            await asyncio.to_thread(told.recv)
            told.send(spans)
            spans.clear()


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--entries", type=int, default=1_000)
    arguments.add_argument("--slice", type=int, default=100)
    arguments.add_argument("--concurrency", type=int, nargs="+", default=[4, 16])
    arguments.add_argument("--latency", type=float, default=0.5, help="seconds of one answer")
    options = arguments.parse_args()
    ours, theirs = multiprocessing.Pipe()
    endpoint = multiprocessing.get_context("spawn").Process(
        target=serve, args=(options.latency, theirs), daemon=True
    )
    endpoint.start()
    url = ours.recv()
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded_postgres(Path(folder)) as postgres,
    ):
        for concurrency in options.concurrency:
            figures = uvloop.run(measure(postgres, url, ours, options, concurrency))
            print(json.dumps(figures), flush=True)
    endpoint.terminate()
    endpoint.join()


async def measure(
    postgres: str,
    url: str,
    endpoint: "multiprocessing.connection.Connection",
    options: argparse.Namespace,
    concurrency: int,
) -> dict[str, float]:
    migrate(postgres)
    settings = DistillationSettings.model_validate(
        {
            "database_url": postgres,
            "model_url": url,
            "model_name": "small",
            "model_concurrency": concurrency,
        }
    )
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(
            open_store(StoreSettings.model_validate({"database_url": postgres}))
        )
        ids = await _articles(store, options.entries)
        service = await stack.enter_async_context(
            open_service(settings, read_kitchen(settings), store, NoDistiller())
        )
        return await _run(service, ids, endpoint, options, concurrency)


async def _run(
    service: DistillationService,
    ids: list[int],
    endpoint: "multiprocessing.connection.Connection",
    options: argparse.Namespace,
    concurrency: int,
) -> dict[str, float]:
    busy, memory = [], []
    cpu, began = own_cpu_seconds(os.getpid()), time.monotonic()
    async with watched_loop() as lag:
        for start in range(0, len(ids), options.slice):
            first = time.monotonic()
            await distil(service, ids[start : start + options.slice])
            took = time.monotonic() - first
            endpoint.send("spans")
            spans = endpoint.recv()
            # Of the time in which so many calls could have been in flight, how much they were.
            busy.append(sum(end - start for start, end in spans) / (took * concurrency))
            memory.append(psutil.Process().memory_info().rss / 1e6)
    cpu = own_cpu_seconds(os.getpid()) - cpu
    busy.sort()
    tenth = max(1, len(memory) // 10)
    return {
        "concurrency": concurrency,
        "entries": len(ids),
        "seconds": round(time.monotonic() - began, 1),
        "busy_median": round(busy[len(busy) // 2], 3),
        "busy_worst": round(busy[0], 3),
        "cpu_ms_per_entry": round(cpu / len(ids) * 1_000, 2),
        "megabytes_after_a_tenth": round(memory[tenth - 1], 1),
        "megabytes_at_the_end": round(memory[-1], 1),
        "lag_p99_ms": round(lag.percentile(0.99) * 1_000, 1),
    }


async def distil(service: DistillationService, ids: list[int]) -> None:
    request = DistillEntries(entry_ids=tuple(ids))
    answer = await ActivityEnvironment().run(service.distill_entries, request)
    assert {outcome.outcome for outcome in answer.outcomes} == {"distilled"}, answer


async def _articles(store: Store, count: int) -> list[int]:
    mark = time.time_ns()
    ids: list[int] = []
    for start in range(0, count, _STORED_AT_ONCE):
        numbers = range(start, min(count, start + _STORED_AT_ONCE))
        ids += await store_articles(store, *(_telling(f"{mark} {n}") for n in numbers))
    return ids


def _telling(seed: str) -> str:
    """Return an article that tells a story of its own: one that is told again costs no call."""
    chance = random.Random(seed)
    # Some 550 words, as half of all articles have.
    return "\n".join(sentence(chance) for _ in range(32))


if __name__ == "__main__":
    main()
