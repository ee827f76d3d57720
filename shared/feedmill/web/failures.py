"""Errors of the HTTP library, as the reasons a person reads."""

import errno
import socket
import ssl

import aiohttp
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal

_DETAIL_CHARACTERS = 200

# The name exists nowhere, or has no address; anything else is a name server's trouble.
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

# The library has no error of its own for this.
_TOO_MANY_HEADERS = "Too many headers received"


class AddressForbiddenError(OSError):
    """The guard refused to connect. Raised inside the HTTP library, which wraps it."""

    def __init__(self) -> None:
        # Several refused addresses of one host are told apart from other failures only while their
        # messages are the same.
        super().__init__(errno.EACCES, "its address is private or reserved")


class HungUpError(aiohttp.ClientError):
    """The connection ended before the head of an answer was whole."""

    def __init__(self, *, began: bool) -> None:
        super().__init__("hung up in mid-answer" if began else "hung up without an answer")
        self.began = began


class TooManyHintsError(aiohttp.ClientError):
    """Interim answers went on and on."""

    def __init__(self) -> None:
        super().__init__("hints instead of an answer")


_REASONS: tuple[tuple[type[Exception], Reason], ...] = (
    (TimeoutError, Reason.TIMED_OUT),
    (aiohttp.ClientConnectorDNSError, Reason.LOOK_UP_FAILED),
    (aiohttp.ClientSSLError, Reason.TLS_FAILED),
    (aiohttp.InvalidURL, Reason.URL_INVALID),
    (aiohttp.ClientResponseError, Reason.NOT_HTTP),
    (TooManyHintsError, Reason.NOT_HTTP),
)


def refused(error: UrlRefusedError) -> Refusal:
    return Refusal(reason=Reason(error.reason), detail=_line(error))


def failure(error: Exception) -> Refusal:
    """Return what an error of the HTTP library means to somebody who waits for the page."""
    return Refusal(reason=_reason(error), detail=_line(error))


def _reason(error: Exception) -> Reason:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(
        error.os_error, AddressForbiddenError
    ):
        return Reason.ADDRESS_FORBIDDEN
    if isinstance(error, aiohttp.ClientConnectorDNSError) and (
        error.os_error.errno in _NO_SUCH_NAME
    ):
        return Reason.HOST_UNKNOWN
    if _excess(error):
        return Reason.TOO_LARGE
    if isinstance(error, HungUpError) and error.began:
        return Reason.TRUNCATED
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return Reason.CONNECT_FAILED


def _excess(error: BaseException) -> str:
    """Return what of the headers there is too much of, if that is the error."""
    cause = _cause(error)
    if isinstance(cause, LineTooLong):
        return "a header is too long"
    return "too many headers" if cause and cause.message == _TOO_MANY_HEADERS else ""


def _cause(error: BaseException | None) -> BadHttpMessage | None:
    while error is not None and not isinstance(error, BadHttpMessage):
        error = error.__cause__
    return error


def _line(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _shortened(_certificate_line(error.certificate_error))
    if isinstance(error, aiohttp.ClientConnectorError):
        return _shortened(error.os_error.strerror or str(error.os_error))
    if isinstance(error, aiohttp.ClientResponseError):
        return _excess(error) or _shortened(_said(_cause(error) or error))
    if isinstance(error, TimeoutError):
        connecting = isinstance(error, aiohttp.ConnectionTimeoutError)
        return "no connection in time" if connecting else "no answer in time"
    return _shortened(str(error))


def _said(error: BadHttpMessage | aiohttp.ClientResponseError) -> str:
    # The parser's other lines show where in the bytes it stumbled.
    return error.message.partition("\n")[0].rstrip(":") or "no answer in HTTP"


def _certificate_line(error: Exception) -> str:
    # The rest of its text is the library's version of where it was found out.
    return error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else str(error)


def _shortened(text: str) -> str:
    return " ".join(text.split())[:_DETAIL_CHARACTERS]
