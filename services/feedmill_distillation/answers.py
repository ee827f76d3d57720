"""What a model may answer, and how an answer is read. Pure.

Lengths and amounts are not part of the schema: endpoints refuse schemas with keywords they do not
know, and an answer with a point too many is worth cutting, not paying for again.
"""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from feedmill_distillation.lines import one_line

SUMMARY_CHARACTERS = 2_000

_PROBLEMS = 5
_CONTROL = re.compile(r"[\x00-\x1f]")
_END_OF_THOUGHTS = "</think>"


def _summary(text: str) -> str:
    if not text or len(text) > SUMMARY_CHARACTERS:
        raise ValueError(f"must have between 1 and {SUMMARY_CHARACTERS} characters")
    return text


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError("must be between 0 and 1")
    return value


OneLine = Annotated[str, AfterValidator(one_line)]


def _closed(schema: dict[str, Any]) -> None:
    """Say what strict endpoints want said: every field, and no other."""
    schema["additionalProperties"] = False
    schema["required"] = list(schema["properties"])
    for field in schema["properties"].values():
        field.pop("default", None)


class _Strict(BaseModel):
    model_config = ConfigDict(
        strict=True,
        frozen=True,
        # An answer with a field too many is still an answer, and so is one that lacks what has a
        # default here.
        extra="ignore",
        json_schema_extra=_closed,
    )


class Claim(_Strict):
    """A key point as the model puts it: not yet believed."""

    text: OneLine
    first_line: int
    last_line: int


class Answer(_Strict):
    """The whole answer of a model."""

    summary: Annotated[OneLine, AfterValidator(_summary)]
    key_points: tuple[Claim, ...]
    topics: tuple[OneLine, ...]
    relevance: Annotated[float, AfterValidator(_share)]
    relevance_reason: OneLine = ""
    language: str | None
    article_first_line: int | None = None
    article_last_line: int | None = None


class InvalidAnswer(BaseModel):
    """An answer that cannot be used, and why, in words a model understands."""

    model_config = ConfigDict(frozen=True)

    problem: str


def read_answer(content: str) -> Answer | InvalidAnswer:
    """Read an answer: JSON, perhaps behind a model's thoughts or between words and fences."""
    spoken = content.rpartition(_END_OF_THOUGHTS)[2]
    start, end = spoken.find("{"), spoken.rfind("}")
    if not 0 <= start < end:
        return InvalidAnswer(problem="There is no JSON object in it.")
    said = spoken[start : end + 1]
    try:
        return Answer.model_validate_json(_escaped(said))
    except ValidationError as error:
        return InvalidAnswer(problem=_in_words(error))


def _escaped(said: str) -> str:
    """Return JSON whose texts have no line breaks as they are: local models write them so."""
    try:
        return json.dumps(json.loads(said, strict=False)) if _CONTROL.search(said) else said
    except (ValueError, RecursionError):
        # The validator says in words what is wrong.
        return said


def _in_words(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "\n".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'answer'}: {problem['msg']}"
        for problem in problems[:_PROBLEMS]
    )
