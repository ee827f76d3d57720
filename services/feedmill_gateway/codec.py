"""What operators read encrypted payloads with: the codec endpoint of Temporal's page and command line.

Its token is its own: whoever reads feeds here has no business with it.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from google.protobuf import json_format
from pydantic import SecretStr
from starlette.requests import ClientDisconnect
from temporalio.api.common.v1 import Payload, Payloads

from feedmill.errors import PayloadUnreadableError, PermanentError
from feedmill.telemetry.logs import get_logger
from feedmill.worker.encryption import EncryptingCodec

log = get_logger(__name__)

_PATH = "/codec"

# Temporal's messages are at most 4 MiB, and as JSON a third more.
_BODY_BYTES = 6 * 1024 * 1024
_BODY_SECONDS = 30
# What Temporal's page sends, and for how long a browser need not ask whether it may.
_HEADERS = "Authorization, Content-Type, X-Namespace"
_PREFLIGHT_SECONDS = "600"

Direction = Literal["encode", "decode"]
_Convert = Callable[[Sequence[Payload]], Awaitable[list[Payload]]]


class _RefusedError(PermanentError):
    """What is said to whoever may not, or sent something else than payloads."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class CodecEndpoint:
    """Encrypts and decrypts payloads for whoever has its token.

    Parameters
    ----------
    namespace
        Whose payloads these keys are for; others are refused.
    origins
        Pages that browsers may ask from. What is no browser needs none.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        token: SecretStr,
        *,
        namespace: str,
        origins: Sequence[str] = (),
    ) -> None:
        self._codec = EncryptingCodec(keys)
        self._token = token
        self._namespace = namespace
        self._origins = frozenset(origins)

    def router(self) -> APIRouter:
        """Return its two routes."""
        router = APIRouter(prefix=_PATH, include_in_schema=False)
        for direction in ("encode", "decode"):
            router.add_api_route(
                f"/{direction}",
                self._answering(direction),
                methods=["POST", "OPTIONS"],
                max_body_size=_BODY_BYTES,
            )
        return router

    def _answering(self, direction: Direction) -> Callable[[Request], Awaitable[Response]]:
        convert = self._codec.encode if direction == "encode" else self._codec.decode

        async def answer(request: Request) -> Response:
            try:
                self._check_origin(request)
                response = await self._answer(request, direction, convert)
            except _RefusedError as error:
                response = PlainTextResponse(str(error), error.status)
                if error.status == HTTPStatus.UNAUTHORIZED:
                    response.headers["WWW-Authenticate"] = "Bearer"
            self._let_page_read(request, response)
            return response

        return answer

    async def _answer(self, request: Request, direction: Direction, convert: _Convert) -> Response:
        if request.method == "OPTIONS":
            return Response(status_code=HTTPStatus.NO_CONTENT)
        self._check_token(request)
        self._check_namespace(request)
        payloads = await _payloads(request)
        try:
            converted = await convert(payloads)
        except PayloadUnreadableError as error:
            raise _RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from error
        log.info("payloads read by an operator", direction=direction, payloads=len(payloads))
        body = await asyncio.to_thread(json_format.MessageToJson, Payloads(payloads=converted))
        return Response(body, media_type="application/json")

    def _check_origin(self, request: Request) -> None:
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins:
            raise _RefusedError(HTTPStatus.FORBIDDEN, "this page is none of FEEDMILL_CODEC_ORIGINS")

    def _let_page_read(self, request: Request, response: Response) -> None:
        response.headers["Vary"] = "Origin"
        origin = request.headers.get("Origin")
        if origin is None or origin not in self._origins:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "POST"
            response.headers["Access-Control-Allow-Headers"] = _HEADERS
            response.headers["Access-Control-Max-Age"] = _PREFLIGHT_SECONDS

    def _check_token(self, request: Request) -> None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        # As bytes: what is no ASCII is to be refused, not an error.
        is_ours = hmac.compare_digest(
            token.strip().encode(), self._token.get_secret_value().encode()
        )
        if scheme.lower() != "bearer" or not is_ours:
            raise _RefusedError(
                HTTPStatus.UNAUTHORIZED, "send FEEDMILL_CODEC_TOKEN as Authorization: Bearer"
            )

    def _check_namespace(self, request: Request) -> None:
        named = request.headers.get("X-Namespace")
        if named != self._namespace:
            raise _RefusedError(
                HTTPStatus.FORBIDDEN,
                f"these keys are for the namespace {self._namespace}; name it in X-Namespace",
            )


async def _payloads(request: Request) -> list[Payload]:
    body = await _body(request)
    try:
        read = await asyncio.to_thread(json_format.Parse, body, Payloads())
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "the body is no JSON of payloads") from error
    return list(read.payloads)


async def _body(request: Request) -> bytes:
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            return await request.body()
    except (TimeoutError, ClientDisconnect) as error:
        raise _RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the body did not come") from error
