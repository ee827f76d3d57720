"""An OpenAI-compatible endpoint on the wire: how it wants to be asked, and how it says no."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import openai
from multidict import CIMultiDict
from openai.types.chat import ChatCompletionMessageParam

from feedmill.errors import ModelUnavailableError
from feedmill.models.outcomes import ADVICE
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import MODEL_SECONDS, MODEL_TOKENS
from feedmill.web.headers import retry_after
from feedmill_distillation.completions import Completion, Usage, read_completion
from feedmill_distillation.dialect import Dialect, request_fields, simpler
from feedmill_distillation.refusals import (
    EndpointBusy,
    EndpointUnusable,
    TextRefused,
    read_refusal,
)

log = get_logger(__name__)

# Somebody has to change a setting: soon enough to go on when they have, no noise until then.
_UNUSABLE_FOR = timedelta(minutes=1)

# What an endpoint has to say stands at the front; behind it some repeat the whole request.
_COMPLAINT_CHARACTERS = 1_000


class Endpoint:
    """One model of one endpoint. What it learns of the endpoint's dialect it keeps for its life.

    Parameters
    ----------
    client
        Built with `max_retries=0`: Temporal owns retries.
    seconds
        Longest time one call may take in all.
    """

    def __init__(self, client: openai.AsyncOpenAI, model: str, *, seconds: float) -> None:
        self._client = client
        self._model = model
        self._seconds = seconds
        self._dialect = Dialect()
        self._has_answered = False
        self._unusable: EndpointUnusable | None = None

    async def ask(self, messages: Sequence[ChatCompletionMessageParam]) -> Completion | TextRefused:
        """Make one call, and as many more as it takes to find out how this endpoint is asked.

        Raises
        ------
        ModelUnavailableError
            No answer, now or until a person changes a setting; `retry_after` says when to try.
        """
        dialect = known = self._dialect
        while True:
            answer = await self._send(dialect, messages)
            if isinstance(answer, Completion):
                self._note_answer()
                if dialect != known:
                    self._learn(dialect)
                return answer
            complaint = _complaint(answer)
            next_dialect = simpler(dialect, answer.status_code, complaint)
            if next_dialect is None:
                return self._refused(answer, complaint)
            dialect = next_dialect

    def _note_answer(self) -> None:
        self._has_answered = True
        self._unusable = None

    def _learn(self, dialect: Dialect) -> None:
        """Keep a dialect that was answered: one text too long for any of them teaches nothing."""
        if dialect != self._dialect:
            log.info("model asked in a simpler way", **dialect.model_dump(mode="json"))
        self._dialect = dialect

    async def _send(
        self, dialect: Dialect, messages: Sequence[ChatCompletionMessageParam]
    ) -> Completion | openai.APIStatusError:
        started = time.perf_counter()
        outcome = "unavailable"
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.chat.completions.with_raw_response.create(
                    model=self._model, messages=messages, extra_body=request_fields(dialect)
                )
            completion = _read(response.text)
            outcome = "answered"
        except openai.APIStatusError as error:
            outcome = "refused"
            return error
        except (openai.APIConnectionError, TimeoutError) as error:
            raise ModelUnavailableError(f"the model did not answer: {_named(error)}") from error
        finally:
            MODEL_SECONDS.labels(outcome).observe(time.perf_counter() - started)
        return completion

    def _refused(self, error: openai.APIStatusError, complaint: str) -> TextRefused:
        refusal = read_refusal(error.status_code, complaint, has_answered=self._has_answered)
        # Raised without its cause: that quotes the endpoint, which may quote the key or the prompt,
        # and Temporal would keep it in history.
        if isinstance(refusal, EndpointUnusable):
            self._report(refusal)
            raise ModelUnavailableError(
                f"{ADVICE[refusal.reason]} ({refusal.detail})", retry_after=_UNUSABLE_FOR
            )
        if isinstance(refusal, EndpointBusy):
            headers = CIMultiDict(error.response.headers.multi_items())
            raise ModelUnavailableError(
                f"the model has no answer now ({refusal.detail})",
                retry_after=retry_after(headers, datetime.now(UTC)),
            )
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
    usage = completion.usage or Usage()
    MODEL_TOKENS.labels("prompt").inc(usage.prompt_tokens)
    MODEL_TOKENS.labels("completion").inc(usage.completion_tokens)
    return completion


def _complaint(error: openai.APIStatusError) -> str:
    return error.response.text[:_COMPLAINT_CHARACTERS]


def _named(error: Exception) -> str:
    timed_out = isinstance(error, openai.APITimeoutError | TimeoutError)
    return "timed out" if timed_out else "no connection, or it was lost"
