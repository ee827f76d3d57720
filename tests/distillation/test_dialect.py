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
OF_SCHEMA = Dialect(answer_format=AnswerFormat.JSON_OBJECT_OF_SCHEMA)
OBJECT = Dialect(answer_format=AnswerFormat.JSON_OBJECT)
PLAIN = Dialect(answer_format=AnswerFormat.PLAIN)
FEWER = Dialect(answer_tokens=2_048)
UNLIMITED = Dialect(answer_tokens=None)


def test_an_endpoint_is_first_asked_for_a_strict_schema() -> None:
    assert request_fields(SCHEMA) == {
        "max_tokens": ANSWER_TOKENS,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "distillate", "strict": True, "schema": ANSWER_SCHEMA},
        },
    }


def test_then_for_an_object_of_that_schema_for_any_object_and_for_nothing() -> None:
    assert request_fields(OF_SCHEMA) == {
        "max_tokens": ANSWER_TOKENS,
        "response_format": {"type": "json_object", "schema": ANSWER_SCHEMA},
    }
    assert request_fields(OBJECT) == {
        "max_tokens": ANSWER_TOKENS,
        "response_format": {"type": "json_object"},
    }
    assert request_fields(PLAIN) == {"max_tokens": ANSWER_TOKENS}


def test_without_a_limit_none_is_sent() -> None:
    plain = PLAIN.model_copy(update={"answer_tokens": None})

    assert request_fields(plain) == {}


@pytest.mark.parametrize(
    ("dialect", "complaint", "expected"),
    [
        pytest.param(
            SCHEMA,
            "Invalid parameter: 'response_format' ... is not supported",
            OF_SCHEMA,
            id="schema",
        ),
        pytest.param(
            SCHEMA, "does not support response format `json_schema`", OF_SCHEMA, id="named"
        ),
        pytest.param(SCHEMA, "Failed to parse GRAMMAR", OF_SCHEMA, id="a local server"),
        pytest.param(OF_SCHEMA, "response_format: extra inputs", OBJECT, id="a field too many"),
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
            "'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
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


def test_a_server_that_blames_itself_for_what_a_request_says_is_understood() -> None:
    complaint = (
        "1 validation error: {'loc': ('body', 'response_format', 'type'), "
        "'msg': \"Input should be 'text' or 'json_object'\", 'input': 'json_schema'}"
    )

    assert simpler(SCHEMA, 500, complaint) == OF_SCHEMA
    assert simpler(SCHEMA, 503, complaint) is None
    assert simpler(SCHEMA, 500, "validation of the model's files failed") is None


TOO_LARGE = [
    "maximum context length is 8192 tokens. You requested 9000 tokens (808 in the messages, 8192 in the completion).",
    "maximum context length is 8192 tokens. However, you requested 8192 output tokens",
    "however, you requested about 9000 tokens (808 of text input, 8192 in the output). Please reduce",
    "'max_tokens' or 'max_completion_tokens' is too large: 8192",
    "max_tokens is too large: 8192. This model supports at most 4096 completion tokens",
    "max_tokens: 8192 > 4096, which is the maximum allowed number of output tokens",
    "`max_tokens` must be less than or equal to `4096`",
    "Invalid max_tokens value, the valid range of max_tokens is [1, 4096]",
    "`inputs` tokens + `max_new_tokens` must be <= 8192",
]


@pytest.mark.parametrize("complaint", TOO_LARGE)
@pytest.mark.parametrize("status", [400, 422])
def test_a_limit_that_is_too_large_becomes_smaller_and_then_none(
    status: int, complaint: str
) -> None:
    assert simpler(SCHEMA, status, complaint) == FEWER
    assert simpler(FEWER, status, complaint) == UNLIMITED


@pytest.mark.parametrize(
    "complaint",
    [
        "maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
        "maximum context length is 8192 tokens. However, your request has 9000 input tokens.",
        'content_filter: {"max_tokens": 8192}',
    ],
)
def test_the_limit_stays_when_it_is_not_to_blame(complaint: str) -> None:
    assert simpler(SCHEMA, 400, complaint) is None
