import asyncio
import os
import signal
import subprocess
import sys
import uuid
from datetime import timedelta

import psycopg
import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from feedmill.store.schema import REVISION
from feedmill.worker import prepare
from feedmill.worker.prepare import prepare_namespace, prepare_schema, read_arguments


def test_the_schema_is_brought_up_to_date_and_a_second_time_changes_nothing(
    empty_database_url: str,
) -> None:
    revisions = [prepare_schema(empty_database_url) for _ in range(2)]

    assert revisions == [REVISION, REVISION]
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("select count(*) from feeds").fetchone() == (0,)


async def test_preparing_waits_for_a_database_that_is_still_coming(postgres_url: str) -> None:
    name = f"late_{uuid.uuid4().hex}"
    url = f"{postgres_url.rsplit('/', 1)[0]}/{name}"
    preparing = asyncio.create_task(asyncio.to_thread(prepare_schema, url, 0.05))
    await asyncio.sleep(0.2)
    assert not preparing.done()

    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"create database {name}")

        assert await asyncio.wait_for(preparing, 60) == REVISION
        admin.execute(f"drop database {name} with (force)")


async def test_a_namespace_is_made_once(temporal: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepare, "_RETRY_SECONDS", 0.1)
    config = temporal.config()
    config["namespace"] = f"made-{uuid.uuid4().hex[:8]}"
    elsewhere = Client(**config)

    made = [await prepare_namespace(elsewhere, timedelta(days=9)) for _ in range(2)]

    assert made == [True, False]
    found = await elsewhere.workflow_service.describe_namespace(
        DescribeNamespaceRequest(namespace=elsewhere.namespace)
    )
    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=9)


@pytest.mark.parametrize(
    ("arguments", "retention"),
    [
        pytest.param([], None, id="the namespace is somebody else's to make"),
        pytest.param(["--make-namespace-keeping-days", "7"], timedelta(days=7), id="made here"),
    ],
)
def test_whether_a_namespace_is_made_is_said_on_the_command_line(
    arguments: list[str], retention: timedelta | None
) -> None:
    assert read_arguments(arguments) == retention


def test_preparing_ends_when_it_is_told_to() -> None:
    nowhere = {"FEEDMILL_DATABASE_URL": "postgresql://feedmill@127.0.0.1:1/feedmill"}
    with subprocess.Popen(
        [sys.executable, "-m", "feedmill.worker.prepare"],
        env={**os.environ, **nowhere},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as preparing:
        assert preparing.stdout is not None
        assert "postgres not ready" in preparing.stdout.readline()
        preparing.terminate()

        # By itself: the first process of a container does not end by a signal alone.
        assert preparing.wait(20) == 128 + signal.SIGTERM
