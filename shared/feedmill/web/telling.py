"""What is told of a request to a site: its host and how it ended, never its path, nor anything to the site."""

from urllib.parse import urlsplit

from feedmill.telemetry import spans
from feedmill.web.answers import Answer, Refusal
from feedmill.web.exchange import Ask, Moved

_HTTPS_PORT, _HTTP_PORT = 443, 80


def facts_of(url: str, ask: Ask, purpose: str) -> spans.Facts:
    """Return what is known before a request: feeds' paths and queries hold their readers' keys."""
    parts = urlsplit(url)
    return {
        "http.request.method": ask.method,
        "url.scheme": parts.scheme,
        "server.address": parts.hostname or "",
        "server.port": parts.port or (_HTTPS_PORT if parts.scheme == "https" else _HTTP_PORT),
        "feedmill.purpose": purpose,
    }


def tell_end(span: spans.Span, reply: Answer | Refusal | Moved) -> None:
    """Say how a request ended. What a site answers is no failure of ours, so only no answer is one."""
    match reply:
        case Answer():
            span.note(
                {
                    "http.response.status_code": reply.status,
                    "http.response.body.size": len(reply.body),
                }
            )
        case Refusal():
            span.fail(reply.reason)
        case Moved():
            span.note({"feedmill.moved": True})
