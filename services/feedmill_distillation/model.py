"""Distils with a language model: asks, lets it correct itself once, and believes what holds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import openai
from openai.types.chat import ChatCompletionMessageParam
from pydantic import SecretStr

from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    Distiller,
    EntryUndistillable,
    Recipe,
)
from feedmill.models.outcomes import Reason
from feedmill_distillation.acceptance import as_distillate
from feedmill_distillation.answers import InvalidAnswer, read_answer
from feedmill_distillation.completions import Completion, Usage
from feedmill_distillation.dialect import ANSWER_TOKENS
from feedmill_distillation.endpoint import Endpoint
from feedmill_distillation.lines import LINE_CHARACTERS, has_words, numbered_lines
from feedmill_distillation.prompt import (
    ARTICLE_CHARACTERS,
    PROMPT_VERSION,
    article_message,
    recipe_for,
    repair_message,
    shorten_message,
    system_message,
)
from feedmill_distillation.refusals import TextRefused

# A local model without a graphics card reads a long article for minutes.
_ANSWER_SECONDS = 300.0
_CONNECT_SECONDS = 10.0

# The first, and one to correct it.
_TURNS = 2
# What the model is shown again of an answer that could not be used.
_REPEATED_CHARACTERS = 4_000
_DETAIL_CHARACTERS = 200


class ModelDistiller:
    """Makes distillates with one model. `recipe` says which, and how it is asked."""

    def __init__(self, endpoint: Endpoint, model: str) -> None:
        self._endpoint = endpoint
        self.recipe: Recipe = recipe_for(
            Distiller.MODEL,
            model,
            PROMPT_VERSION,
            article_characters=ARTICLE_CHARACTERS,
            line_characters=LINE_CHARACTERS,
            answer_tokens=ANSWER_TOKENS,
        )

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable:
        """Ask the model about one article.

        Raises
        ------
        ModelUnavailableError
            The model did not answer, or asked us to wait.
        """
        if not has_words(content.text):
            return _dead_end(content, Reason.NO_TEXT)
        lines = numbered_lines(content.text, characters=ARTICLE_CHARACTERS)
        conversation: list[ChatCompletionMessageParam] = [
            {"role": "system", "content": system_message()},
            {"role": "user", "content": article_message(content, lines)},
        ]
        usage, problem = Usage(), ""
        for _ in range(_TURNS):
            completion = await self._endpoint.ask(conversation)
            if isinstance(completion, TextRefused):
                return _dead_end(content, completion.reason, completion.detail)
            if completion.refused:
                return _dead_end(content, Reason.MODEL_REFUSED)
            usage += completion.usage or Usage()
            answer = read_answer(completion.content)
            if not isinstance(answer, InvalidAnswer):
                return as_distillate(answer, content, lines, usage)
            problem = "truncated" if completion.truncated else answer.problem
            conversation += _objection(completion, answer)
        return _dead_end(content, Reason.MODEL_ANSWER_INVALID, problem)


@asynccontextmanager
async def open_model(
    url: str, model: str, key: SecretStr | None, *, seconds: float = _ANSWER_SECONDS
) -> AsyncIterator[ModelDistiller]:
    """Open the connections to an endpoint. Nothing is asked before the first article.

    Parameters
    ----------
    key
        None for a server that wants none.
    seconds
        Longest time one answer may take.
    """
    client = openai.AsyncOpenAI(
        base_url=url,
        # Without any the library would look for one that is not ours, in OPENAI_API_KEY.
        api_key=key.get_secret_value() if key else "none",
        max_retries=0,
        timeout=openai.Timeout(seconds, connect=_CONNECT_SECONDS),
    )
    async with client:
        yield ModelDistiller(Endpoint(client, model, seconds=seconds), model)


def _objection(
    completion: Completion, answer: InvalidAnswer
) -> tuple[ChatCompletionMessageParam, ChatCompletionMessageParam]:
    request = shorten_message() if completion.truncated else repair_message(answer.problem)
    return (
        # Many chat templates insist that the two sides take turns, and refuse an empty turn.
        {"role": "assistant", "content": completion.content[:_REPEATED_CHARACTERS] or "{}"},
        {"role": "user", "content": request},
    )


def _dead_end(content: ContentToDistill, reason: Reason, detail: str = "") -> EntryUndistillable:
    line = detail.partition("\n")[0][:_DETAIL_CHARACTERS]
    return EntryUndistillable(entry_id=content.entry_id, reason=reason, detail=line)
