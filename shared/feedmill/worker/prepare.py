"""`python -m feedmill.worker.prepare`: everything that must be there before a release can work.

It brings the schema up to date and, where it may, makes Temporal's namespace. Safe to run again, and
by several at once; it waits for servers that are still starting.
"""

import argparse
import asyncio
import os
import signal
import time
from collections.abc import Sequence
from datetime import timedelta

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from feedmill.config import LogSettings, StoreSettings, load
from feedmill.errors import StoreUnavailableError
from feedmill.store.migrations import migrate
from feedmill.telemetry.logs import configure_logs, get_logger
from feedmill.worker.connection import connect
from feedmill.worker.namespaces import has_namespace
from feedmill.worker.process import main_of

log = get_logger(__name__)

_RETRY_SECONDS = 2.0
_EXIT_TERMINATED = 128 + signal.SIGTERM


def prepare_schema(database_url: str, retry_seconds: float = _RETRY_SECONDS) -> str:
    """Bring the schema up to date as soon as Postgres answers, and return its revision."""
    while True:
        try:
            return migrate(database_url)
        except StoreUnavailableError as error:
            log.warning("postgres not ready", error=str(error))
            time.sleep(retry_seconds)


async def prepare_namespace(client: Client, retention: timedelta) -> bool:
    """Make the client's namespace if Temporal does not have it; return whether it was made."""
    if await has_namespace(client):
        return False
    period = Duration()
    period.FromTimedelta(retention)
    try:
        await client.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=client.namespace, workflow_execution_retention_period=period
            )
        )
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
        return False
    # The frontends learn of it one after the other.
    while not await has_namespace(client):  # noqa: ASYNC110 - Temporal has nothing to wait on
        await asyncio.sleep(_RETRY_SECONDS)
    return True


def read_arguments(arguments: Sequence[str] | None = None) -> timedelta | None:
    """Return how long a namespace made here keeps closed runs; None: none is made."""
    parser = argparse.ArgumentParser(prog="python -m feedmill.worker.prepare")
    parser.add_argument("--make-namespace-keeping-days", type=int, metavar="DAYS")
    days = parser.parse_args(arguments).make_namespace_keeping_days
    return None if days is None else timedelta(days=days)


def end_when_told() -> None:
    """End with the signal that asks for it, whatever is being waited for.

    The first process of a container ends by no signal that it does not heed. What is cut short is a
    transaction, or is asked for again.
    """
    signal.signal(signal.SIGTERM, lambda *_: os._exit(_EXIT_TERMINATED))


async def main() -> None:
    end_when_told()
    retention = read_arguments()
    settings = load(StoreSettings)
    configure_logs(load(LogSettings), "prepare")
    revision = await asyncio.to_thread(prepare_schema, settings.database_url.get_secret_value())
    log.info("schema ready", revision=revision)
    if retention is not None:
        client = await connect()
        made = await prepare_namespace(client, retention)
        log.info("namespace ready", namespace=client.namespace, made=made)


if __name__ == "__main__":
    main_of(main)
