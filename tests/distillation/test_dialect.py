import pytest

from feedmill_distillation.dialect import (
    ANSWER_TOKENS,
    AnswerFormat,
    Dialect,
    request_fields,
    simpler,
)
from feedmill_distillation.prompt import ANSWER_SCHEMA

SCHEMA = Dialect()
OBJECT = Dialect(answer_format=AnswerFormat.JSON_OBJECT)
PLAIN = Dialect(answer_format=AnswerFormat.PLAIN)


def test_an_endpoint_is_first_asked_for_a_strict_schema() -> None:
    assert request_fields(SCHEMA) == {
        "max_tokens": ANSWER_TOKENS,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "distillate", "strict": True, "schema": ANSWER_SCHEMA},
        },
    }


def test_then_for_any_object_and_then_for_nothing() -> None:
    assert request_fields(OBJECT) == {
        "max_tokens": ANSWER_TOKENS,
        "response_format": {"type": "json_object"},
    }
    assert request_fields(PLAIN) == {"max_tokens": ANSWER_TOKENS}


@pytest.mark.parametrize(
    ("dialect", "complaint", "expected"),
    [
        pytest.param(
            SCHEMA, "Invalid parameter: 'response_format' ... is not supported", OBJECT, id="schema"
        ),
        pytest.param(SCHEMA, "does not support response format `json_schema`", OBJECT, id="named"),
        pytest.param(SCHEMA, "Failed to parse GRAMMAR", OBJECT, id="a local server"),
        pytest.param(OBJECT, "'response_format.type' must be 'text'", PLAIN, id="object"),
        pytest.param(PLAIN, "'response_format' is not supported", None, id="nothing simpler"),
        pytest.param(SCHEMA, "maximum context length is 8192", None, id="about something else"),
        pytest.param(
            OBJECT,
            "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            OBJECT.model_copy(update={"limit_name": "max_completion_tokens"}),
            id="token limit",
        ),
        pytest.param(
            PLAIN.model_copy(update={"limit_name": "max_completion_tokens"}),
            "max_completion_tokens is too large",
            None,
            id="token limit under both names",
        ),
    ],
)
def test_a_complaint_makes_the_request_simpler(
    dialect: Dialect, complaint: str, expected: Dialect | None
) -> None:
    assert simpler(dialect, 400, complaint) == expected
    assert simpler(dialect, 422, complaint) == expected


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_other_refusals_are_not_about_the_dialect(status: int) -> None:
    assert simpler(SCHEMA, status, "response_format") is None
