"""Processes by number."""

import os
import signal
from contextlib import suppress

import psutil

# The kernel counts from boot, and the time of boot moves when the clock is set.
_CLOCK_SECONDS = 2.0


def created_at(pid: int) -> float | None:
    """Return when a process was created (seconds since 1970); None when there is none."""
    with suppress(psutil.NoSuchProcess):
        return float(psutil.Process(pid).create_time())
    return None


def same_process(pid: int, created_at: float) -> psutil.Process | None:
    """Return the process with this number if it lives and is not a later one with the same number."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        same = abs(process.create_time() - created_at) <= _CLOCK_SECONDS
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the process group that a part's process leads; nobody being left in it is fine."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)
