import pytest

from feedmill.models.outcomes import Reason
from feedmill_distillation.refusals import (
    EndpointBusy,
    EndpointUnusable,
    Refusal,
    TextRefused,
    read_refusal,
)


def unusable(reason: Reason, status: int) -> EndpointUnusable:
    return EndpointUnusable(reason=reason, detail=f"HTTP {status}")


def refused(reason: Reason, status: int) -> TextRefused:
    return TextRefused(reason=reason, detail=f"HTTP {status}")


@pytest.mark.parametrize(
    ("status", "complaint", "expected"),
    [
        (401, "Incorrect API key", unusable(Reason.MODEL_UNAUTHORIZED, 401)),
        (403, "Country not supported", unusable(Reason.MODEL_UNAUTHORIZED, 403)),
        (404, "model 'x' not found", unusable(Reason.MODEL_UNKNOWN, 404)),
        (404, "<html>", unusable(Reason.MODEL_UNKNOWN, 404)),
        (400, "acme/x is not a valid model ID", unusable(Reason.MODEL_UNKNOWN, 400)),
        (400, "No models loaded. Please load one.", unusable(Reason.MODEL_UNKNOWN, 400)),
        (400, "The model `x` does not exist", unusable(Reason.MODEL_UNKNOWN, 400)),
        (400, "code: context_length_exceeded", refused(Reason.MODEL_CONTEXT_EXCEEDED, 400)),
        (
            400,
            "the request exceeds the available context size",
            refused(Reason.MODEL_CONTEXT_EXCEEDED, 400),
        ),
        (
            422,
            "`inputs` must have less than 4096 tokens. Given: 5000",
            refused(Reason.MODEL_CONTEXT_EXCEEDED, 422),
        ),
        (413, "", refused(Reason.MODEL_CONTEXT_EXCEEDED, 413)),
        (422, "Prompt is too long", refused(Reason.MODEL_CONTEXT_EXCEEDED, 422)),
        (
            500,
            "input exceeds the maximum context length",
            refused(Reason.MODEL_CONTEXT_EXCEEDED, 500),
        ),
        (400, "code: content_filter", refused(Reason.MODEL_REFUSED, 400)),
        (422, "who knows", refused(Reason.MODEL_REFUSED, 422)),
        (429, "Rate limit reached", EndpointBusy(detail="HTTP 429")),
        (429, "insufficient_quota", unusable(Reason.MODEL_NO_CREDIT, 429)),
        (402, "", unusable(Reason.MODEL_NO_CREDIT, 402)),
        (500, "boom", EndpointBusy(detail="HTTP 500")),
        (503, "model is loading", EndpointBusy(detail="HTTP 503")),
        (405, "", EndpointBusy(detail="HTTP 405")),
    ],
)
def test_a_refusal_is_about_one_text_or_about_all(
    status: int, complaint: str, expected: Refusal
) -> None:
    assert read_refusal(status, complaint, has_answered=True) == expected


@pytest.mark.parametrize(
    ("status", "complaint", "expected"),
    [
        (400, "who knows", unusable(Reason.MODEL_REQUEST_REFUSED, 400)),
        (422, "who knows", unusable(Reason.MODEL_REQUEST_REFUSED, 422)),
        (400, "code: content_filter", refused(Reason.MODEL_REFUSED, 400)),
        (400, "against our content policy", refused(Reason.MODEL_REFUSED, 400)),
        (400, "code: context_length_exceeded", refused(Reason.MODEL_CONTEXT_EXCEEDED, 400)),
        (500, "boom", EndpointBusy(detail="HTTP 500")),
    ],
)
def test_an_endpoint_that_never_answered_may_refuse_every_text(
    status: int, complaint: str, expected: Refusal
) -> None:
    assert read_refusal(status, complaint, has_answered=False) == expected


@pytest.mark.parametrize("status", [400, 401, 402, 404, 413, 422, 429, 500])
def test_what_an_endpoint_says_is_not_passed_on(status: int) -> None:
    assert "sk-secret" not in read_refusal(status, "key sk-secret", has_answered=True).detail
