"""The real things tests run against: Postgres, Temporal, and a store on a fresh database."""

import os
import shutil
import subprocess
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from feedmill.config import StoreSettings
from feedmill.store import Store, open_store
from feedmill.store.migrations import migrate
from support.programs import binary, embedded_postgres

POSTGRES_IMAGE = "postgres:16"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> None:
    """A developer's own settings must not decide a test."""
    for name in list(os.environ):
        if name.startswith(("FEEDMILL_", "TEMPORAL_")):
            del os.environ[name]
    # Nor may the fleets of test processes that run beside each other take each other's ports.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ["FEEDMILL_FLEET_NUMBER"] = str(1 + int(worker))


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Postgres: in a container where a Docker engine answers, else from the wheel."""
    if _docker_answers():
        from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - loads a Docker client

        with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
            yield container.get_connection_url()
    else:
        with embedded_postgres(tmp_path_factory.mktemp("postgres")) as url:
            yield url


@pytest.fixture
def database_url(postgres_url: str, migrated_template: str) -> Iterator[str]:
    """A database of its own for each test, copied from a migrated one."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(migrated_template)
            )
        )
        yield _in_database(postgres_url, name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def migrated_template(postgres_url: str) -> str:
    """The name of a database with the current schema and no rows."""
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("create database migrated")
    migrate(_in_database(postgres_url, "migrated"))
    return "migrated"


@pytest.fixture
def empty_database_url(postgres_url: str) -> Iterator[str]:
    """A database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield _in_database(postgres_url, name)
        admin.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest_asyncio.fixture
async def store(database_url: str) -> AsyncIterator[Store]:
    """A store on a database of its own."""
    async with open_store(StoreSettings(database_url=database_url, database_pool_size=5)) as opened:
        yield opened


# Usually several, with half a minute between the last of them.
_FAILURES_UNTIL_REPORTED = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"


@pytest_asyncio.fixture
async def time_skipping() -> AsyncIterator[Client]:
    """A Temporal whose clock jumps to the next timer: one for each test, so that its clock is right."""
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_existing_path=binary("temporal-test-server"),
        data_converter=pydantic_data_converter,
    ) as environment:
        yield environment.client


@pytest_asyncio.fixture(scope="session")
async def temporal_server() -> AsyncIterator[Client]:
    """A real Temporal server, in memory, with visibility and schedules, for all tests."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", f"{_FAILURES_UNTIL_REPORTED}=1"],
        data_converter=pydantic_data_converter,
    ) as environment:
        yield environment.client


@pytest_asyncio.fixture
async def temporal(temporal_server: Client) -> Client:
    """The same, with nothing running: a test's workers would do what other tests have left as well."""
    async for left in temporal_server.list_workflows("ExecutionStatus = 'Running'"):
        run = temporal_server.get_workflow_handle(left.id, run_id=left.run_id)
        # It may have ended meanwhile.
        with suppress(RPCError):
            await run.terminate("left by another test")
    return temporal_server


def _docker_answers() -> bool:
    docker = shutil.which("docker")
    if docker is None:
        return False
    return subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


def _in_database(url: str, name: str) -> str:
    return f"{url.rsplit('/', 1)[0]}/{name}"
