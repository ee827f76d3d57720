"""How an endpoint wants to be asked. Endpoints that speak the same protocol differ in this. Pure."""

import re
from enum import StrEnum
from http import HTTPStatus
from typing import Literal

from pydantic import Field

from feedmill.models.base import Model
from feedmill_distillation.prompt import ANSWER_SCHEMA

# Room for a model that thinks before it answers; an answer itself needs some 500.
ANSWER_TOKENS = 8_192
# Room for an answer and some thought, where a model cannot write more, or not beside what it reads.
_FEWER_ANSWER_TOKENS = 2_048

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
# Some servers that check requests blame themselves for what they find.
_SAYS_INVALID = re.compile(r"validation|invalid|unsupported|not supported|should be")
# Both must be there: a server may say that it does not know the limit, or repeat the request.
_LIMIT = re.compile(
    r"max(?:imum)?[_ ](?:completion[_ ]|new[_ ]|output[_ ])?tokens"
    r"|(?:completion|output) tokens|in the (?:completion|output)"
)
_TOO_MUCH = re.compile(
    r"too (?:large|high|big|many)|maximum|at most|exceed|less than|must be <|range|reduce"
)


class AnswerFormat(StrEnum):
    """From the most an endpoint can promise to the least."""

    JSON_SCHEMA = "json_schema"
    JSON_OBJECT_OF_SCHEMA = "json_object_of_schema"
    """Not in the protocol, but several servers of local models know it, and others ignore it."""
    JSON_OBJECT = "json_object"
    PLAIN = "plain"


_SIMPLER = {
    AnswerFormat.JSON_SCHEMA: AnswerFormat.JSON_OBJECT_OF_SCHEMA,
    AnswerFormat.JSON_OBJECT_OF_SCHEMA: AnswerFormat.JSON_OBJECT,
    AnswerFormat.JSON_OBJECT: AnswerFormat.PLAIN,
}


class Dialect(Model):
    """What to put in a request beside the messages."""

    answer_format: AnswerFormat = AnswerFormat.JSON_SCHEMA
    limit_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    answer_tokens: int | None = Field(
        default=ANSWER_TOKENS, description="the longest answer to ask for; None: do not say"
    )
    fixed_temperature: bool = Field(default=False, description="whether it takes none from us")


def request_fields(
    dialect: Dialect, answer_tokens: int | None = None, temperature: float | None = None
) -> dict[str, object]:
    """Return the fields of a request beside model and messages.

    Parameters
    ----------
    answer_tokens
        The longest answer that is wanted, where the endpoint allows as much.
    """
    fields: dict[str, object] = {}
    if dialect.answer_tokens is not None:
        wanted = answer_tokens or dialect.answer_tokens
        fields[dialect.limit_name] = min(wanted, dialect.answer_tokens)
    if temperature is not None and not dialect.fixed_temperature:
        fields["temperature"] = temperature
    if dialect.answer_format is AnswerFormat.JSON_SCHEMA:
        schema = {"name": "distillate", "strict": True, "schema": ANSWER_SCHEMA}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif dialect.answer_format is AnswerFormat.JSON_OBJECT_OF_SCHEMA:
        fields["response_format"] = {"type": "json_object", "schema": ANSWER_SCHEMA}
    elif dialect.answer_format is AnswerFormat.JSON_OBJECT:
        fields["response_format"] = {"type": "json_object"}
    return fields


def simpler(dialect: Dialect, status: int, complaint: str) -> Dialect | None:
    """Return the dialect to try after an endpoint refused a request in this one.

    None when the refusal is about something else, or nothing simpler is left.
    """
    complaint = complaint.lower()
    if status not in _ABOUT_THE_REQUEST and not (
        status == HTTPStatus.INTERNAL_SERVER_ERROR and _SAYS_INVALID.search(complaint)
    ):
        return None
    # Before the name: some servers say of both names that the number is too large.
    if dialect.answer_tokens is not None and _is_limit_too_large(complaint):
        return dialect.model_copy(update={"answer_tokens": _fewer(dialect.answer_tokens)})
    # The newer models of the protocol's inventor want the limit under another name.
    if dialect.limit_name == "max_tokens" and "max_completion_tokens" in complaint:
        return dialect.model_copy(update={"limit_name": "max_completion_tokens"})
    if not dialect.fixed_temperature and "temperature" in complaint:
        return dialect.model_copy(update={"fixed_temperature": True})
    less = _SIMPLER.get(dialect.answer_format)
    if less is not None and any(word in complaint for word in _ABOUT_FORMAT):
        return dialect.model_copy(update={"answer_format": less})
    return None


def _is_limit_too_large(complaint: str) -> bool:
    return bool(_LIMIT.search(complaint) and _TOO_MUCH.search(complaint))


def _fewer(tokens: int) -> int | None:
    return _FEWER_ANSWER_TOKENS if tokens > _FEWER_ANSWER_TOKENS else None
