"""Requests to the gateway; what it refuses becomes a `ProblemError` for a person to read."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from io import BytesIO
from typing import Any

import aiohttp
from pydantic import BaseModel, ValidationError
from yarl import URL

from feedmill.errors import TransientError
from feedmill.models.base import Model
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.telemetry import spans
from feedmill_cli.errors import CommandError, ProblemError
from feedmill_cli.gateway.place import Place

_ANSWER_SECONDS = aiohttp.ClientTimeout(total=30)
# Thousands of feeds, behind somebody else's thousands.
_FILE_SECONDS = aiohttp.ClientTimeout(total=180)
# The gateway breaks a silence after 15 s; after this one, the connection is dead.
_STREAM_SECONDS = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=45)


class GatewayAwayError(TransientError):
    """The gateway did not answer, or broke off; another try may help."""


class _Problem(Model):
    """What we read of a problem; a reason of a newer gateway is a word like any other."""

    title: str = ""
    detail: str = ""
    reason: str | None = None
    advice: str | None = None


class Gateway:
    def __init__(self, session: aiohttp.ClientSession, base: URL) -> None:
        self._session = session
        self._base = base

    async def get(self, path: str, query: Mapping[str, str | int] | None = None) -> bytes:
        """Return the JSON that stands at a path."""
        return await self._ask("GET", path, query=query)

    async def look(self, path: str) -> bytes:
        """Return the JSON that stands at a path, for somebody who looks again and again.

        Raises
        ------
        ProblemError
            The gateway refuses it.
        GatewayAwayError
            The gateway did not answer, or is not up to it now.
        """
        try:
            async with self._session.get(self._at(path), timeout=_ANSWER_SECONDS) as answer:
                await _refuse(answer)
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayAwayError(f"the gateway does not answer: {error}") from error

    async def post(self, path: str, body: BaseModel | None = None) -> bytes:
        """Send something, and return the JSON answer."""
        return await self._ask("POST", path, body=body)

    async def patch(self, path: str, body: BaseModel) -> bytes:
        """Change what stands at a path, and return the JSON answer."""
        return await self._ask("PATCH", path, body=body)

    async def send_file(self, path: str, content: bytes, media_type: str) -> bytes:
        """Send a file as it is, and return the JSON answer."""
        headers = {"Content-Type": media_type}
        return await self._request(
            "POST", path, data=BytesIO(content), headers=headers, timeout=_FILE_SECONDS
        )

    async def delete(self, path: str) -> None:
        """Remove what stands at a path."""
        await self._ask("DELETE", path)

    @asynccontextmanager
    async def stream(
        self, path: str, *, last_event_id: str | None
    ) -> AsyncIterator[aiohttp.StreamReader]:
        """Yield the lines of an event stream.

        Raises
        ------
        ProblemError
            The gateway refuses it.
        GatewayAwayError
            The connection broke, or the gateway is not up to it now.
        """
        headers = {"Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        try:
            async with self._session.get(
                self._at(path), headers=headers, timeout=_STREAM_SECONDS
            ) as answer:
                await _refuse(answer)
                yield answer.content
        except (aiohttp.ClientError, TimeoutError) as error:
            raise GatewayAwayError(f"the gateway broke off: {error}") from error

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: BaseModel | None = None,
    ) -> bytes:
        payload = None if body is None else body.model_dump(mode="json", by_alias=True)
        return await self._request(
            method, path, params=query, json=payload, timeout=_ANSWER_SECONDS
        )

    async def _request(self, method: str, path: str, **asked: Any) -> bytes:
        try:
            async with self._session.request(method, self._at(path), **asked) as answer:
                await _refuse_problem(answer)
                return await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CommandError(
                f"nothing answers at {self._base} ({str(error) or type(error).__name__}); "
                "`feedmill status` shows what runs here"
            ) from error

    def _at(self, path: str) -> URL:
        return URL(f"{str(self._base).rstrip('/')}{path}")


@asynccontextmanager
async def open_gateway(place: Place) -> AsyncIterator[Gateway]:
    """Open a connection pool to the gateway. Nothing is connected before the first request."""
    headers = {"Authorization": f"Bearer {place.token}"} if place.token else {}
    async with aiohttp.ClientSession(headers={**headers, **spans.headers()}) as session:
        yield Gateway(session, URL(place.url))


async def _refuse(answer: aiohttp.ClientResponse) -> None:
    """Tell what another try may help from what it does not."""
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise GatewayAwayError(f"the gateway answers {answer.status}")
    await _refuse_problem(answer)


async def _refuse_problem(answer: aiohttp.ClientResponse) -> None:
    if answer.status < HTTPStatus.BAD_REQUEST:
        return
    try:
        problem = _Problem.model_validate_json(await answer.read())
    except ValidationError:
        problem = _Problem(title=f"the gateway answers {answer.status} {answer.reason}")
    raise ProblemError(_told(problem))


def _told(problem: _Problem) -> str:
    return tell_failure(problem.reason or problem.title, problem.detail, problem.advice)


def tell_failure(reason: str, detail: str, advice: str | None = None) -> str:
    """Return what went wrong as a person reads it: `reason: detail`, and below it what helps."""
    known = ADVICE[Reason(reason)] if reason in set(Reason) else None
    first = f"{reason}: {detail}" if detail else reason
    return "\n".join(line for line in (first, advice or known) if line)
