"""Pages on loopback, in a process of their own that costs as little as it can.

Each host is an address of its own. Prints a line once it listens, and ends when its input does.
"""

import argparse
import asyncio
import sys
from typing import cast

import uvloop

from farm import listen
from page_plan import PlannedPage, pages

_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class _Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as a GET needs."""

    def __init__(self, answers: list[bytes]) -> None:
        self._answers = answers
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            self._received = self._received[end + 4 :]
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        path = head[4 : head.index(b" ", 4)]
        if not path.startswith(b"/page/"):
            return _MISSING
        return self._answers[int(path[6:]) % len(self._answers)]


async def main() -> None:
    arguments = _arguments()
    answers = [_answer(page) for page in pages(arguments.pages, arguments.seed)]
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Connection(answers), sock=listen(arguments.port))
    print("{}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


def _answer(page: PlannedPage) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Encoding: gzip\r\n"
        b'ETag: "1"\r\nContent-Length: %d\r\n\r\n%s'
    ) % (len(page.packed), page.packed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=160)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main())
