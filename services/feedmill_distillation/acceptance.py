"""What of a model's answer becomes the distillate. Pure."""

import re
from collections.abc import Sequence

from feedmill.models.distillates import ContentToDistill, Distillate
from feedmill_distillation.answers import Answer
from feedmill_distillation.completions import Usage
from feedmill_distillation.lines import Line
from feedmill_distillation.provenance import key_points

_MOST_TOPICS = 12
_TOPIC_CHARACTERS = 60
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def as_distillate(
    answer: Answer, content: ContentToDistill, lines: Sequence[Line], usage: Usage
) -> Distillate:
    """Return what we keep of an answer: all of it that the article bears out and the store holds."""
    return Distillate(
        summary=answer.summary,
        key_points=key_points(answer.key_points, content.text, lines),
        topics=_topics(answer.topics),
        relevance=answer.relevance,
        language=_language(answer.language) or content.language,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
    )


def _topics(topics: Sequence[str]) -> tuple[str, ...]:
    distinct = {topic.casefold(): topic for topic in reversed(topics)}
    kept = [topic for topic in reversed(distinct.values()) if 0 < len(topic) <= _TOPIC_CHARACTERS]
    return tuple(kept[:_MOST_TOPICS])


def _language(tag: str | None) -> str | None:
    return tag if tag and _LANGUAGE.fullmatch(tag) else None
