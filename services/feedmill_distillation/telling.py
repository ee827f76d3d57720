"""What is told of a call to a model, by the names OpenTelemetry has for it: never a text, never a key."""

from collections.abc import Mapping

from feedmill.telemetry import spans
from feedmill_distillation.completions import Completion

_LIMITS = ("max_completion_tokens", "max_tokens")


def call_facts(model: str, host: str, fields: Mapping[str, object]) -> dict[str, spans.Fact]:
    """Return what is known before a call."""
    facts: dict[str, spans.Fact] = {
        "gen_ai.operation.name": "chat",
        # Whose way of being asked it is; whose it is, the address says.
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "server.address": host,
    }
    limit = next((fields[name] for name in _LIMITS if name in fields), None)
    if isinstance(limit, int):
        facts["gen_ai.request.max_tokens"] = limit
    temperature = fields.get("temperature")
    if isinstance(temperature, float):
        facts["gen_ai.request.temperature"] = temperature
    return facts


def tell_answer(span: spans.Span, completion: Completion) -> None:
    """Say what an answer cost, and why it ended where it does."""
    reasons = [each.finish_reason for each in completion.choices if each.finish_reason]
    span.note(
        {
            "gen_ai.usage.input_tokens": completion.used.prompt_tokens,
            "gen_ai.usage.output_tokens": completion.used.completion_tokens,
            "gen_ai.response.finish_reasons": reasons,
        }
    )


def tell_refusal(span: spans.Span, status: int) -> None:
    """Say with which status a call was refused."""
    span.note({"http.response.status_code": status})
    span.fail(str(status))
