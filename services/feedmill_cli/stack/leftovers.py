"""Processes of a fleet whose supervisor is gone: found by what it wrote down, and ended."""

import signal
from collections.abc import Sequence
from contextlib import suppress

import psutil

from feedmill_cli.stack.blueprint import BROWSER, SERVICES
from feedmill_cli.stack.processes import same_process, signal_group
from feedmill_cli.stack.state import FleetState, PartState

_OURS = (*SERVICES, BROWSER)

_GRACE_SECONDS = 15.0
_KILLED_SECONDS = 5.0


def leftovers(state: FleetState) -> list[PartState]:
    """Return the parts whose processes still live."""
    return [part for part in state.parts if _process_of(part) is not None]


def end_leftovers(left: Sequence[PartState], *, grace_seconds: float = _GRACE_SECONDS) -> None:
    """End them: our services first, then what they need, each with SIGTERM, a grace and SIGKILL."""
    _end([part for part in left if part.name in _OURS], grace_seconds)
    _end([part for part in left if part.name not in _OURS], grace_seconds)


def _end(left: Sequence[PartState], grace_seconds: float) -> None:
    processes = [process for part in left if (process := _process_of(part)) is not None]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, deaf = psutil.wait_procs(processes, timeout=grace_seconds)
    # Also what the ones that ended left behind in their groups.
    for process in processes:
        signal_group(process.pid, signal.SIGKILL)
    psutil.wait_procs(deaf, timeout=_KILLED_SECONDS)


def _process_of(part: PartState) -> psutil.Process | None:
    if part.pid is None or part.created_at is None:
        return None
    return same_process(part.pid, part.created_at)
