"""Keeps one part of the fleet running."""

import asyncio
import signal
import time
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable
from contextlib import suppress

from feedmill_cli.stack.backoff import failures_in_a_row, seconds_before_restart
from feedmill_cli.stack.logfile import LogFile, gist
from feedmill_cli.stack.part import Part
from feedmill_cli.stack.processes import created_at, signal_group
from feedmill_cli.stack.state import PartState, PartStatus

# Often while somebody waits for it, seldom once it works.
_IMPATIENT_SECONDS = 0.2
_PATIENT_SECONDS = 3.0
# Even a killed process takes a moment to go.
_HURRIED_SECONDS = 5.0

Probe = Callable[[], Awaitable[bool]]
Report = Callable[[PartState, str], None]
"""Takes how a part stands from now on, and a remark for a person, often empty."""


class Keeper:
    """Starts a part's process, watches it, starts it again when it ends, and ends it when told to."""

    def __init__(self, part: Part, log: LogFile, probe: Probe, report: Report) -> None:
        self.part = part
        self.usable = asyncio.Event()
        self.state = PartState(name=part.name, state=PartStatus.WAITING, url=part.url)
        self._log = log
        self._probe = probe
        self._report = report
        self._ready_since: float | None = None

    async def keep(self, stop: asyncio.Event, hurry: asyncio.Event) -> None:
        """Return once the part is done, or is ended because of `stop`.

        Cancelled, it kills the process: nothing is left behind.
        """
        failures = 0
        while not stop.is_set():
            end = await self._run_once(stop, hurry)
            if stop.is_set():
                break
            if self.part.readiness is None and end == 0:
                self.usable.set()
                self._enter(PartStatus.DONE, pid=None)
                return
            failures = failures_in_a_row(failures, ready_seconds=self._seconds_ready())
            await self._pause(end, seconds_before_restart(failures), stop)
        self.leave()

    def leave(self) -> None:
        """Stand as stopped."""
        self._enter(PartStatus.STOPPED, pid=None)

    async def _run_once(self, stop: asyncio.Event, hurry: asyncio.Event) -> int | OSError:
        self._ready_since = None
        try:
            process = await self._start()
        except OSError as error:
            return error
        try:
            self._enter(PartStatus.STARTING, pid=process.pid)
            return await self._attend(process, stop, hurry)
        finally:
            # Whatever it started must not outlive it, nor it an error of ours.
            signal_group(process.pid, signal.SIGKILL)
            await process.wait()

    async def _start(self) -> Process:
        with self._log.open() as log:
            return await asyncio.create_subprocess_exec(
                *self.part.command,
                env=self.part.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C is for the supervisor, which knows the order in which things end.
                start_new_session=True,
            )

    async def _attend(self, process: Process, stop: asyncio.Event, hurry: asyncio.Event) -> int:
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(stop.wait())
        watching = asyncio.create_task(self._watch())
        try:
            await asyncio.wait({ended, stopped, watching}, return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
            watching.cancel()
            if not ended.done():
                self._enter(PartStatus.STOPPING, pid=process.pid)
                await self._end(process, hurry)
            return await ended
        finally:
            for task in (ended, stopped, watching):
                task.cancel()

    async def _watch(self) -> None:
        while True:
            if await self._probe():
                self._mark_ready()
            elif self.state.state is PartStatus.READY:
                self._enter(PartStatus.RUNNING, pid=self.state.pid)
            ready = self.state.state is PartStatus.READY
            await asyncio.sleep(_PATIENT_SECONDS if ready else _IMPATIENT_SECONDS)
            self._log.cut()

    async def _end(self, process: Process, hurry: asyncio.Event) -> None:
        if not hurry.is_set():
            _signal(process, self.part.stop_signal)
            await _first(process.wait(), hurry.wait(), seconds=self.part.grace_seconds)
        if process.returncode is None:
            _signal(process, self.part.hurry_signal)
            await _first(process.wait(), seconds=_HURRIED_SECONDS)
        _signal(process, signal.SIGKILL)

    async def _pause(self, end: int | OSError, seconds: float, stop: asyncio.Event) -> None:
        self.state = self.state.model_copy(update={"restarts": self.state.restarts + 1})
        remark = f"{self._fate(end)}; again in {seconds:g} s"
        self._enter(PartStatus.RESTARTING, pid=None, remark=remark)
        await _first(stop.wait(), seconds=seconds)

    def _fate(self, end: int | OSError) -> str:
        if isinstance(end, OSError):
            return f"cannot be started: {end}"
        if end < 0:
            return f"ended by signal {-end}"
        last_words = gist(self._log.last_line())
        return f"ended with code {end}" + (f" ({last_words})" if last_words else "")

    def _mark_ready(self) -> None:
        self.usable.set()
        if self.state.state is not PartStatus.READY:
            self._ready_since = time.monotonic()
            self._enter(PartStatus.READY, pid=self.state.pid)

    def _seconds_ready(self) -> float:
        return 0.0 if self._ready_since is None else time.monotonic() - self._ready_since

    def _enter(self, status: PartStatus, *, pid: int | None, remark: str = "") -> None:
        born = self.state.created_at if pid == self.state.pid else pid and created_at(pid)
        self.state = self.state.model_copy(update={"state": status, "pid": pid, "created_at": born})
        self._report(self.state, remark)


async def _first(*waits: Awaitable[object], seconds: float) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(number)
