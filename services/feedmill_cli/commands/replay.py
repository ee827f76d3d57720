"""`replay`: whether another release can go on with the runs of this one."""

import os
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from feedmill_cli.commands.options import DataDir
from feedmill_cli.settings import folder_of, load_settings


class What(StrEnum):
    RECORD = "record"
    CHECK = "check"


def replay(
    what: Annotated[What, typer.Argument(help="record: from the running fleet; check: the files.")],
    folder: Annotated[Path, typer.Argument(help="Where the histories are kept.")],
    *,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Newest of each workflow.")] = 20,
    data_dir: DataDir = None,
) -> None:
    """Record the runs of the fleet, or check that what is installed here can go on with them."""
    environment = dict(os.environ)
    if what is What.RECORD:
        from feedmill_cli.temporal.place import address_of  # noqa: PLC0415 - a second that checking does not need

        address = address_of(folder_of(load_settings(), data_dir), os.environ)
        environment |= {} if address is None else {"TEMPORAL_ADDRESS": address}
    # The workflows are the orchestrator's, and services know nothing of one another.
    command = [sys.executable, "-m", "feedmill_orchestrator.replaying", what, str(folder)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        [*command, "--runs", str(runs)], env=environment, check=False
    )
    raise typer.Exit(done.returncode)
