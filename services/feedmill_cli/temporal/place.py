"""Where Temporal is: the one that is named, or the one that runs here."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

from temporalio.client import Client
from temporalio.service import RPCError

from feedmill.worker.connection import connect_once
from feedmill_cli.errors import EXIT_NOT_RUNNING, CommandError, NotRunningError
from feedmill_cli.settings import folder_of, load_settings
from feedmill_cli.stack import ports
from feedmill_cli.stack.folder import Folder
from feedmill_cli.told import told

T = TypeVar("T")

# Any of them says: there is a Temporal elsewhere.
_NAMED = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
_SECONDS = 10.0
_PARTING_SECONDS = 0.1


def ask_temporal(request: Callable[[Client], Awaitable[T]], data_dir: Path | None) -> T:
    """Run `request` with the Temporal a person means.

    Raises
    ------
    CommandError
        There is none, it does not answer, or it refuses.
    """
    settings = load_settings()
    address = address_of(folder_of(settings, data_dir), os.environ)
    with told(settings):
        return asyncio.run(_ask(request, address, settings.keys()))


def address_of(folder: Folder, environ: Mapping[str, str]) -> str | None:
    """Return the address of the Temporal that runs here; None when the environment names another.

    Raises
    ------
    NotRunningError
        None is named, and none runs here.
    """
    if any(environ.get(name) for name in _NAMED):
        return None
    port = folder.state().ports.get(ports.TEMPORAL)
    if folder.holder() is None or port is None:
        raise NotRunningError(
            "there is no Temporal to ask: set TEMPORAL_ADDRESS, or start `feedmill up`",
            exit_code=EXIT_NOT_RUNNING,
        )
    return f"127.0.0.1:{port}"


async def _ask(
    request: Callable[[Client], Awaitable[T]], address: str | None, keys: Mapping[str, bytes]
) -> T:
    try:
        async with asyncio.timeout(_SECONDS):
            client = await connect_once(address, keys)
        try:
            return await request(client)
        finally:
            # The client's thread that brought the last answer must be out of Python before the
            # command ends, or it takes the whole process down with it.
            await asyncio.sleep(_PARTING_SECONDS)
    except (TimeoutError, RuntimeError) as error:
        raise CommandError(
            f"Temporal does not answer: {str(error) or 'no answer in time'}"
        ) from error
    except RPCError as error:
        raise CommandError(f"Temporal refuses: {error.message}") from error
