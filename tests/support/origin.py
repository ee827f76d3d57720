"""A scripted site on loopback. It records every request, and behaves as badly as it is told to.

async with open_origin() as origin:
    origin.serve("/feed.xml", body, content_type="application/rss+xml", etag='"1"')
    ...
    assert origin.paths == ["/feed.xml"]
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Seen:
    """One request, as it arrived."""

    at: float
    path: str
    headers: CIMultiDictProxy[str] = field(repr=False)
    method: str = "GET"
    moment: datetime | None = None


class Origin:
    """What each path answers, and who asked. Scripts may be changed at any time.

    Attributes
    ----------
    clock
        Whose time a request's `moment` is; by default it has none.
    """

    def __init__(self) -> None:
        self.base = ""
        self.clock: Callable[[], Awaitable[datetime]] | None = None
        self.requests: list[Seen] = []
        self._handlers: dict[str, Handler] = {}

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    def url(self, path: str) -> str:
        return f"{self.base}{path}"

    def asked(self, path: str) -> list[Seen]:
        """Return the requests for one path, in order."""
        return [request for request in self.requests if request.path == path]

    def serve(
        self,
        path: str,
        body: bytes | str = b"",
        *,
        content_type: str | None = "text/html; charset=utf-8",
        status: int = 200,
        etag: str | None = None,
        last_modified: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with this body; with 304 to those who hold one of its validators."""
        content = body.encode() if isinstance(body, str) else body
        sent: CIMultiDict[str] = CIMultiDict(headers or {})
        for name, value in (
            ("Content-Type", content_type),
            ("ETag", etag),
            ("Last-Modified", last_modified),
        ):
            if value is not None:
                sent[name] = value

        async def answer(request: web.Request) -> web.StreamResponse:
            if _is_known(request, etag, last_modified):
                return web.Response(status=304, headers=_without_type(sent))
            return web.Response(body=content, status=status, headers=sent)

        self.script(path, answer)

    def fail(self, path: str, status: int, *, retry_after: str | None = None) -> None:
        """Answer with an error."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        self.serve(path, f"error {status}", status=status, headers=headers)

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        """Send whoever asks elsewhere."""
        self.serve(path, status=status, headers={"Location": location})

    def drip(self, path: str, *, every_seconds: float = 0.05, chunk: bytes = b"a") -> None:
        """Answer a little at a time, for ever."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/xml"})
            await response.prepare(request)
            while True:
                await response.write(chunk)
                await asyncio.sleep(every_seconds)

        self.script(path, answer)

    def flood(self, path: str) -> None:
        """Answer without end, as fast as it is read."""
        self.drip(path, every_seconds=0, chunk=b"a" * 65_536)

    def hang(self, path: str) -> None:
        """Accept the request and never answer."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError

        self.script(path, answer)

    def cut(self, path: str, body: bytes, *, promised_bytes: int | None) -> None:
        """Send less than promised, or an unfinished chunked body (None), and hang up."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/xml"})
            response.content_length = promised_bytes
            if promised_bytes is None:
                response.enable_chunked_encoding()
            await response.prepare(request)
            await response.write(body)
            assert request.transport is not None
            request.transport.close()
            return response

        self.script(path, answer)

    def script(self, path: str, answer: Handler) -> None:
        """Answer with a handler of the test's own."""
        self._handlers[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        moment = await self.clock() if self.clock else None
        self.requests.append(Seen(at, request.path_qs, request.headers, request.method, moment))
        handler = self._handlers.get(request.path_qs)
        return await handler(request) if handler else web.Response(status=404)


@asynccontextmanager
async def open_origin(address: str = "127.0.0.1") -> AsyncIterator[Origin]:
    """Serve at an address of loopback while the block lasts. What still drips then is cut off."""
    origin = Origin()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", origin._answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, address, 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        origin.base = f"http://{host}:{port}"
        yield origin
    finally:
        await runner.cleanup()


def _is_known(request: web.Request, etag: str | None, last_modified: str | None) -> bool:
    # RFC 9110, 13.2.2: a client that sends both is answered by the ETag.
    if etag is not None and "If-None-Match" in request.headers:
        return request.headers["If-None-Match"] == etag
    return last_modified is not None and request.headers.get("If-Modified-Since") == last_modified


def _without_type(headers: CIMultiDict[str]) -> CIMultiDict[str]:
    return CIMultiDict((k, v) for k, v in headers.items() if k.lower() != "content-type")
