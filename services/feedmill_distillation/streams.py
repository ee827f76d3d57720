"""An answer that comes word by word, as the one that it is in the end."""

from collections.abc import AsyncIterable

from openai.types.chat import ChatCompletionChunk

from feedmill.errors import ModelUnavailableError
from feedmill_distillation.completions import Completion

# Nothing that we ask for is nearly as long: a server that never ends must not fill the memory.
_MOST_CHARACTERS = 1_000_000


async def joined(chunks: AsyncIterable[ChatCompletionChunk]) -> Completion:
    """Put a streamed answer together.

    Raises
    ------
    ModelUnavailableError
        It broke off before it was finished, or has no end.
    """
    content: list[str] = []
    refusal: list[str] = []
    finish, usage, length = None, None, 0
    async for chunk in chunks:
        usage = chunk.usage or usage
        for choice in chunk.choices[:1]:
            content.append(choice.delta.content or "")
            refusal.append(choice.delta.refusal or "")
            length += len(content[-1]) + len(refusal[-1])
            finish = choice.finish_reason or finish
        if length > _MOST_CHARACTERS:
            raise ModelUnavailableError("the model's answer has no end")
    if finish is None:
        raise ModelUnavailableError("the model did not answer: its answer broke off")
    said = {"content": "".join(content) or None, "refusal": "".join(refusal) or None}
    return Completion.model_validate(
        {
            "choices": [{"message": said, "finish_reason": finish}],
            "usage": usage.model_dump() if usage else None,
        }
    )
