"""One story's distillate for another text of it. Pure."""

from typing import TypeVar

from feedmill.models.distillates import Distillate, Passage
from feedmill_distillation.answers import Claim
from feedmill_distillation.article import Article
from feedmill_distillation.provenance import borne_out
from feedmill_distillation.support import Flaw

P = TypeVar("P", bound=Passage)


def retold(made: Distillate, of: str, article: Article) -> Distillate | None:
    """Return a distillate with the passages of another text of its story.

    Parameters
    ----------
    of
        The text it was made of.
    article
        The other text.

    Returns
    -------
    Distillate
        None when the other text does not bear all of it out: it needs one of its own.
    """
    # Where an article begins and ends is something about one text.
    made = made.model_copy(update={"article_start": None, "article_end": None})
    return _with_same_passages(made, of, article.text) or _borne_out_anew(made, article)


def _with_same_passages(made: Distillate, of: str, text: str) -> Distillate | None:
    """Move every passage to where the other text has the same words."""
    points = [_moved(point, of, text) for point in made.key_points]
    sources = [[_moved(each, of, text) for each in s.sources] for s in made.sentences]
    if None in points or any(None in each for each in sources):
        return None
    sentences = tuple(
        sentence.model_copy(update={"sources": tuple(moved)})
        for sentence, moved in zip(made.sentences, sources, strict=True)
    )
    return made.model_copy(update={"key_points": tuple(points), "sentences": sentences})


def _moved(passage: P, of: str, text: str) -> P | None:
    words = of[passage.start : passage.end]
    start = text.find(words) if words else -1
    if start < 0:
        return None
    return passage.model_copy(update={"start": start, "end": start + len(words)})


def _borne_out_anew(made: Distillate, article: Article) -> Distillate | None:
    # No lines: the passages of the other text are anywhere in this one.
    claims = [Claim(text=point.text, first_line=0, last_line=0) for point in made.key_points]
    borne = borne_out(made.summary, claims, article)
    if len(borne.key_points) < len(claims) or any(
        isinstance(outcome, Flaw) for outcome in borne.summary_outcomes
    ):
        return None
    points = tuple(point.model_copy(update={"recited": False}) for point in borne.key_points)
    return made.model_copy(
        update={"summary": borne.summary, "sentences": borne.sentences, "key_points": points}
    )
