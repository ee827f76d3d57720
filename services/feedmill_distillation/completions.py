"""An endpoint's chat completion, as far as we read it. Pure."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationError

from feedmill.models.base import Model

_MOST_TOKENS = 10_000_000


def _count(value: object) -> int:
    # Some servers send null or nonsense; what a call cost is no reason to lose its answer.
    return value if isinstance(value, int) and 0 <= value <= _MOST_TOKENS else 0


Tokens = Annotated[int, BeforeValidator(_count)]


class Usage(Model):
    """What one or several calls cost."""

    prompt_tokens: Tokens = 0
    completion_tokens: Tokens = 0


class _Message(Model):
    content: str | None = None
    refusal: str | None = None


class _Choice(Model):
    message: _Message
    finish_reason: str | None = None


class Completion(Model):
    """The answer to one call."""

    choices: tuple[_Choice, ...] = Field(min_length=1)
    usage: Usage | None = None
    hold: timedelta | None = Field(
        default=None, exclude=True, description="how long nobody should ask after it"
    )

    @property
    def used(self) -> Usage:
        return self.usage or Usage()

    @property
    def content(self) -> str:
        return self.choices[0].message.content or ""

    @property
    def refused(self) -> bool:
        choice = self.choices[0]
        return bool(choice.message.refusal) or choice.finish_reason == "content_filter"

    @property
    def truncated(self) -> bool:
        return self.choices[0].finish_reason == "length"


def read_completion(body: str) -> Completion | None:
    """Read the body of an answer with status 200; None when it is no chat completion."""
    try:
        return Completion.model_validate_json(body)
    except ValidationError:
        return None
