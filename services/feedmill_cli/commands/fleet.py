"""`up`, `down` and `status`: the whole fleet on this machine."""

import asyncio
import os
import sys
import time
from typing import Annotated

import psutil
import typer

from feedmill_cli.commands.options import AsJson, DataDir
from feedmill_cli.errors import EXIT_NOT_RUNNING, CommandError
from feedmill_cli.output import open_console
from feedmill_cli.settings import folder_of, load_settings
from feedmill_cli.stack.detached import start_detached
from feedmill_cli.stack.display import addresses, open_display
from feedmill_cli.stack.folder import Folder, FolderTakenError
from feedmill_cli.stack.leftovers import end_leftovers, leftovers
from feedmill_cli.stack.site import check_settings
from feedmill_cli.stack.state import FleetState, page_to_show, page_with_token
from feedmill_cli.stack.status import report, table
from feedmill_cli.stack.supervisor import supervise

_LOOK_SECONDS = 0.1


def up(
    *,
    data_dir: DataDir = None,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once the fleet is ready.")
    ] = False,
) -> None:
    """Start the whole fleet here, and keep it running until Ctrl-C."""
    settings = load_settings()
    asked = check_settings(settings, os.environ)
    folder = folder_of(settings, data_dir)
    folder.make()
    try:
        if detach:
            _start_in_background(folder)
        else:
            with folder.locked():
                asyncio.run(supervise(folder, asked, open_display(open_console())))
    except FolderTakenError as error:
        raise CommandError(_already_running(folder, error.pid)) from error


def down(*, data_dir: DataDir = None) -> None:
    """End the fleet that runs here, and wait until all of it has ended."""
    folder = folder_of(load_settings(), data_dir)
    pid = folder.holder()
    if pid is not None:
        _end_supervisor(folder, pid)
        print("Feedmill has ended.")
    elif left := leftovers(folder.state()):
        with folder.locked():
            end_leftovers(left)
        print(f"Ended what was left of a fleet: {', '.join(part.name for part in left)}.")
    else:
        print(f"Feedmill is not running in {folder.path}.")


def status(*, data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show what runs here and where; exit code 3 when nothing does."""
    folder = folder_of(load_settings(), data_dir)
    answer = report(folder)
    if as_json:
        print(answer.model_dump_json(indent=2))
    else:
        open_console().print(table(answer), soft_wrap=True)
    if not answer.running:
        raise typer.Exit(EXIT_NOT_RUNNING)


def _start_in_background(folder: Folder) -> None:
    holder = folder.holder()
    if holder is not None:
        raise FolderTakenError(folder.path, holder)
    began = time.monotonic()
    state = start_detached(folder)
    print(f"Feedmill is ready in {time.monotonic() - began:.1f} s")
    for line in _addresses(folder, state):
        print(line)


def _addresses(folder: Folder, state: FleetState) -> list[str]:
    if state.urls is None:
        return []
    return addresses(state.urls, page_with_token(state.urls, folder.token() or ""))


def _already_running(folder: Folder, pid: int | None) -> str:
    urls = folder.state().urls
    told = f"already running in {folder.path} (pid {pid})"
    if urls is None:
        return told
    page = page_to_show(urls, folder.token() or "", terminal=sys.stderr.isatty())
    return f"{told}: {page}"


def _end_supervisor(folder: Folder, pid: int) -> None:
    try:
        psutil.Process(pid).terminate()
    except psutil.NoSuchProcess:
        return
    except psutil.AccessDenied as error:
        raise CommandError(f"the fleet (pid {pid}) belongs to another user") from error
    # It bounds its own end: a drain, a grace, then SIGKILL for whatever is left.
    while folder.holder() == pid:
        time.sleep(_LOOK_SECONDS)
