"""Host names as addresses: looked up in threads of their own, and failures remembered for a while."""

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from aiohttp.abc import AbstractResolver, ResolveResult

# A look-up that hangs holds its thread; the others go on beside it.
_THREADS = 32
_SECONDS = 10.0
# Feeds of one dead host come one after the other.
_FAILURE_SECONDS = 30.0
_FAILURES = 1_000

AddressInfo = tuple[int, int, int, str, tuple[str | int, ...] | tuple[int, bytes]]
"""One of `socket.getaddrinfo`'s answers."""

LookUp = Callable[[str, int], Sequence[AddressInfo]]
"""Finds the addresses of a name, in a thread; raises what `socket.getaddrinfo` would."""


def ask_system(host: str, port: int) -> Sequence[AddressInfo]:
    """Look a name up the way every other program on this machine does."""
    # No IPv6 addresses where there is no IPv6.
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)


class Resolver(AbstractResolver):
    """Finds addresses without holding up anything but who waits for them."""

    def __init__(self, look_up: LookUp, threads: ThreadPoolExecutor) -> None:
        self._look_up = look_up
        self._threads = threads
        self._failures: OrderedDict[str, tuple[float, socket.gaierror]] = OrderedDict()

    async def resolve(
        self,
        host: str,
        port: int = 0,
        family: socket.AddressFamily = socket.AF_UNSPEC,  # noqa: ARG002 - the library names it
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises
        ------
        socket.gaierror
            It has none (`EAI_NONAME`, `EAI_NODATA`), or nobody could tell just now.
        """
        until, failure = self._failures.get(host, (0.0, None))
        if failure is not None and time.monotonic() < until:
            # A new one: an exception that is raised twice grows its traceback each time.
            raise socket.gaierror(*failure.args)
        try:
            found = await self._found(host, port)
        except socket.gaierror as error:
            self._remember(host, error)
            raise
        return [_result(host, each) for each in found]

    async def close(self) -> None:
        """Forget nothing, free nothing: the threads end with the session."""

    async def _found(self, host: str, port: int) -> Sequence[AddressInfo]:
        try:
            async with asyncio.timeout(_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._look_up, host, port
                )
        except TimeoutError as error:
            raise socket.gaierror(socket.EAI_AGAIN, "no name server answered in time") from error
        except UnicodeError as error:
            raise socket.gaierror(socket.EAI_NONAME, "no name that could be looked up") from error

    def _remember(self, host: str, error: socket.gaierror) -> None:
        self._failures[host] = (time.monotonic() + _FAILURE_SECONDS, error)
        self._failures.move_to_end(host)
        if len(self._failures) > _FAILURES:
            self._failures.popitem(last=False)


@asynccontextmanager
async def open_resolver(look_up: LookUp = ask_system) -> AsyncIterator[Resolver]:
    """Open a resolver; look-ups that hang are left behind when the block ends."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="look-up")
    try:
        yield Resolver(look_up, threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, found: AddressInfo) -> ResolveResult:
    family, _, protocol, _, address = found
    return ResolveResult(
        hostname=host,
        host=str(address[0]),
        port=int(address[1]),
        family=family,
        proto=protocol,
        flags=socket.AI_NUMERICHOST,
    )
