"""`feedmill up --detach`: the supervisor in the background."""

import subprocess
import sys
import time

from feedmill_cli.errors import CommandError
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.logfile import LogFile
from feedmill_cli.stack.state import FleetState, PartStatus

_READY_SECONDS = 180.0
_LOOK_SECONDS = 0.2


def start_detached(folder: Folder, *, ready_seconds: float = _READY_SECONDS) -> FleetState:
    """Start a supervisor that outlives this process, and return once its fleet is ready.

    Raises
    ------
    CommandError
        It ended, or the fleet is not ready yet; then it goes on trying.
    """
    log = LogFile(folder.log("supervisor"))
    log.begin()
    with log.open() as output:
        supervisor = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "feedmill_cli", "up", "--data-dir", str(folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        return _wait(folder, supervisor, log, time.monotonic() + ready_seconds)
    except KeyboardInterrupt:
        supervisor.terminate()
        supervisor.wait()
        raise


def _wait(
    folder: Folder, supervisor: subprocess.Popen[bytes], log: LogFile, deadline: float
) -> FleetState:
    while time.monotonic() < deadline:
        code = supervisor.poll()
        if code is not None:
            message = log.last_line().removeprefix("feedmill: ")
            raise CommandError(message or f"it ended with code {code}", exit_code=code or 1)
        state = folder.state()
        if state.pid == supervisor.pid and state.ready:
            return state
        time.sleep(_LOOK_SECONDS)
    raise CommandError(
        f"not ready yet, and still trying: {_unready(folder.state())}. See {folder.logs}"
    )


def _unready(state: FleetState) -> str:
    late = (part for part in state.parts if part.state is not PartStatus.READY)
    return ", ".join(f"{part.name} is {part.state}" for part in late) or "nothing has begun"
