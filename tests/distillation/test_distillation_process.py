"""The service as a process: what it is told by its settings, and that it works."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from temporalio.client import Client

from feedmill.contracts.queues import TaskQueue
from feedmill.models.distillates import (
    DistillEntries,
    EntriesDistilled,
    EntryDistilled,
)
from feedmill.store import Store
from support.articles import ENGLISH, JAPANESE, store_articles
from support.model_server import open_model_server
from support.programs import free_port

DATABASE = "postgresql://user:password@127.0.0.1:1/none"


@asynccontextmanager
async def running_service(**environ: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "feedmill_distillation",
        env={**os.environ, "FEEDMILL_TELEMETRY_PORT": str(free_port()), **environ},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_a_model_without_an_address_ends_the_process_with_its_name() -> None:
    async with running_service(
        FEEDMILL_DATABASE_URL=DATABASE, FEEDMILL_MODEL_NAME="small"
    ) as process:
        _, said = await process.communicate()

    assert process.returncode == 2
    assert b"FEEDMILL_MODEL_URL is missing" in said


@pytest.mark.parametrize("with_model", [False, True], ids=["no model", "a model"])
async def test_the_process_distils_and_leaves_when_asked(
    temporal: Client, store: Store, database_url: str, with_model: bool
) -> None:
    ids = tuple(await store_articles(store, ENGLISH, JAPANESE))
    async with open_model_server() as server:
        model = {"FEEDMILL_MODEL_URL": server.url, "FEEDMILL_MODEL_NAME": "small"}
        async with running_service(
            FEEDMILL_DATABASE_URL=database_url,
            TEMPORAL_ADDRESS=temporal.service_client.config.target_host,
            FEEDMILL_MODEL_API_KEY="sk-very-secret",
            **(model if with_model else {}),
        ) as process:
            answer = await temporal.execute_activity(
                "distill_entries",
                DistillEntries(entry_ids=ids),
                result_type=EntriesDistilled,
                id=f"distill/{uuid.uuid4()}",
                task_queue=TaskQueue.DISTILLATION,
                schedule_to_close_timeout=timedelta(seconds=60),
            )
            process.terminate()
            _, said = await process.communicate()

    assert answer.outcomes == tuple(EntryDistilled(entry_id=entry_id) for entry_id in ids)
    assert len(server.requests) == (2 if with_model else 0)
    assert process.returncode == 0
    assert b"sk-very-secret" not in said
    assert b"harbour" not in said
