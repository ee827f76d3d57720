"""How a real process joins, works, drains and ends. Each test runs one, with real servers."""

import asyncio
import json
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from feedmill.contracts.queues import TaskQueue
from feedmill.worker.prepare import prepare_namespace
from support.programs import binary, free_port
from support.workflows import CallOne

TESTS = Path(__file__).parents[1]


class Running:
    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self._url = f"http://127.0.0.1:{port}"

    async def probe(self, path: str) -> tuple[int, dict[str, str]]:
        async with aiohttp.ClientSession() as session, session.get(self._url + path) as answer:
            return answer.status, (await answer.json())["wrong"]

    async def until(self, path: str, status: int = 200) -> None:
        """Wait until a probe answers with this status."""
        async with asyncio.timeout(30):
            while True:
                try:
                    if (await self.probe(path))[0] == status:
                        return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

    async def until_said(self, word: str) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(20):
            while word.encode() not in await self.process.stdout.readline():
                pass

    async def stop(self) -> tuple[int, float]:
        """Send SIGTERM; return the exit code and the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 30)
        return code, time.monotonic() - started


@asynccontextmanager
async def slow_worker(
    database_url: str, temporal_address: str, **environ: str
) -> AsyncIterator[Running]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "support.slow_worker",
        env={
            **os.environ,
            "PYTHONPATH": str(TESTS),
            "FEEDMILL_DATABASE_URL": database_url,
            "FEEDMILL_TELEMETRY_PORT": str(port),
            "TEMPORAL_ADDRESS": temporal_address,
            "SLOW_SECONDS": "2",
            **environ,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield Running(process, port)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def begin(client: Client) -> WorkflowHandle[CallOne, str]:
    return await client.start_workflow(
        CallOne.run,
        "take_your_time",
        id=f"slow/{uuid.uuid4()}",
        task_queue=TaskQueue.ORCHESTRATION,
    )


def address(client: Client) -> str:
    return client.service_client.config.target_host


async def test_sigterm_lets_what_is_in_flight_finish(temporal: Client, database_url: str) -> None:
    async with slow_worker(database_url, address(temporal)) as worker:
        handle = await begin(temporal)
        await worker.until_said("BEGUN")

        code, seconds = await worker.stop()

        assert code == 0
        assert 0.5 < seconds < 10
    scheduled = [
        e
        async for e in handle.fetch_history_events()
        if e.HasField("activity_task_completed_event_attributes")
    ]
    assert len(scheduled) == 1
    await handle.terminate()


async def test_a_namespace_that_is_still_to_come_is_waited_for(
    temporal: Client, database_url: str
) -> None:
    name = f"late-{uuid.uuid4().hex}"
    async with slow_worker(database_url, address(temporal), TEMPORAL_NAMESPACE=name) as worker:
        await worker.until("/healthz")
        await asyncio.sleep(2)
        assert (await worker.probe("/readyz"))[0] == 503
        there = await Client.connect(address(temporal), namespace=name)

        await prepare_namespace(there, timedelta(days=1))

        await worker.until("/readyz")
        assert (await worker.stop())[0] == 0


async def test_work_that_outlasts_the_drain_is_given_back(
    temporal: Client, database_url: str
) -> None:
    async with slow_worker(
        database_url, address(temporal), SLOW_SECONDS="600", FEEDMILL_DRAIN_SECONDS="1"
    ) as worker:
        handle = await begin(temporal)
        await worker.until_said("BEGUN")

        code, seconds = await worker.stop()

        assert code == 0
        assert seconds < 6
    await handle.terminate()


async def test_a_draining_process_is_alive_and_not_ready(
    temporal: Client, database_url: str
) -> None:
    async with slow_worker(database_url, address(temporal)) as worker:
        handle = await begin(temporal)
        await worker.until_said("BEGUN")

        worker.process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.3)

        assert await worker.probe("/healthz") == (200, {})
        assert await worker.probe("/readyz") == (503, {"process": "draining"})
        await worker.process.wait()
    await handle.terminate()


@asynccontextmanager
async def own_temporal(port: int) -> AsyncIterator[WorkflowEnvironment]:
    environment = await WorkflowEnvironment.start_local(
        port=port, dev_server_existing_path=binary("temporal"), dev_server_log_level="error"
    )
    try:
        yield environment
    finally:
        await environment.shutdown()


async def test_a_process_waits_for_temporal_at_its_start(database_url: str) -> None:
    port = free_port()
    async with slow_worker(database_url, f"127.0.0.1:{port}") as worker:
        await worker.until("/healthz")
        assert (await worker.probe("/readyz")) == (503, {"temporal": "not connected yet"})

        async with own_temporal(port):
            await worker.until("/readyz")


async def test_a_process_that_waits_for_temporal_heeds_sigterm(database_url: str) -> None:
    async with slow_worker(database_url, f"127.0.0.1:{free_port()}") as worker:
        await worker.until("/healthz")

        code, seconds = await worker.stop()

    assert code == 0
    assert seconds < 5


async def test_temporal_gone_makes_a_process_unready_never_dead_and_its_end_still_comes(
    database_url: str,
) -> None:
    port = free_port()
    async with slow_worker(database_url, f"127.0.0.1:{port}", FEEDMILL_DRAIN_SECONDS="1") as worker:
        async with own_temporal(port):
            await worker.until("/readyz")

        assert (await worker.probe("/healthz")) == (200, {})
        assert "temporal" in (await worker.probe("/readyz"))[1]
        _, seconds = await worker.stop()

    assert seconds < 10


async def test_temporal_coming_back_makes_it_ready_again(database_url: str) -> None:
    port = free_port()
    async with slow_worker(database_url, f"127.0.0.1:{port}") as worker:
        async with own_temporal(port):
            await worker.until("/readyz")
        assert (await worker.probe("/readyz"))[0] == 503

        async with own_temporal(port):
            await worker.until("/readyz")


async def test_postgres_gone_makes_it_unready_by_name(temporal: Client) -> None:
    nowhere = f"postgresql://me:secret@127.0.0.1:{free_port()}/feeds"
    async with slow_worker(nowhere, address(temporal)) as worker:
        await worker.until("/readyz", status=503)
        while "temporal" in (await worker.probe("/readyz"))[1]:
            await asyncio.sleep(0.05)

        status, wrong = await worker.probe("/readyz")

        assert status == 503
        assert wrong["postgres"].startswith("Postgres did not answer")
        assert "secret" not in json.dumps(wrong)


@pytest.mark.parametrize(
    ("service", "environ", "said"),
    [
        pytest.param("orchestrator", {}, "FEEDMILL_DATABASE_URL: missing", id="missing"),
        pytest.param(
            "fetch",
            {"FEEDMILL_DATABASE_URL": "postgresql://db", "FEEDMILL_ALLOWED_NETWORKS": "home"},
            "FEEDMILL_ALLOWED_NETWORKS",
            id="wrong",
        ),
        pytest.param(
            "gateway",
            {"FEEDMILL_DATABASE_URL": "postgresql://db", "FEEDMILL_TOKN": "x"},
            "FEEDMILL_TOKN: no such setting; did you mean FEEDMILL_TOKEN?",
            id="misspelt",
        ),
    ],
)
async def test_a_wrong_setting_stops_a_service_at_its_start(
    service: str, environ: Mapping[str, str], said: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"feedmill_{service}",
        env={**os.environ, **environ},
        stderr=asyncio.subprocess.PIPE,
    )

    _, errors = await asyncio.wait_for(process.communicate(), 30)

    assert process.returncode == 2
    assert said in errors.decode()
    assert "Traceback" not in errors.decode()
