"""An ingestion process that polls the feeds that are due, measured from inside.

It is built the way `feedmill_ingestion` builds it. Only Temporal is left out: its cost is per round.
Prints a line when it is ready, begins when it is given one, and prints its figures as JSON.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import uvloop
from prometheus_client import REGISTRY
from temporalio.testing import ActivityEnvironment

from feedmill.config import IngestionSettings, load
from feedmill.isolation import IsolatedPool, open_pool
from feedmill.models.feeds import PollDueFeeds
from feedmill.store import Store, open_store
from feedmill.telemetry.health import Health
from feedmill.telemetry.logs import configure_logs
from feedmill.web.client import open_web
from feedmill.web.governor import Governor
from feedmill.web.manners import manners_of
from feedmill.worker import spare_collector
from feedmill_ingestion.asking import Asker
from feedmill_ingestion.parsing import parse_feed
from feedmill_ingestion.polling import Poller
from feedmill_ingestion.scheduling import pace_of
from measuring import (
    LoopLag,
    children_megabytes,
    cpu_seconds,
    own_cpu_seconds,
    peak_megabytes,
    watched_loop,
)

# A round itself waits for feeds that are due so soon.
_SOON = timedelta(seconds=10)
_LAG_METRIC = "feedmill_event_loop_lag_seconds"
_FEED = b"<rss version='2.0'><channel><title>warm</title></channel></rss>"


async def main() -> None:
    arguments = _arguments()
    settings = _settings(arguments)
    configure_logs(settings, "ingestion")
    async with _opened(settings) as poller:
        print("ready", flush=True)
        # Nothing else runs here yet that this could hold up.
        sys.stdin.readline()
        before = _cpu()
        began = time.perf_counter()
        async with watched_loop() as lag:
            rounds = await _poll(poller, arguments.part, arguments.parts)
        figures = {
            "seconds": time.perf_counter() - began,
            "rounds": rounds,
            "cpu": {part: used - before[part] for part, used in _cpu().items()},
            "megabytes": _megabytes(),
            "lag": _lag(lag),
        }
    print(json.dumps(figures))


@asynccontextmanager
async def _opened(settings: IngestionSettings) -> AsyncIterator[Poller]:
    async with (
        open_store(settings) as store,
        open_web(settings) as web,
        open_pool(settings.parser_processes) as parsers,
        Health({}).beating(),
    ):
        governor = Governor(store, manners_of(settings))
        await _warm_up(store, parsers, settings.parser_processes)
        yield Poller(store, governor, Asker(web, governor, parsers), pace_of(settings))


async def _warm_up(store: Store, parsers: IsolatedPool, processes: int) -> None:
    """Start what starts with its first use, and once in the life of a process."""
    await store.check()
    reads = (
        parsers.run(60, parse_feed, _FEED, charset=None, url="http://a/", now=datetime.now(UTC))
        for _ in range(2 * processes)
    )
    await asyncio.gather(*reads)
    spare_collector()


async def _poll(poller: Poller, part: int, parts: int) -> int:
    """Poll what is due, round by round as a workflow would, until the next feed is not due soon."""
    for number in count(1):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, activity_id=f"{part}/{number}")
        request = PollDueFeeds(shard=part, shards=parts)
        polled = await environment.run(poller.poll_due_feeds, request)
        if polled.next_due_at is None or polled.next_due_at > datetime.now(UTC) + _SOON:
            return number
    raise AssertionError("counting has no end")


def _cpu() -> dict[str, float]:
    own = own_cpu_seconds(os.getpid())
    return {"ingestion": own, "parsers": cpu_seconds(os.getpid()) - own}


def _megabytes() -> dict[str, float]:
    return {
        "ingestion": peak_megabytes(os.getpid()),
        "parsers": children_megabytes(os.getpid()),
    }


def _lag(lag: LoopLag) -> dict[str, float]:
    beats = REGISTRY.get_sample_value(f"{_LAG_METRIC}_count") or 0
    in_time = REGISTRY.get_sample_value(f"{_LAG_METRIC}_bucket", {"le": "0.1"}) or 0
    return {
        "most_ms": 1_000 * lag.most(),
        "p99_ms": 1_000 * lag.percentile(0.99),
        "late_beats": beats - in_time,
    }


def _settings(arguments: argparse.Namespace) -> IngestionSettings:
    return load(
        IngestionSettings,
        environ={},
        database_url=arguments.database,
        allowed_networks="127.0.0.0/8",
        host_spacing_seconds=arguments.spacing,
        host_in_flight=arguments.in_flight,
        parser_processes=arguments.parsers,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", required=True)
    parser.add_argument("--part", type=int, default=0, help="of the feeds, from 0 on")
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("--spacing", type=float, required=True, help="seconds")
    parser.add_argument("--in-flight", type=int, required=True, help="requests to one host")
    parser.add_argument("--parsers", type=int, required=True, help="processes")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main())
