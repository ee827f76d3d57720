"""Untrusted bytes are read in a process of their own: one that hangs, dies or eats memory costs one outcome."""

import asyncio
import logging
import multiprocessing
import resource
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import TimeoutError as TaskTimeoutError
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

import pebble

P = ParamSpec("P")
R = TypeVar("R")

# Above anything a real page or feed needed, low enough that two of them do not hurt a laptop.
_MEMORY_BYTES = 2 << 30
# Parsers may leak a little; a fresh process now and then is cheaper than finding out which. It costs
# as much as 150 feeds, and no process was seen to grow over 14,000 feeds or 5,000 pages.
_TASKS_PER_PROCESS = 10_000
_MESSAGE_CHARACTERS = 200

# Sending a call and taking its answer costs a third of what reading a feed does.
_MOST_TOGETHER = 8
_MOST_SENT_TOGETHER = 200_000
# One that runs and one that waits in front of it: no process idles while an answer is taken.
_SENDINGS_PER_PROCESS = 2
# The pool ends whatever takes too long by itself, unless it loses a call in the moment in which it
# breaks. Starting a process is part of it.
_LOST_SECONDS = 60.0


class IsolationError(Exception):
    """It was killed, died, ran out of memory or raised; the message says which."""


@dataclass(frozen=True)
class _Raised:
    """An error as a value. The error itself may not survive the way between processes."""

    description: str


@dataclass(frozen=True)
class _Call:
    """A call that waits for a process."""

    seconds: float
    function: Callable[..., Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    answer: asyncio.Future[Any] = field(compare=False)

    @property
    def size(self) -> int:
        """How much it sends, in bytes or characters, as far as that is much."""
        sent = (*self.args, *self.kwargs.values())
        return sum(len(arg) for arg in sent if isinstance(arg, bytes | str))


class IsolatedPool:
    """Processes that run pure functions on untrusted input.

    Small calls that wait at the same time go to a process together. One among them that takes it
    down costs the others no more than time: each is run again, alone.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool = _start(processes)
        self._waiting: deque[_Call] = deque()
        self._sendings: set[asyncio.Task[None]] = set()

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
        call = _Call(seconds, function, args, kwargs, asyncio.get_running_loop().create_future())
        self._waiting.append(call)
        if len(self._sendings) < self._processes * _SENDINGS_PER_PROCESS:
            self._sendings.add(asyncio.create_task(self._send_waiting(), name="isolated calls"))
        result: R = await call.answer
        return result

    async def close(self) -> None:
        """End every process of the pool, whatever it does."""
        for sending in tuple(self._sendings):
            sending.cancel()
        await _end(self._pool)

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                # No process gets all of them while another has none.
                share = -(-len(self._waiting) // self._processes)
                await self._send(_next_together(self._waiting, share))
        finally:
            # At once, and not when its end is noticed: who comes in between would wait forever.
            self._sendings.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _send(self, calls: Sequence[_Call]) -> None:
        try:
            answers = await self._run_again_if_broken(calls)
        except IsolationError as error:
            if len(calls) == 1:
                _answer(calls[0], error)
                return
            # One of them is at fault, and nobody knows which.
            for call in calls:
                await self._send([call])
        except Exception as error:  # noqa: BLE001 - each of those who wait raises it
            for call in calls:
                _answer(call, error)
        else:
            for call, answer in zip(calls, answers, strict=True):
                _answer(call, answer)

    async def _run_again_if_broken(self, calls: Sequence[_Call]) -> Sequence[Any]:
        try:
            return await self._run(calls)
        except BrokenProcessPool:
            # Somebody else's fault: an idle process was killed, and the pool gave up with it.
            return await self._run(calls)

    async def _run(self, calls: Sequence[_Call]) -> Sequence[Any]:
        if not self._pool.active:
            broken, self._pool = self._pool, _start(self._processes)
            await _end(broken)
        seconds = max(call.seconds for call in calls)
        task = self._pool.schedule(
            _attempt_all,
            args=([(call.function, call.args, call.kwargs) for call in calls],),
            timeout=seconds,
        )
        try:
            async with asyncio.timeout(_SENDINGS_PER_PROCESS * seconds + _LOST_SECONDS):
                answers: Sequence[Any] = await asyncio.wrap_future(task)
        except TaskTimeoutError as error:
            raise IsolationError(f"took longer than {seconds:g} s") from error
        except pebble.ProcessExpired as error:
            raise IsolationError(f"ended its process with code {error.exitcode}") from error
        return answers


def _next_together(waiting: deque[_Call], share: int) -> Sequence[_Call]:
    """Take those that are sent next, at most `share`; a large one goes alone."""
    together = [waiting.popleft()]
    size = together[0].size
    while waiting and len(together) < min(share, _MOST_TOGETHER):
        size += waiting[0].size
        if size > _MOST_SENT_TOGETHER:
            break
        together.append(waiting.popleft())
    return together


def _answer(call: _Call, answer: Any) -> None:
    if call.answer.done():
        # Whoever waited for it has been cancelled.
        return
    if isinstance(answer, _Raised):
        call.answer.set_exception(IsolationError(answer.description))
    elif isinstance(answer, Exception):
        call.answer.set_exception(answer)
    else:
        call.answer.set_result(answer)


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


def _attempt_all(calls: Sequence[tuple[Callable[..., Any], Any, Any]]) -> Sequence[Any]:
    return [_attempt(*call) for call in calls]


def _attempt(function: Callable[..., R], args: Any, kwargs: Any) -> R | _Raised:
    try:
        return function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - the outermost frame of ours in that process
        return _Raised(f"{type(error).__name__}: {error}"[:_MESSAGE_CHARACTERS])
