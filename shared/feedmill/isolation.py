"""Untrusted bytes are read in a process of their own: one that hangs, dies or eats memory costs one outcome."""

import asyncio
import logging
import multiprocessing
import resource
from collections.abc import AsyncIterator, Callable
from concurrent.futures import TimeoutError as TaskTimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

import pebble

P = ParamSpec("P")
R = TypeVar("R")

# Above anything a real page or feed needed, low enough that two of them do not hurt a laptop.
_MEMORY_BYTES = 2 << 30
# Parsers may leak a little; a fresh process now and then is cheaper than finding out which. It costs
# as much as 150 feeds, and no process was seen to grow over 14,000 feeds or 5,000 pages.
_TASKS_PER_PROCESS = 10_000
_MESSAGE_CHARACTERS = 200


class IsolationError(Exception):
    """It was killed, died, ran out of memory or raised; the message says which."""


@dataclass(frozen=True)
class _Raised:
    """An error as a value. The error itself may not survive the way between processes."""

    description: str


class IsolatedPool:
    """Processes that run pure functions on untrusted input."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool = _start(processes)

    async def run(
        self, seconds: float, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run a module-level function elsewhere, for at most `seconds` once it has begun.

        Raises
        ------
        IsolationError
            It took too long, ended its process, wanted too much memory or raised. Other calls go
            on.
        """
        try:
            answer = await self._run(seconds, function, args, kwargs)
        except BrokenProcessPool:
            # Somebody else's fault: an idle process was killed, and the pool gave up with it.
            answer = await self._run(seconds, function, args, kwargs)
        if isinstance(answer, _Raised):
            raise IsolationError(answer.description)
        result: R = answer
        return result

    async def close(self) -> None:
        """End every process of the pool, whatever it does."""
        await _end(self._pool)

    async def _run(
        self, seconds: float, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        if not self._pool.active:
            broken, self._pool = self._pool, _start(self._processes)
            await _end(broken)
        task = self._pool.schedule(_attempt, args=(function, args, kwargs), timeout=seconds)
        try:
            return await asyncio.wrap_future(task)
        except TaskTimeoutError as error:
            raise IsolationError(f"took longer than {seconds:g} s") from error
        except pebble.ProcessExpired as error:
            raise IsolationError(f"ended its process with code {error.exitcode}") from error


@asynccontextmanager
async def open_pool(processes: int) -> AsyncIterator[IsolatedPool]:
    """Open a pool; its processes start with the first call and end with this block."""
    pool = IsolatedPool(processes)
    try:
        yield pool
    finally:
        await pool.close()


def _start(processes: int) -> pebble.ProcessPool:
    return pebble.ProcessPool(
        max_workers=processes,
        max_tasks=_TASKS_PER_PROCESS,
        initializer=_confine,
        # Threads of this process (the SDK core's among them) must not be forked.
        context=multiprocessing.get_context("spawn"),
    )


async def _end(pool: pebble.ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble annotates only some of it
    await asyncio.to_thread(pool.join)


def _confine() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    # Libraries log what a hostile page makes them; our own line about it is the caller's.
    logging.disable(logging.CRITICAL)


def _attempt(function: Callable[..., R], args: Any, kwargs: Any) -> R | _Raised:
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the outermost frame of ours in that process
        return _Raised(f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS])
