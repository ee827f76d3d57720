"""What is said about one article: each question may be answered twice, and every call is paid for."""

from collections.abc import Sequence

from openai.types.chat import ChatCompletionMessageParam

from feedmill.models.distillates import ContentToDistill, Recipe
from feedmill.models.outcomes import Reason
from feedmill.models.spending import Payer, Usage
from feedmill_distillation.answers import Answer, InvalidAnswer, read_answer
from feedmill_distillation.completions import Completion
from feedmill_distillation.endpoint import Endpoint
from feedmill_distillation.prompt import call_key, repair_message, shorten_message
from feedmill_distillation.recipe_files import RecipeFile
from feedmill_distillation.refusals import TextRefused
from feedmill_distillation.till import PlannedCall, Till
from feedmill_distillation.tokens import MESSAGE_TOKENS, count_tokens

# The first, and one to correct it.
_TURNS = 2
# What the model is shown again of an answer that could not be used.
_REPEATED_CHARACTERS = 4_000

Messages = Sequence[ChatCompletionMessageParam]


class Unanswered(Exception):  # noqa: N818 - no error: the model's verdict, on its way to an outcome
    """The model has no usable answer about this text, and would have none next time."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Conversation:
    """Asks about one article. `used` is what all calls so far used."""

    def __init__(
        self,
        endpoint: Endpoint,
        till: Till,
        recipe: Recipe,
        file: RecipeFile,
        content: ContentToDistill,
    ) -> None:
        self._endpoint = endpoint
        self._till = till
        self._recipe = recipe
        self._file = file
        self._content = content
        self.used = Usage()

    async def about(self, messages: Messages) -> Answer:
        """Return the answer, after letting the model correct itself once.

        Raises
        ------
        Unanswered
            It refused, or answered nothing that can be used.
        """
        said, problem = list(messages), ""
        for _ in range(_TURNS):
            completion = await self._call(said)
            if completion.refused:
                raise Unanswered(Reason.MODEL_REFUSED)
            answer = read_answer(completion.content)
            if not isinstance(answer, InvalidAnswer):
                return answer
            problem = "truncated" if completion.truncated else answer.problem
            said += _objection(completion, answer)
        raise Unanswered(Reason.MODEL_ANSWER_INVALID, problem)

    async def _call(self, messages: Messages) -> Completion:
        async def ask() -> Completion | TextRefused:
            return await self._endpoint.ask(
                messages,
                answer_tokens=self._file.answer_tokens,
                temperature=self._file.temperature,
            )

        paid = await self._till.pay(self._plan(messages), ask)
        if isinstance(paid, TextRefused):
            raise Unanswered(paid.reason, paid.detail)
        self.used = _sum(self.used, paid.used)
        return paid.completion

    def _plan(self, messages: Messages) -> PlannedCall:
        recipe, content = self._recipe, self._content
        texts = [str(message.get("content")) for message in messages]
        return PlannedCall(
            key=call_key(recipe, texts),
            content_hash=content.content_hash,
            payer=Payer(feed_id=content.feed_id, recipe=recipe.name, model=recipe.model),
            prompt_tokens=sum(count_tokens(text) + MESSAGE_TOKENS for text in texts),
            answer_tokens=self._file.answer_tokens,
        )


def _sum(before: Usage, now: Usage) -> Usage:
    unknown = before.cost_nanos is None or now.cost_nanos is None
    return Usage(
        calls=before.calls + now.calls,
        prompt_tokens=before.prompt_tokens + now.prompt_tokens,
        completion_tokens=before.completion_tokens + now.completion_tokens,
        cost_nanos=None if unknown else (before.cost_nanos or 0) + (now.cost_nanos or 0),
    )


def _objection(
    completion: Completion, answer: InvalidAnswer
) -> tuple[ChatCompletionMessageParam, ChatCompletionMessageParam]:
    request = shorten_message() if completion.truncated else repair_message(answer.problem)
    return (
        # Many chat templates insist that the two sides take turns, and refuse an empty turn.
        {"role": "assistant", "content": completion.content[:_REPEATED_CHARACTERS] or "{}"},
        {"role": "user", "content": request},
    )
