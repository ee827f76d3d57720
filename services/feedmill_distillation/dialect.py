"""How an endpoint wants to be asked. Endpoints that speak the same protocol differ in this. Pure."""

from enum import StrEnum
from http import HTTPStatus
from typing import Literal

from feedmill.models.base import Model
from feedmill_distillation.prompt import ANSWER_SCHEMA

# Room for a model that thinks before it answers; an answer itself needs some 500.
ANSWER_TOKENS = 8_192

_ABOUT_THE_REQUEST = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY})
_ABOUT_FORMAT = (
    "response_format",
    "response format",
    "json_schema",
    "json schema",
    "json_object",
    "structured output",
    "guided",
    "grammar",
)


class AnswerFormat(StrEnum):
    """From the most an endpoint can promise to the least."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT = "json_object"
    PLAIN = "plain"


_SIMPLER = {
    AnswerFormat.JSON_SCHEMA: AnswerFormat.JSON_OBJECT,
    AnswerFormat.JSON_OBJECT: AnswerFormat.PLAIN,
}


class Dialect(Model):
    """What to put in a request beside the messages."""

    answer_format: AnswerFormat = AnswerFormat.JSON_SCHEMA
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"


def request_fields(dialect: Dialect) -> dict[str, object]:
    """Return the fields of a request that depend on the dialect."""
    fields: dict[str, object] = {dialect.limit_name: ANSWER_TOKENS}
    if dialect.answer_format is AnswerFormat.JSON_SCHEMA:
        schema = {"name": "distillate", "strict": True, "schema": ANSWER_SCHEMA}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif dialect.answer_format is AnswerFormat.JSON_OBJECT:
        fields["response_format"] = {"type": "json_object"}
    return fields


def simpler(dialect: Dialect, status: int, complaint: str) -> Dialect | None:
    """Return the dialect to try after an endpoint refused a request in this one.

    None when the refusal is about something else, or nothing simpler is left.
    """
    if status not in _ABOUT_THE_REQUEST:
        return None
    complaint = complaint.lower()
    # The newer models of the protocol's inventor want the limit under another name.
    if dialect.limit_name == "max_tokens" and "max_completion_tokens" in complaint:
        return dialect.model_copy(update={"limit_name": "max_completion_tokens"})
    less = _SIMPLER.get(dialect.answer_format)
    if less is not None and any(word in complaint for word in _ABOUT_FORMAT):
        return dialect.model_copy(update={"answer_format": less})
    return None
