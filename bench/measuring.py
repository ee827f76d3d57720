"""What a pass costs: CPU of whole process trees, memory, and how late the event loop wakes up."""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.01


@dataclass
class LoopLag:
    """How late, in seconds, each sample came."""

    samples: list[float] = field(default_factory=list)

    def most(self) -> float:
        return max(self.samples, default=0.0)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.samples)
        return ordered[int(share * (len(ordered) - 1))] if ordered else 0.0


@asynccontextmanager
async def watched_loop() -> AsyncIterator[LoopLag]:
    """Sample the lag of the running event loop while the block lasts."""
    lag = LoopLag()
    task = asyncio.create_task(_sample(lag.samples))
    try:
        yield lag
    finally:
        task.cancel()


def cpu_seconds(pid: int) -> float:
    """Return what a process, its descendants and those of them that have ended have used."""
    return sum(_own_and_reaped(process) for process in _tree(pid))


def own_cpu_seconds(pid: int) -> float:
    """Return what a process itself has used, all threads together."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def peak_megabytes(pid: int) -> float:
    """Return the most memory a process has had. `ru_maxrss` would start from its parent's."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE)
    return int(kilobytes[1]) * 1_024 / 1e6 if kilobytes else 0.0


def children_megabytes(pid: int) -> float:
    """Return the resident memory of a process's descendants."""
    return sum(process.memory_info().rss for process in _tree(pid)[1:]) / 1e6


def _tree(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _own_and_reaped(process: psutil.Process) -> float:
    # One that ends just now is counted by its parent.
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


async def _sample(samples: list[float]) -> None:
    while True:
        due = time.monotonic() + _SAMPLE_SECONDS
        await asyncio.sleep(_SAMPLE_SECONDS)
        samples.append(max(0.0, time.monotonic() - due))
