"""What happens to every answer. Plain ASGI: wrapping a response object would break streams."""

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedmill.telemetry import spans
from feedmill.telemetry.metrics import GATEWAY_REQUEST_SECONDS

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src https: http: data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# The API's reference is started by a script inside its page, and styles itself.
_DOCS_CSP = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_DOCS = "/docs"
_STATIC = "/static/"
# Whoever may ask for work may say which trace it belongs to; hubs, and whatever else calls, may not.
_API = "/api/"
_STREAM = "text/event-stream"
_BROKEN = 500


class SecurityHeaders:
    """Tell browsers what a page may load, run and reveal."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                _secure(MutableHeaders(scope=message), scope["path"])
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


class Measured:
    """Measure the time to each answer's first byte; a stream has no other time of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0

        async def with_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _observe(scope, status, started)
            await send(message)

        try:
            await self._app(scope, receive, with_status)
        finally:
            if not status:
                # It broke, and the outermost layer answers for it.
                _observe(scope, 500, started)


class Traced:
    """Tell of each request, as a part of what its sender tells of; of a stream, until it begins."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_STATIC):
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        is_ours = scope["path"].startswith(_API)
        facts = {"http.request.method": method, "url.scheme": scope["scheme"]}
        parent = dict(Headers(scope=scope)) if is_ours else {}
        with spans.span(method, facts, kind="server", parent=parent) as span:

            async def with_status(message: Message) -> None:
                if message["type"] == "http.response.start":
                    _tell(span, method, scope, message)
                await send(message)

            await self._app(scope, receive, with_status)


def _tell(span: spans.Span, method: str, scope: Scope, message: Message) -> None:
    # The route, never the path: that of a hub's callback is a secret.
    route = _route(scope)
    span.rename(f"{method} {route}")
    span.note({"http.route": route, "http.response.status_code": message["status"]})
    if message["status"] >= _BROKEN:
        span.fail(str(message["status"]))
    if Headers(raw=message["headers"]).get("content-type", "").startswith(_STREAM):
        span.end()


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "none")


def _secure(headers: MutableHeaders, path: str) -> None:
    headers.setdefault("Content-Security-Policy", _DOCS_CSP if path == _DOCS else _CSP)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    # Other sites learn nothing. `no-referrer` would also make our own forms send `Origin: null`.
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if not path.startswith(_STATIC):
        headers.setdefault("Cache-Control", "no-store")


def _observe(scope: Scope, status: int, started: float) -> None:
    seconds = time.perf_counter() - started
    GATEWAY_REQUEST_SECONDS.labels(_route(scope), f"{status // 100}xx").observe(seconds)
