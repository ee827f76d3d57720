"""An OpenAI-compatible endpoint on the wire: how it wants to be asked, and how it says no."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Protocol

import openai
from multidict import CIMultiDict
from openai.types.chat import ChatCompletionMessageParam

from feedmill.errors import ModelUnavailableError
from feedmill.models.outcomes import ADVICE
from feedmill.telemetry import spans
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import MODEL_SECONDS, MODEL_TOKENS
from feedmill.web.headers import retry_after
from feedmill_distillation.completions import Completion, read_completion
from feedmill_distillation.dialect import Dialect, request_fields, simpler
from feedmill_distillation.pacing import hold_after_answer
from feedmill_distillation.refusals import (
    EndpointBusy,
    EndpointUnusable,
    HeldError,
    TextRefused,
    read_refusal,
)
from feedmill_distillation.streams import joined
from feedmill_distillation.telling import call_facts, tell_answer, tell_refusal

log = get_logger(__name__)

# Somebody has to change a setting: soon enough to go on when they have, no noise until then.
_UNUSABLE_FOR = timedelta(minutes=1)

# What an endpoint has to say stands at the front; behind it some repeat the whole request.
_COMPLAINT_CHARACTERS = 1_000


class EndpointMemory(Protocol):
    """What all workers know of an endpoint."""

    async def known(self) -> tuple[Dialect, bool]: ...

    async def learn(self, dialect: Dialect) -> None: ...


class Endpoint:
    """One model of one endpoint. What it learns of the endpoint's dialect it keeps for its life.

    Parameters
    ----------
    client
        Built with `max_retries=0`: Temporal owns retries.
    seconds
        Longest time one call may take in all.
    memory
        What other workers have found out; None: everything is found out anew.
    streaming
        Whether answers are asked for word by word: a proxy that cuts silent connections leaves
        those alone, and a server notices at once when nobody waits any more.
    """

    def __init__(
        self,
        client: openai.AsyncOpenAI,
        model: str,
        *,
        seconds: float,
        memory: EndpointMemory | None = None,
        streaming: bool = False,
    ) -> None:
        self._memory = memory
        self._is_known = memory is None
        self._streaming = streaming
        self._client = client
        self._model = model
        self._seconds = seconds
        self._dialect = Dialect()
        self._has_answered = self._was_refused = False
        self._unusable: EndpointUnusable | None = None

    async def ask(
        self,
        messages: Sequence[ChatCompletionMessageParam],
        *,
        answer_tokens: int | None = None,
        temperature: float | None = None,
    ) -> Completion | TextRefused:
        """Make one call, and as many more as it takes to find out how this endpoint is asked.

        Raises
        ------
        ModelUnavailableError
            No answer, now or until a person changes a setting; `retry_after` says when to try.
        """
        await self._remember()
        dialect = known = self._dialect
        while True:
            fields = request_fields(dialect, answer_tokens, temperature)
            answer = await self._send(fields, messages)
            if isinstance(answer, Completion):
                await self._note_answer(dialect if dialect != known else None)
                return answer
            complaint = _complaint(answer)
            next_dialect = simpler(dialect, answer.status_code, complaint)
            if next_dialect is None:
                return self._refused(answer, complaint)
            dialect = next_dialect

    async def _remember(self) -> None:
        if not self._is_known and self._memory is not None:
            self._dialect, self._has_answered = await self._memory.known()
            self._is_known = True

    async def _note_answer(self, learnt: Dialect | None) -> None:
        """Keep a dialect that was answered: one text too long for any of them teaches nothing."""
        if learnt is not None and learnt != self._dialect:
            log.info("model asked in a simpler way", **learnt.model_dump(mode="json"))
        is_news = learnt is not None or not self._has_answered or self._was_refused
        self._dialect = learnt or self._dialect
        self._has_answered, self._was_refused, self._unusable = True, False, None
        if is_news and self._memory is not None:
            await self._memory.learn(self._dialect)

    async def _send(
        self, fields: dict[str, object], messages: Sequence[ChatCompletionMessageParam]
    ) -> Completion | openai.APIStatusError:
        started = time.perf_counter()
        outcome = "unavailable"
        facts = call_facts(self._model, self._client.base_url.host, fields)
        # Nothing of the trace goes to the endpoint: it is somebody else's.
        with spans.span(f"chat {self._model}", facts, kind="client") as span:
            try:
                async with asyncio.timeout(self._seconds):
                    completion = await self._receive(fields, messages)
                outcome = "answered"
            except openai.APIStatusError as error:
                outcome = "refused"
                tell_refusal(span, error.status_code)
                return error
            except (openai.APIError, TimeoutError, ValueError) as error:
                # Without a status: lost on the way, or broken off in the middle of a stream.
                raise ModelUnavailableError(f"the model did not answer: {_named(error)}") from None
            finally:
                MODEL_SECONDS.labels(outcome).observe(time.perf_counter() - started)
            tell_answer(span, completion)
        return completion

    async def _receive(
        self, fields: dict[str, object], messages: Sequence[ChatCompletionMessageParam]
    ) -> Completion:
        create = self._client.chat.completions.with_raw_response.create
        if self._streaming:
            fields = {**fields, "stream_options": {"include_usage": True}}
            stream = await create(
                model=self._model, messages=messages, extra_body=fields, stream=True
            )
            completion, headers = await joined(stream.parse()), stream.headers
        else:
            response = await create(model=self._model, messages=messages, extra_body=fields)
            completion, headers = _read(response.text), response.headers
        usage = completion.used
        MODEL_TOKENS.labels("prompt").inc(usage.prompt_tokens)
        MODEL_TOKENS.labels("completion").inc(usage.completion_tokens)
        hold = hold_after_answer(headers, usage.prompt_tokens + usage.completion_tokens)
        return completion.model_copy(update={"hold": hold})

    def _refused(self, error: openai.APIStatusError, complaint: str) -> TextRefused:
        refusal = read_refusal(error.status_code, complaint, has_answered=self._has_answered)
        # Raised without its cause: that quotes the endpoint, which may quote the key or the prompt,
        # and Temporal would keep it in history.
        if isinstance(refusal, EndpointUnusable):
            self._report(refusal)
            raise HeldError(
                f"{ADVICE[refusal.reason]} ({refusal.detail})",
                retry_after=_UNUSABLE_FOR,
                headers={},
            )
        if isinstance(refusal, EndpointBusy):
            self._was_refused = True
            raise _busy(error, refusal)
        return refusal

    def _report(self, unusable: EndpointUnusable) -> None:
        """Log at error level once, not for each entry that waits meanwhile."""
        if unusable != self._unusable:
            log.error("model unusable", reason=unusable.reason, detail=unusable.detail)
        self._unusable = unusable


def _read(body: str) -> Completion:
    completion = read_completion(body)
    if completion is None:
        raise ModelUnavailableError(
            "the endpoint's answer is no chat completion: check FEEDMILL_MODEL_URL",
            retry_after=_UNUSABLE_FOR,
        )
    return completion


def _busy(error: openai.APIStatusError, refusal: EndpointBusy) -> ModelUnavailableError:
    message = f"the model has no answer now ({refusal.detail})"
    headers = CIMultiDict(error.response.headers.multi_items())
    wait = retry_after(headers, datetime.now(UTC))
    if wait is None and error.status_code != HTTPStatus.TOO_MANY_REQUESTS:
        # One broken answer says nothing about the next.
        return ModelUnavailableError(message)
    return HeldError(message, retry_after=wait, headers=error.response.headers)


def _complaint(error: openai.APIStatusError) -> str:
    return error.response.text[:_COMPLAINT_CHARACTERS]


def _named(error: Exception) -> str:
    timed_out = isinstance(error, openai.APITimeoutError | TimeoutError)
    return "timed out" if timed_out else "no connection, or it was lost"
