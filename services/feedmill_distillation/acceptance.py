"""What of a model's answer becomes the distillate, and how much of it does."""

import re
import unicodedata
from collections.abc import Sequence

from feedmill.models.distillates import ContentToDistill, Distillate
from feedmill.models.spending import Usage
from feedmill.telemetry.metrics import CLAIMS
from feedmill_distillation.answers import Answer
from feedmill_distillation.article import Article
from feedmill_distillation.lines import Line
from feedmill_distillation.provenance import borne_out
from feedmill_distillation.recipe_files import RecipeFile

_MOST_TOPICS = 12
_TOPIC_CHARACTERS = 60
_REASON_CHARACTERS = 300
# What adults read of prose; of Chinese and Japanese, which put no space between words.
_WORDS_A_MINUTE, _CHARACTERS_A_MINUTE = 230, 500
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def as_distillate(
    answer: Answer,
    content: ContentToDistill,
    lines: Sequence[Line],
    used: Usage,
    recipe: RecipeFile | None = None,
) -> Distillate:
    """Return what we keep of an answer: all of it that the article bears out and the store holds.

    `used` is what all calls together used that led to it.
    """
    start, end = _article(answer, lines)
    article = Article(content.text, lines, title=content.title, language=content.language)
    borne = borne_out(answer.summary, answer.key_points, article)
    for outcome in borne.point_outcomes:
        CLAIMS.labels("key_point", outcome).inc()
    for outcome in borne.summary_outcomes:
        CLAIMS.labels("summary", outcome).inc()
    return Distillate(
        summary=borne.summary,
        sentences=borne.sentences,
        key_points=borne.key_points,
        topics=normal_topics(answer.topics, recipe),
        relevance=answer.relevance,
        relevance_reason=answer.relevance_reason[:_REASON_CHARACTERS],
        language=(recipe and recipe.language) or _language(answer.language) or content.language,
        reading_minutes=reading_minutes(content.text[start:end]),
        article_start=start,
        article_end=end,
        **used.model_dump(),
    )


def normal_topics(topics: Sequence[str], recipe: RecipeFile | None = None) -> tuple[str, ...]:
    """Return topics the way the vocabulary writes them, each once; others only if it may grow."""
    vocabulary = {_plain(topic): topic for topic in recipe.topics} if recipe else {}
    grows = not vocabulary or recipe is None or recipe.other_topics
    distinct: dict[str, str] = {}
    for topic in topics:
        plain = _plain(topic)
        if plain in vocabulary or (grows and 0 < len(topic) <= _TOPIC_CHARACTERS):
            distinct.setdefault(plain, vocabulary.get(plain, topic))
    return tuple(distinct.values())[:_MOST_TOPICS]


def reading_minutes(text: str) -> int:
    """Return how long a person reads, in whole minutes, at least one."""
    unspaced = len(_UNSPACED.findall(text))
    words = len(_UNSPACED.sub(" ", text).split())
    return max(1, round(words / _WORDS_A_MINUTE + unspaced / _CHARACTERS_A_MINUTE))


def _article(answer: Answer, lines: Sequence[Line]) -> tuple[int, int]:
    """Return where the article is in the stored text: all that was shown, unless the model knows better."""
    first, last = answer.article_first_line or 1, answer.article_last_line or len(lines)
    if not 1 <= first <= last <= len(lines):
        first, last = 1, len(lines)
    return lines[first - 1].start, lines[last - 1].end


def _plain(topic: str) -> str:
    return " ".join(re.sub(r"[-_/]", " ", unicodedata.normalize("NFKC", topic).casefold()).split())


def _language(tag: str | None) -> str | None:
    return tag if tag and _LANGUAGE.fullmatch(tag) else None
