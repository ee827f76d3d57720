"""What an endpoint's refusal means: for the text that was asked about, or for all of them. Pure."""

import re
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus

from feedmill.errors import ModelUnavailableError
from feedmill.models.base import Model
from feedmill.models.outcomes import Reason
from feedmill_distillation.pacing import hold_after_refusal

_CONTEXT = re.compile(
    r"context[_ ](?:length|size|window)|maximum context|(?:prompt|input) is too long|too many tokens"
    r"|must have less than \d+ tokens"
)
_FILTERED = re.compile(r"content[_ ](?:filter|management|policy)|moderation|safety")
_NO_MODEL = re.compile(
    r"model_not_found|not a valid model|no models? (?:is )?loaded|model\b.{0,80}(?:not|n't) (?:found|exist)"
)
_NO_CREDIT = re.compile(r"insufficient_quota|billing|credit")

# Some servers answer a text that is too long with 500.
_MAY_BE_CONTEXT = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.INTERNAL_SERVER_ERROR,
    }
)
_ABOUT_THE_REQUEST = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})


class TextRefused(Model):
    """The endpoint will not answer about this text, and would not next time."""

    reason: Reason
    detail: str


class EndpointUnusable(Model):
    """Until a person changes something, the endpoint answers nothing at all."""

    reason: Reason
    detail: str


class EndpointBusy(Model):
    """The endpoint has no answer now. Another time it may."""

    detail: str


class HeldError(ModelUnavailableError):
    """The endpoint wants to be left alone by everybody for a while.

    Attributes
    ----------
    wait
        For how long; decided by `decide`.
    is_strike
        Whether it named no time: the next hold is longer then.
    """

    def __init__(
        self, message: str, *, retry_after: timedelta | None, headers: Mapping[str, str]
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.wait = retry_after or timedelta(0)
        self.is_strike = False
        self._headers = headers

    def decide(self, tokens: int, strikes: int) -> None:
        """Decide how long to wait, if the endpoint did not say it outright."""
        if self.retry_after is None:
            self.is_strike = True
            self.wait = self.retry_after = hold_after_refusal(self._headers, tokens, strikes)


Refusal = TextRefused | EndpointUnusable | EndpointBusy


def read_refusal(  # noqa: PLR0911 - a table of its kind, first match wins
    status: int, complaint: str, *, has_answered: bool
) -> Refusal:
    """Read an HTTP error.

    Parameters
    ----------
    status
        Its status code.
    complaint
        What the endpoint said with it. It may quote the key or the prompt, so no part of it is
        passed on.
    has_answered
        Whether the endpoint ever answered a request of ours. One that did refuses the text; one that
        never did may refuse whatever we send.
    """
    complaint = complaint.lower()
    detail = f"HTTP {status}"
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or (
        status in _MAY_BE_CONTEXT and _CONTEXT.search(complaint)
    ):
        return TextRefused(reason=Reason.MODEL_CONTEXT_EXCEEDED, detail=detail)
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return EndpointUnusable(reason=Reason.MODEL_UNAUTHORIZED, detail=detail)
    if status == HTTPStatus.NOT_FOUND or (
        status == HTTPStatus.BAD_REQUEST and _NO_MODEL.search(complaint)
    ):
        return EndpointUnusable(reason=Reason.MODEL_UNKNOWN, detail=detail)
    if status in _ABOUT_THE_REQUEST:
        if has_answered or _FILTERED.search(complaint):
            return TextRefused(reason=Reason.MODEL_REFUSED, detail=detail)
        return EndpointUnusable(reason=Reason.MODEL_REQUEST_REFUSED, detail=detail)
    if status == HTTPStatus.PAYMENT_REQUIRED or _NO_CREDIT.search(complaint):
        return EndpointUnusable(reason=Reason.MODEL_NO_CREDIT, detail=detail)
    return EndpointBusy(detail=detail)
