"""Distils with a language model: asks, lets it correct itself once, and believes what holds."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import openai
from openai.types.chat import ChatCompletionMessageParam
from pydantic import SecretStr

from feedmill.models.distillates import (
    ContentToDistill,
    Distillate,
    EntryUndistillable,
    Recipe,
)
from feedmill.models.outcomes import Reason
from feedmill_distillation.acceptance import as_distillate
from feedmill_distillation.answers import Answer
from feedmill_distillation.conversation import Conversation, Unanswered
from feedmill_distillation.endpoint import Endpoint
from feedmill_distillation.lines import Line, has_words, numbered_lines
from feedmill_distillation.parts import parts_of
from feedmill_distillation.prompt import (
    article_message,
    merging_message,
    recipe_of,
    system_message,
)
from feedmill_distillation.recipe_files import STANDARD, RecipeFile, read_recipes
from feedmill_distillation.till import FreeTill, Till

# A local model without a graphics card reads a long article for minutes.
ANSWER_SECONDS = 300.0
_CONNECT_SECONDS = 10.0

# No article is as long; a page that is costs no more than this to look at.
_MOST_CHARACTERS = 1_000_000
_DETAIL_CHARACTERS = 200


class ModelDistiller:
    """Makes distillates with one model. `recipe` says which, and how it is asked."""

    def __init__(
        self, endpoint: Endpoint, model: str, file: RecipeFile, till: Till | None = None
    ) -> None:
        self._endpoint = endpoint
        self._model = model
        self._file = file
        self._till = till or FreeTill()
        self.recipe: Recipe = recipe_of(file, model)

    def in_language(self, language: str | None) -> "ModelDistiller":
        """Return one that writes in a reader's language, unless the recipe names one itself."""
        if language is None or self._file.language is not None:
            return self
        file = self._file.model_copy(update={"language": language})
        return ModelDistiller(self._endpoint, self._model, file, self._till)

    async def distill(self, content: ContentToDistill) -> Distillate | EntryUndistillable:
        """Ask the model about one article: in one call if it fits, else in parts and once more.

        Raises
        ------
        ModelUnavailableError
            The model did not answer, or asked us to wait.
        BudgetSpentError
            Today there is no room for a call that it takes. What was answered before is kept.
        """
        lines = numbered_lines(content.text, characters=_MOST_CHARACTERS)
        if not lines or not has_words(content.text):
            return _dead_end(content, Reason.NO_TEXT)
        file = self._file
        parts = parts_of(content.text, lines, tokens=file.input_tokens, most=file.most_parts)
        shown = [line for part in parts for line in part]
        talk = Conversation(self._endpoint, self._till, self.recipe, file, content)
        try:
            answer = await self._answer(talk, content, parts)
        except Unanswered as end:
            return _dead_end(content, end.reason, end.detail)
        return as_distillate(answer, content, shown, talk.used, file)

    async def _answer(
        self, talk: Conversation, content: ContentToDistill, parts: Sequence[Sequence[Line]]
    ) -> Answer:
        # One after the other: what is in flight at once is bounded by articles.
        answers = [await talk.about(self._asked(article_message(content, part))) for part in parts]
        if len(answers) == 1:
            return answers[0]
        return await talk.about(self._asked(merging_message(content, answers)))

    def _asked(self, message: str) -> list[ChatCompletionMessageParam]:
        return [
            {"role": "system", "content": system_message(self._file)},
            {"role": "user", "content": message},
        ]


@asynccontextmanager
async def open_client(
    url: str, key: SecretStr | None, *, seconds: float = ANSWER_SECONDS
) -> AsyncIterator[openai.AsyncOpenAI]:
    """Open the connections to an endpoint. Nothing is asked before the first article.

    Parameters
    ----------
    key
        None for a server that wants none.
    """
    client = openai.AsyncOpenAI(
        base_url=url,
        # Without any the library would look for one that is not ours, in OPENAI_API_KEY.
        api_key=key.get_secret_value() if key else "none",
        max_retries=0,
        timeout=openai.Timeout(seconds, connect=_CONNECT_SECONDS),
    )
    # The library loads this when it is asked for it first: not while articles wait.
    _ = client.chat.completions
    async with client:
        yield client


@asynccontextmanager
async def open_model(
    url: str,
    model: str,
    key: SecretStr | None,
    *,
    seconds: float = ANSWER_SECONDS,
    streaming: bool = False,
    file: RecipeFile | None = None,
) -> AsyncIterator[ModelDistiller]:
    """Open a model on its own: nobody counts what it costs, and nothing of it is remembered.

    Parameters
    ----------
    seconds
        Longest time one answer may take.
    """
    async with open_client(url, key, seconds=seconds) as client:
        endpoint = Endpoint(client, model, seconds=seconds, streaming=streaming)
        yield ModelDistiller(endpoint, model, file or read_recipes(None)[STANDARD])


def _dead_end(content: ContentToDistill, reason: Reason, detail: str = "") -> EntryUndistillable:
    line = detail.partition("\n")[0][:_DETAIL_CHARACTERS]
    return EntryUndistillable(entry_id=content.entry_id, reason=reason, detail=line)
