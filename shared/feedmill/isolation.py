"""Untrusted bytes are read in a process of their own: one that hangs, dies or eats memory costs one outcome."""

import asyncio
import multiprocessing
import resource
from collections.abc import AsyncIterator, Callable
from concurrent.futures import TimeoutError as TaskTimeoutError
from contextlib import asynccontextmanager
from typing import ParamSpec, TypeVar

import pebble

P = ParamSpec("P")
R = TypeVar("R")

# Above anything a real page or feed needed, low enough that two of them do not hurt a laptop.
_MEMORY_BYTES = 2 << 30
# Parsers leak a little; a fresh process now and then is cheaper than finding out which.
_TASKS_PER_PROCESS = 1_000


class IsolationError(Exception):
    """The process was killed, died or ran out of memory; the message says which."""


class IsolatedPool:
    """Processes that run pure functions on untrusted input."""

    def __init__(self, pool: pebble.ProcessPool) -> None:
        self._pool = pool

    async def run(
        self, seconds: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a module-level function elsewhere, for at most `seconds` once it has begun.

        Raises
        ------
        IsolationError
            It took too long, ended its process or wanted too much memory. Other calls go on.
        """
        task = self._pool.schedule(function, args=args, kwargs=kwargs, timeout=seconds)
        try:
            result: R = await asyncio.wrap_future(task)
        except TaskTimeoutError as error:
            raise IsolationError(f"took longer than {seconds:g} s") from error
        except pebble.ProcessExpired as error:
            raise IsolationError(f"ended its process with code {error.exitcode}") from error
        except (MemoryError, RecursionError) as error:
            raise IsolationError(f"ran out: {type(error).__name__}") from error
        return result


@asynccontextmanager
async def open_pool(processes: int) -> AsyncIterator[IsolatedPool]:
    """Open a pool; its processes start with the first call and end with this block."""
    pool = pebble.ProcessPool(
        max_workers=processes,
        max_tasks=_TASKS_PER_PROCESS,
        initializer=_limit_memory,
        # Threads of this process (the SDK core's among them) must not be forked.
        context=multiprocessing.get_context("spawn"),
    )
    try:
        yield IsolatedPool(pool)
    finally:
        pool.stop()  # type: ignore[no-untyped-call]
        await asyncio.to_thread(pool.join)


def _limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
