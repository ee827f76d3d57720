"""The DevTools protocol, as much of it as rendering a page takes, over two pipes and no port."""

import asyncio
import fcntl
import itertools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

# What a page can make of one message: its markup, quoted.
_MESSAGE_BYTES = 64 << 20
# Chromium wants its pipes to be 3 and 4; these are out of their way.
_HIGH_DESCRIPTOR = 20
_LAUNCHER = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execvp(sys.argv[3], sys.argv[3:])"
)

Heard = Callable[[str, Mapping[str, Any]], None]
"""Called with each event's name and parameters."""


class BrowserGoneError(Exception):
    """The browser ended, or never began."""


class BrowserRefusedError(Exception):
    """The browser would not do what it was told."""


class DevTools:
    """A conversation with a browser: calls, their answers, and events of its sessions."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.WriteTransport) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._listeners: dict[str, Heard] = {}
        self._listening = asyncio.create_task(self._listen(), name="devtools")

    @property
    def is_over(self) -> bool:
        return self._listening.done()

    async def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Tell the browser to do something, and return its answer.

        Raises
        ------
        BrowserGoneError
            It ended meanwhile.
        BrowserRefusedError
            It would not.
        """
        if self.is_over:
            raise BrowserGoneError("the browser has ended")
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        self._writer.write(json.dumps(message).encode() + b"\0")
        try:
            return await answer
        finally:
            del self._calls[number]

    def listen(self, session: str, heard: Heard) -> None:
        """Have the events of a session heard, in place of nobody."""
        self._listeners[session] = heard

    def forget(self, session: str) -> None:
        self._listeners.pop(session, None)

    def close(self) -> None:
        self._listening.cancel()
        self._writer.close()

    async def _listen(self) -> None:
        try:
            while True:
                raw = await self._reader.readuntil(b"\0")
                self._take(json.loads(raw[:-1]))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
            pass
        finally:
            for call in self._calls.values():
                if not call.done():
                    call.set_exception(BrowserGoneError("the browser has ended"))

    def _take(self, message: Mapping[str, Any]) -> None:
        call = self._calls.get(message.get("id", 0))
        if call is not None and not call.done():
            if "error" in message:
                call.set_exception(BrowserRefusedError(str(message["error"].get("message"))))
            else:
                call.set_result(message.get("result", {}))
        elif "method" in message:
            heard = self._listeners.get(message.get("sessionId", ""))
            if heard is not None:
                heard(message["method"], message.get("params", {}))


async def launch(command: list[str], python: str) -> tuple[asyncio.subprocess.Process, DevTools]:
    """Start a browser that listens on its pipes, as the leader of a process group of its own."""
    hears, we_say = os.pipe()
    we_hear, says = os.pipe()
    hears, says = _out_of_the_way(hears), _out_of_the_way(says)
    try:
        process = await asyncio.create_subprocess_exec(
            python,
            "-c",
            _LAUNCHER,
            str(hears),
            str(says),
            *command,
            pass_fds=(hears, says),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            # It writes pages of warnings that nobody can do anything about.
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        os.close(hears)
        os.close(says)
    return process, await _converse(we_hear, we_say)


async def _converse(we_hear: int, we_say: int) -> DevTools:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_MESSAGE_BYTES)
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(we_hear, "rb", 0)
    )
    writer, _ = await loop.connect_write_pipe(asyncio.Protocol, os.fdopen(we_say, "wb", 0))
    return DevTools(reader, writer)


def _out_of_the_way(descriptor: int) -> int:
    high = fcntl.fcntl(descriptor, fcntl.F_DUPFD, _HIGH_DESCRIPTOR)
    os.close(descriptor)
    return high
