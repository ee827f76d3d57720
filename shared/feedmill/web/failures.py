"""Errors of the HTTP library, as the reasons a person reads."""

import errno

import aiohttp
from aiohttp.http_exceptions import LineTooLong

from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal

_DETAIL_CHARACTERS = 200

_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (TimeoutError, Reason.TIMED_OUT),
    (aiohttp.ClientConnectorDNSError, Reason.HOST_UNKNOWN),
    (aiohttp.ClientSSLError, Reason.TLS_FAILED),
    (aiohttp.InvalidURL, Reason.URL_INVALID),
)


class AddressForbiddenError(OSError):
    """The guard refused to connect. Raised inside the HTTP library, which wraps it."""

    def __init__(self) -> None:
        # Several refused addresses of one host are told apart from other failures only while their
        # messages are the same.
        super().__init__(errno.EACCES, "its address is private or reserved")


def refused(error: UrlRefusedError) -> Refusal:
    return Refusal(reason=Reason(error.reason), detail=_line(error))


def failure(error: aiohttp.ClientError | TimeoutError | OSError | ValueError) -> Refusal:
    """Return what an error of the HTTP library means to somebody who waits for the page."""
    return Refusal(reason=_reason(error), detail=_line(error))


def _reason(error: BaseException) -> Reason:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, AddressForbiddenError
    ):
        return Reason.ADDRESS_FORBIDDEN
    if _has_long_header(error):
        return Reason.TOO_LARGE
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return Reason.CONNECT_FAILED


def _has_long_header(error: BaseException | None) -> bool:
    while error is not None and not isinstance(error, LineTooLong):
        error = error.__cause__
    return error is not None


def _line(error: BaseException) -> str:
    if _has_long_header(error):
        return "a header is too long"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _shortened(str(error.certificate_error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return _shortened(error.os_error.strerror or str(error.os_error))
    return _shortened(str(error) or "no answer in time")


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_CHARACTERS]
