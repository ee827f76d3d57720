"""A server on loopback that sends the very bytes it is told, which no HTTP library would send.

async with open_wire(answer) as wire:
    await get(client, wire.url("/"))
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

Talk = Callable[["Wire", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What is said on one connection; it is closed afterwards."""

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Wire:
    """Who came, and what they sent."""

    def __init__(self, scheme: str, address: str) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self.port = 0
        self.address = address
        self._scheme = scheme

    def url(self, path: str, host: str = "") -> str:
        return f"{self._scheme}://{host or self.address}:{self.port}{path}"

    async def hear(self, reader: asyncio.StreamReader) -> bytes:
        """Return the head of the next request; empty when nobody asks any more."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        self.heads.append(head)
        return head


@asynccontextmanager
async def open_wire(
    talk: Talk, tls: ssl.SSLContext | None = None, *, address: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Wire]:
    """Serve while the block lasts."""
    wire = Wire("https" if tls else "http", address)

    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire.connections += 1
        this = asyncio.current_task()
        assert this is not None
        talks.add(this)
        # Cut off in the middle, by the client or by the end of the block.
        with suppress(ConnectionError, asyncio.CancelledError):
            await talk(wire, reader, writer)
        talks.discard(this)
        writer.close()

    server = await asyncio.start_server(serve, address, port, ssl=tls)
    wire.port = server.sockets[0].getsockname()[1]
    try:
        yield wire
    finally:
        server.close()
        for each in talks:
            each.cancel()
        await asyncio.gather(*talks)


@contextmanager
def deaf(address: str, port: int = 0) -> Iterator[int]:
    """Listen on a port where nobody accepts, and the queue of those who wait for that is full."""
    with (
        socket.create_server((address, port), backlog=0) as server,
        socket.create_connection(server.getsockname()),
        socket.socket() as second,
    ):
        second.setblocking(False)
        second.connect_ex(server.getsockname())
        yield int(server.getsockname()[1])


def saying(*parts: bytes, pause_seconds: float = 0) -> Talk:
    """Answer the first request of each connection with these bytes, and hang up."""

    async def talk(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await wire.hear(reader):
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(pause_seconds)

    return talk


def redirecting(location: str, status: int = 302) -> Talk:
    """Send everybody who asks elsewhere."""
    return saying(
        f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
    )


def serving(answer: bytes = OK) -> Talk:
    """Answer every request of a connection with these bytes."""

    async def talk(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await wire.hear(reader):
            writer.write(answer)
            await writer.drain()

    return talk


def deserting(last_words: bytes = b"", *, after: float = 0) -> Talk:
    """Answer the first request of each connection well, and hang up so many seconds after the second."""

    async def talk(wire: Wire, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await wire.hear(reader):
            writer.write(OK)
            await writer.drain()
            await wire.hear(reader)
            await asyncio.sleep(after)
            writer.write(last_words)

    return talk
