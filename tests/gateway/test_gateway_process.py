"""The gateway as an operator runs it: a process with an environment and signals."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil
import psycopg
import pytest
from aiohttp import ClientConnectionError, ClientSession
from temporalio.client import Client

from feedmill.store.migrations import migrate
from support.live_gateway import TOKEN, client, take_all
from support.opml import FEEDLY
from support.programs import free_port


@asynccontextmanager
async def gateway_process(
    database_url: str, temporal: Client, **environ: str
) -> AsyncIterator[tuple[Process, str]]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "feedmill_gateway",
        env={
            "FEEDMILL_DATABASE_URL": database_url,
            "FEEDMILL_TOKEN": TOKEN,
            "FEEDMILL_GATEWAY_PORT": str(port),
            "FEEDMILL_TELEMETRY_PORT": str(free_port()),
            "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
            **environ,
        },
        stderr=PIPE,
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def answering(api: ClientSession, path: str) -> int:
    """Return the status of the first answer there is."""
    async with asyncio.timeout(30):
        while True:
            try:
                async with api.get(path) as answer:
                    return answer.status
            except ClientConnectionError:
                await asyncio.sleep(0.1)


async def test_a_gateway_waits_for_its_schema_serves_and_drains(
    empty_database_url: str, temporal: Client
) -> None:
    async with gateway_process(empty_database_url, temporal) as (process, url):
        await _waits_for_the_schema(process)
        await asyncio.to_thread(migrate, empty_database_url)
        async with client(url) as api:
            status = await answering(api, "/api/v1/feeds")
            stream = await api.get("/api/v1/events")
            asked_at = time.monotonic()
            process.send_signal(signal.SIGTERM)
            told = await take_all(stream)
            code = await process.wait()

    assert (status, told, code) == (200, [], 0)
    assert time.monotonic() - asked_at < 5


async def test_a_token_is_stored_as_a_hash_alone(database_url: str, temporal: Client) -> None:
    async with (
        gateway_process(database_url, temporal) as (_, url),
        client(url) as api,
    ):
        assert await answering(api, "/api/v1/feeds") == 200

    with psycopg.connect(database_url) as connection:
        stored = connection.execute("select hash from tokens").fetchall()
    assert len(stored) == 1
    assert TOKEN not in stored[0][0]


async def test_a_guessable_token_is_refused_by_name(database_url: str, temporal: Client) -> None:
    async with gateway_process(database_url, temporal, FEEDMILL_TOKEN="short") as (process, _):
        _, said = await process.communicate()

    assert process.returncode == 2
    assert b"FEEDMILL_TOKEN" in said
    assert b"short" not in said


async def test_a_list_is_imported_by_the_process_and_leaves_no_other_behind(
    database_url: str, orchestrator: Client
) -> None:
    async with (
        gateway_process(database_url, orchestrator) as (process, url),
        client(url) as api,
    ):
        await answering(api, "/api/v1/feeds")
        answer = await api.post("/api/v1/opml", data=FEEDLY.encode())

        assert (answer.status, (await answer.json())["added"]) == (200, 2)
        left = psutil.Process(process.pid).children(recursive=True)
    # The one that tracks what processes share stays for as long as its parent.
    assert len(left) <= 1


async def test_a_list_is_followed_though_the_gateway_is_killed_meanwhile(
    database_url: str, orchestrator: Client
) -> None:
    with psycopg.connect(database_url) as blocker:
        # Categories and feeds are written, and subscriptions wait.
        blocker.execute("lock table subscriptions in exclusive mode")
        async with (
            gateway_process(database_url, orchestrator) as (process, url),
            client(url) as api,
        ):
            await answering(api, "/openapi.json")
            asked = asyncio.create_task(api.post("/api/v1/opml", data=FEEDLY.encode()))
            await asyncio.to_thread(_somebody_waits, database_url)
            process.kill()
            with pytest.raises(ClientConnectionError):
                await asked
        blocker.rollback()

    with psycopg.connect(database_url, autocommit=True) as connection:
        async with asyncio.timeout(30):
            while connection.execute("select count(*) from events").fetchone() != (2,):
                await asyncio.sleep(0.05)
        for table, rows in (("feeds", 2), ("categories", 2), ("subscriptions", 2)):
            assert connection.execute(f"select count(*) from {table}").fetchone() == (rows,)


def _somebody_waits(database_url: str) -> None:
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike 'insert into subscriptions%'"
    deadline = time.monotonic() + 30
    with psycopg.connect(database_url, autocommit=True) as connection:
        while connection.execute(waiting).fetchone() != (1,):
            assert time.monotonic() < deadline
            time.sleep(0.05)


async def _waits_for_the_schema(process: Process) -> None:
    assert process.stderr is not None
    async with asyncio.timeout(30):
        while b"postgres not ready" not in await process.stderr.readline():
            pass
