"""A gateway that plays a script: what the commands ask is remembered, what they get is given."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

TOKEN = "a-token-that-opens-the-gateway"
RUN = {
    "workflowId": "feed-ingestion/1",
    "runId": "0a",
    "href": "/api/v1/runs/feed-ingestion%2F1/0a",
}


class ScriptedGateway:
    """Answers each path with what stands in `answers`, and each stream with the next of `streams`.

    Attributes
    ----------
    asked
        Method and raw path with query of every request, in order.
    authorized_by
        The `Authorization` header of every request, in order.
    pause_seconds
        How long a stream is silent after each of its pieces.
    """

    def __init__(self) -> None:
        self.url = ""
        self.answers: dict[str, tuple[int, object]] = {}
        self.streams: list[Sequence[str] | web.Response] = []
        self.asked: list[str] = []
        self.authorized_by: list[str | None] = []
        self.pause_seconds = 0.0
        self.bodies: list[Any] = []
        self.resumed_after: list[str | None] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(f"{request.method} {request.raw_path}")
        self.authorized_by.append(request.headers.get("Authorization"))
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return problem(401, "Token needed", "Send a token that is known here.")
        if request.path.endswith("/events"):
            return await self._stream(request)
        if request.can_read_body:
            is_json = request.content_type == "application/json"
            self.bodies.append(await (request.json() if is_json else request.read()))
        status, body = self.answers.get(f"{request.method} {request.path}", (404, None))
        if isinstance(body, web.Response):
            return body
        if status == 404:
            return problem(404, "Not found", "You follow no such feed.")
        return (
            web.Response(status=status) if body is None else web.json_response(body, status=status)
        )

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.resumed_after.append(request.headers.get("Last-Event-ID"))
        stream = self.streams.pop(0)
        if isinstance(stream, web.Response):
            return stream
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in stream:
            await response.write(piece.encode())
            await asyncio.sleep(self.pause_seconds)
        if request.transport:
            # As a killed gateway does: no proper end of the stream.
            request.transport.close()
        return response


def problem(status: int, title: str, detail: str, **fields: object) -> web.Response:
    """Return what a gateway says when it refuses."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **fields}
    return web.Response(
        status=status, text=json.dumps(body), content_type="application/problem+json"
    )


def message(event: str, body: object, number: int | None = None) -> str:
    """Return one server-sent event."""
    id_line = "" if number is None else f"id: {number}\n"
    return f"{id_line}event: {event}\ndata: {json.dumps(body)}\n\n"


@asynccontextmanager
async def scripted_gateway() -> AsyncIterator[ScriptedGateway]:
    """Serve on loopback while the block lasts."""
    gateway = ScriptedGateway()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", gateway.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gateway
    finally:
        await runner.cleanup()
