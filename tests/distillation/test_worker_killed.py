"""A worker killed in the middle of a slice, as a process on a real Temporal: what is asked twice."""

import asyncio
import os
import signal
import sys
import uuid
from collections import Counter
from datetime import timedelta

from temporalio.client import Client

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue
from feedmill.models.distillates import DistillEntries, EntriesDistilled, EntryDistilled
from feedmill.store import Store
from support import model_server as serve
from support.articles import store_articles
from support.model_server import ModelServer, open_model_server
from support.programs import free_port

_ENTRIES, _CONCURRENCY = 40, 4


async def start_worker(
    temporal: Client, database_url: str, server: ModelServer, **environ: str
) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "feedmill_distillation",
        env={
            **os.environ,
            "FEEDMILL_TELEMETRY_PORT": str(free_port()),
            "FEEDMILL_DATABASE_URL": database_url,
            "FEEDMILL_MODEL_URL": server.url,
            "FEEDMILL_MODEL_NAME": "small",
            "FEEDMILL_MODEL_CONCURRENCY": str(_CONCURRENCY),
            "TEMPORAL_ADDRESS": temporal.service_client.config.target_host,
            **environ,
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_a_killed_worker_repeats_at_most_the_calls_in_flight(
    temporal: Client, store: Store, database_url: str
) -> None:
    ids = await store_articles(store, *(f"Article {n} says this." for n in range(_ENTRIES)))
    async with open_model_server() as server:
        server.usual = serve.slow(0.2)
        first = await start_worker(temporal, database_url, server)
        running = await temporal.start_activity(
            "distill_entries",
            DistillEntries(entry_ids=tuple(ids)),
            result_type=EntriesDistilled,
            id=f"distill/{uuid.uuid4()}",
            task_queue=TaskQueue.DISTILLATION,
            schedule_to_close_timeout=timedelta(seconds=90),
            heartbeat_timeout=timedelta(seconds=4),
            retry_policy=options.DISTILL_ENTRIES["retry_policy"],
        )
        try:
            async with asyncio.timeout(40):
                while len(server.requests) < _ENTRIES // 2:
                    await asyncio.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            await first.communicate()
            second = await start_worker(temporal, database_url, server)
            try:
                answer = await running.result()
            finally:
                second.terminate()
                await second.communicate()
        finally:
            if first.returncode is None:
                first.kill()
                await first.communicate()

    assert answer.outcomes == tuple(EntryDistilled(entry_id=entry_id) for entry_id in ids)
    asked = Counter(request.article for request in server.requests)
    assert len(asked) == _ENTRIES
    assert sum(asked.values()) - _ENTRIES <= _CONCURRENCY


async def test_the_key_is_nowhere_to_be_found(
    temporal: Client, store: Store, database_url: str
) -> None:
    """Not in logs, not in history, not among the metrics, whatever the endpoint says."""
    key, port = "sk-very-secret", free_port()
    [entry_id] = await store_articles(store, "The harbour is open.")
    async with open_model_server() as server:
        server.script(serve.error(429, f"slow down, {key}", headers={"Retry-After": "1"}))
        server.script(serve.error(500, f"bad key {key} for The harbour is open."))
        worker = await start_worker(
            temporal,
            database_url,
            server,
            FEEDMILL_MODEL_API_KEY=key,
            FEEDMILL_TELEMETRY_PORT=str(port),
            FEEDMILL_LOG_LEVEL="debug",
        )
        try:
            running = await temporal.start_activity(
                "distill_entries",
                DistillEntries(entry_ids=(entry_id,)),
                result_type=EntriesDistilled,
                id=f"distill/{uuid.uuid4()}",
                task_queue=TaskQueue.DISTILLATION,
                schedule_to_close_timeout=timedelta(seconds=60),
            )
            await running.result()
            described = repr(vars(await running.describe()))
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
            metrics = await reader.read()
            writer.close()
        finally:
            worker.terminate()
            said, _ = await worker.communicate()

    assert {request.authorization for request in server.requests} == {f"Bearer {key}"}
    assert b"feedmill_model_seconds" in metrics
    assert b"HTTP 429" in said
    for shown in (said.decode(), described, metrics.decode()):
        assert key not in shown
        assert "harbour" not in shown
