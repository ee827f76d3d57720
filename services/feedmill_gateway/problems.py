"""Every failure as one shape: `application/problem+json` for the API, a page for people."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from feedmill.errors import (
    FeedmillError,
    FollowingFailedError,
    NotFoundError,
    StoreUnavailableError,
    TemporalUnavailableError,
    UrlRefusedError,
)
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import Problem, RequestError
from feedmill_gateway.auth import CrossSiteError, NotAuthenticatedError
from feedmill_gateway.lists.importing import ListRefusedError

_MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "5"

_KINDS: dict[type[FeedmillError], tuple[HTTPStatus, str, str]] = {
    NotAuthenticatedError: (HTTPStatus.UNAUTHORIZED, "not-authenticated", "Token needed"),
    CrossSiteError: (HTTPStatus.FORBIDDEN, "cross-site", "Request from another site"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "not-found", "Not found"),
    UrlRefusedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "url-refused", "Address refused"),
    ListRefusedError: (HTTPStatus.UNPROCESSABLE_ENTITY, "list-refused", "List refused"),
    StoreUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "store-unavailable",
        "Database unavailable",
    ),
    TemporalUnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "temporal-unavailable",
        "Temporal unavailable",
    ),
    FollowingFailedError: (HTTPStatus.SERVICE_UNAVAILABLE, "following-failed", "Not followed"),
}
_UNKNOWN = (HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "Internal error")


def _documented(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    # FastAPI puts a model under application/json; the reference says what is really sent.
    content = {_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {int(status): {"description": status.phrase, "content": content} for status in statuses}


RESPONSES = _documented(
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
"""What every route of the API may answer beside its own answers, for its reference."""


def problem_of(error: FeedmillError) -> Problem:
    """Return what is said about an error: what happened, and what a person can do."""
    status, name, title = _KINDS.get(type(error), _UNKNOWN)
    refused = error if isinstance(error, UrlRefusedError | ListRefusedError) else None
    reason = Reason(refused.reason) if refused else None
    return Problem(
        type=f"urn:feedmill:problem:{name}",
        title=title,
        status=status,
        detail=_sentence(str(error)),
        reason=reason,
        advice=ADVICE[reason] if reason else None,
    )


def invalid(error: RequestValidationError) -> Problem:
    """Return everything that is wrong with a request at once."""
    errors = tuple(
        RequestError(
            where=".".join(str(part) for part in each["loc"]),
            message=each["msg"].removeprefix("Value error, "),
        )
        for each in error.errors()
    )
    return Problem(
        type="urn:feedmill:problem:request-invalid",
        title="Request invalid",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        detail="; ".join(f"{each.where}: {each.message}" for each in errors),
        errors=errors,
    )


def answer_with_problems(app: FastAPI) -> None:
    """Make `app` answer every failure with a problem."""

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, FeedmillError)  # noqa: S101 - registered for this class alone
        return _answer(request, problem_of(error))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return _answer(request, invalid(error))

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        return _answer(request, _plain(HTTPStatus(error.status_code), error.detail), error.headers)

    async def unexpected(request: Request, _: Exception) -> Response:
        # The server logs the traceback; it is nobody else's business.
        status = HTTPStatus.INTERNAL_SERVER_ERROR
        return _answer(request, _plain(status, "Something broke here; the log says what."))

    app.add_exception_handler(FeedmillError, ours)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)


def _plain(status: HTTPStatus, detail: str) -> Problem:
    return Problem(type="about:blank", title=status.phrase, status=status, detail=_sentence(detail))


def _answer(request: Request, problem: Problem, headers: Any = None) -> Response:
    headers = {**(headers or {}), **_headers(problem.status)}
    if not request.url.path.startswith("/api/"):
        page: Response = request.app.state.pages.problem(problem)
        return page
    return JSONResponse(
        problem.model_dump(mode="json", by_alias=True, exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=_MEDIA_TYPE,
    )


def _headers(status: int) -> dict[str, str]:
    if status == HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": "Bearer"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": _RETRY_SECONDS}
    return {}


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
