"""Thousands of feeds on loopback, in a process of their own that costs as little as it can.

Each host is an address of its own, so that politeness per host is real. Lines of JSON on standard input
say what to do, lines of JSON on standard output answer: see `Farm.obey`.
"""

import argparse
import asyncio
import json
import socket
import sys
import time
from typing import Any, cast

import uvloop

from farm_plan import Behaviour, Body, Misdeed, Scene, behaviours, body, hosts_of_feeds
from farm_record import Manners, Record

_BACKLOG = 4_096
_SILENCE_SECONDS = 5.0
_RETRY_AFTER_SECONDS = 3
_LAST_MODIFIED = b"Mon, 05 Jan 2026 06:00:00 GMT"
_PLAIN = {
    Misdeed.MISSING: b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    Misdeed.BROKEN: b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n",
    Misdeed.BUSY: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: %d\r\nContent-Length: 0\r\n\r\n"
    % _RETRY_AFTER_SECONDS,
}


class _Feed:
    """One feed: what it shows now, and how it answers in this scene."""

    def __init__(self, number: int, host: str, port: int, seed: int) -> None:
        self.number = number
        self.host = host
        self.url = f"http://{host}:{port}/feed/{number}"
        self.behaviour = Behaviour(changes=False, delay_seconds=0, misdeed=None)
        self._base = f"http://{host}:{port}"
        self._seed = seed
        self._show(0)

    def begin(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        if behaviour.changes:
            self._show(self._version + 1)

    def forget(self) -> None:
        if self._version:
            self._show(0)

    def answer(self, head: bytes) -> tuple[str, bytes]:
        if b"\r\nif-none-match: " + self.etag in head:
            return "304", self.not_modified
        if self.packed is not None and b"gzip" in head:
            return "200", self.packed
        return "200", self.plain

    def _show(self, version: int) -> None:
        self._version = version
        self.etag = b'"%d-%d"' % (self.number, version)
        marks = b"ETag: %s\r\nLast-Modified: %s\r\n" % (self.etag, _LAST_MODIFIED)
        self.not_modified = b"HTTP/1.1 304 Not Modified\r\n%s\r\n" % marks
        shown = body(self.number, version, self._base, self._seed)
        self.plain = _ok(shown, marks, shown.plain, b"")
        self.packed = shown.packed and _ok(
            shown, marks, shown.packed, b"Content-Encoding: gzip\r\n"
        )


def _ok(shown: Body, marks: bytes, sent: bytes, encoding: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\nContent-Type: %s; charset=utf-8\r\n%s%sContent-Length: %d\r\n\r\n%s"
    ) % (shown.media_type.encode(), marks, encoding, len(sent), sent)


class Farm:
    """All feeds, and the record of who asked for them how."""

    def __init__(self, feeds: int, port: int, seed: int) -> None:
        self.record = Record()
        self._hosts = hosts_of_feeds(feeds, seed)
        self.feeds = [_Feed(number, host, port, seed) for number, host in enumerate(self._hosts)]
        self._seed = seed
        self._cpu_seconds = time.process_time()

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do what one line of input asks for.

        `urls` answers with the feeds' addresses, `forget` makes everything as at the start for another
        poller, `scene` begins a pass, `report` says how the pass went.
        """
        match command["do"]:
            case "urls":
                return {"urls": [feed.url for feed in self.feeds]}
            case "forget":
                self._forget()
            case "scene":
                self._begin(Scene(**command["scene"]), Manners(**command["manners"]))
            case "report":
                return self._report()
        return {}

    def _forget(self) -> None:
        self.record = Record()
        for feed in self.feeds:
            feed.forget()

    def _begin(self, scene: Scene, manners: Manners) -> None:
        each = behaviours(scene, self._hosts, self._seed)
        for feed, behaviour in zip(self.feeds, each, strict=True):
            feed.begin(behaviour)
        self.record.begin_pass(manners)
        self._cpu_seconds = time.process_time()

    def _report(self) -> dict[str, Any]:
        record = self.record
        return {
            "requests": record.requests,
            "statuses": record.statuses,
            "violations": record.violations,
            "not_asked": len(self.feeds) - record.feeds_asked,
            "earliest_ms": 1_000 * record.earliest_seconds,
            "ninety_percent_seconds": record.seconds_until(round(0.9 * len(self.feeds))),
            "cpu_seconds": time.process_time() - self._cpu_seconds,
        }


class _Connection(asyncio.Protocol):
    """As much of HTTP/1.1 as a GET needs."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._received = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            # Names of headers in any case; what is compared has no letters.
            head = self._received[: end + 2].lower()
            self._received = self._received[end + 4 :]
            self._ask(head)

    def _ask(self, head: bytes) -> None:
        path = head[4 : head.index(b" ", 4)]
        if not path.startswith(b"/feed/"):
            self._transport.write(_PLAIN[Misdeed.MISSING])
            return
        feed = self._farm.feeds[int(path[6:])]
        conditional = b"\r\nif-none-match:" in head or b"\r\nif-modified-since:" in head
        now = time.monotonic()
        self._farm.record.arrived(feed.host, feed.number, now, conditional=conditional)
        behaviour = feed.behaviour
        delay = _SILENCE_SECONDS if behaviour.misdeed is Misdeed.SILENT else behaviour.delay_seconds
        if delay:
            asyncio.get_running_loop().call_later(delay, self._answer, feed, head)
        else:
            self._answer(feed, head)

    def _answer(self, feed: _Feed, head: bytes) -> None:
        match feed.behaviour.misdeed:
            case None:
                status, sent = feed.answer(head)
                self._transport.write(sent)
            case Misdeed.SILENT as status:
                self._transport.close()
            case Misdeed.TRUNCATED as status:
                self._transport.write(feed.plain[:-1_000])
                self._transport.close()
            case status:
                self._transport.write(_PLAIN[status])
        wait = _RETRY_AFTER_SECONDS if status == Misdeed.BUSY else 0
        self._farm.record.answered(
            feed.host, feed.number, time.monotonic(), status, wait_seconds=wait
        )
        if b"\r\nconnection: close" in head:
            self._transport.close()


async def main() -> None:
    arguments = _arguments()
    farm = Farm(arguments.feeds, arguments.port, arguments.seed)
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Connection(farm), sock=listen(arguments.port))
    commands = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    print("{}", flush=True)
    async for line in commands:
        print(json.dumps(farm.obey(json.loads(line))), flush=True)


def listen(port: int) -> socket.socket:
    """Listen on every loopback address at once, and on no other."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("", port))
    listener.listen(_BACKLOG)
    listener.setblocking(False)
    return listener


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--port", type=int, default=8_080)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(main())
