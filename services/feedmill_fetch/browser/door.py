"""The one door a browser is let out through: a proxy that connects to no address we would not.

Whatever a page's scripts ask for comes by here, be it a name, a number in disguise or a redirect, and is
judged by the address that it leads to. The browser itself looks nothing up.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from feedmill.config import Network
from feedmill.errors import UrlRefusedError
from feedmill.web.addresses import check_url, may_connect
from feedmill.web.names import Resolver

_HEAD_BYTES = 65_536
_HEAD_SECONDS = 10.0
_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 65_536

_REQUEST = re.compile(rb"([A-Z]{1,16}) (\S{1,8192}) HTTP/1\.[01]\r\n")
# What is between the browser and us; the site gets one connection for one request.
_OURS = re.compile(
    rb"^(?:proxy-[^:]*|connection|keep-alive):[^\n]*\n", re.IGNORECASE | re.MULTILINE
)
_OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass
class Allowance:
    """What one page may still cost."""

    connections: int
    bytes_: int

    def connect(self) -> bool:
        self.connections -= 1
        return self.connections >= 0

    def receive(self, size: int) -> bool:
        self.bytes_ -= size
        return self.bytes_ >= 0


@dataclass(frozen=True)
class _Wanted:
    """A connection that a page wants."""

    host: str
    port: int
    first: bytes
    is_tunnel: bool


class Door:
    """A proxy on loopback for one page.

    Attributes
    ----------
    allowance
        What of it is left.
    """

    def __init__(
        self, resolver: Resolver, allowed_networks: Sequence[Network], allowance: Allowance
    ) -> None:
        self.allowance = allowance
        self._resolver = resolver
        self._allowed_networks = tuple(allowed_networks)
        self._guests: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_closed:
            writer.close()
            return
        guest = asyncio.create_task(self._serve(reader, writer), name="browser connection")
        self._guests.add(guest)
        guest.add_done_callback(self._guests.discard)
        # Not by the task itself: one that is cancelled before its first step does nothing.
        guest.add_done_callback(lambda _: writer.close())

    async def close(self) -> None:
        """End every connection, whatever comes over it, and those that are just coming."""
        self._is_closed = True
        for guest in tuple(self._guests):
            guest.cancel()
        await asyncio.gather(*self._guests, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            await self._answer(reader, writer)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_SECONDS):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                return
        wanted = _wanted(head)
        address = await self._address(wanted) if wanted and self.allowance.connect() else None
        if wanted is None or address is None:
            # Without a word: an answer of ours would look to a script like the other side's.
            return
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                theirs, to_them = await asyncio.open_connection(address, wanted.port)
        except (OSError, TimeoutError):
            return
        try:
            if wanted.is_tunnel:
                writer.write(_OPEN)
            to_them.write(wanted.first)
            await self._carry(reader, to_them, theirs, writer)
        finally:
            to_them.close()

    async def _address(self, wanted: _Wanted) -> str | None:
        """Return an address that may be connected to; None when there is none."""
        scheme = "https" if wanted.is_tunnel else "http"
        shown = f"[{wanted.host}]" if ":" in wanted.host else wanted.host
        try:
            checked = check_url(f"{scheme}://{shown}:{wanted.port}/", self._allowed_networks)
            found = await self._resolver.resolve(urlsplit(checked).hostname or "", wanted.port)
        except (UrlRefusedError, OSError):
            return None
        addresses = [each["host"] for each in found]
        # One forbidden address among them is somebody's attempt at another one.
        if not all(may_connect(each, wanted.port, self._allowed_networks) for each in addresses):
            return None
        return addresses[0] if addresses else None

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        to_them: asyncio.StreamWriter,
        theirs: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        there = asyncio.create_task(self._pump(reader, to_them))
        back = asyncio.create_task(self._pump(theirs, writer))
        try:
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
            if there.done() and not back.done():
                # The browser has said all it had to; the answer is still on its way.
                await back
        finally:
            for each in (there, back):
                each.cancel()
            await asyncio.gather(there, back, return_exceptions=True)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while chunk := await source.read(_CHUNK_BYTES):
            if not self.allowance.receive(len(chunk)):
                return
            sink.write(chunk)
            await sink.drain()


def _wanted(head: bytes) -> _Wanted | None:
    """Return what the head of a request to a proxy asks for; None if that is not to be had."""
    found = _REQUEST.match(head)
    if found is None:
        return None
    method, target = found[1], found[2].decode("ascii", "replace")
    try:
        parts = urlsplit(f"//{target}" if method == b"CONNECT" else target)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if not host or parts.username is not None:
        return None
    if method == b"CONNECT":
        return _Wanted(host, port or 443, b"", is_tunnel=True)
    if parts.scheme != "http":
        return None
    path = parts._replace(scheme="", netloc="").geturl() or "/"
    rest = _OURS.sub(b"", head[found.end() : -2])
    first = b"%s %s HTTP/1.1\r\n%sConnection: close\r\n\r\n" % (method, path.encode(), rest)
    return _Wanted(host, port or 80, first, is_tunnel=False)


@asynccontextmanager
async def open_door(
    resolver: Resolver, allowed_networks: Sequence[Network], allowance: Allowance
) -> AsyncIterator[tuple[Door, int]]:
    """Open a door for one page; yields it and the port it is at."""
    door = Door(resolver, allowed_networks, allowance)
    server = await asyncio.start_server(door.let_in, "127.0.0.1", 0, limit=_HEAD_BYTES)
    try:
        yield door, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await door.close()
