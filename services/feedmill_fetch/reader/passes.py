"""Up to four passes over a page, each less strict than the one before. Pure."""

from copy import deepcopy
from dataclasses import dataclass

from lxml.html import HtmlElement

from feedmill_fetch.reader.cleaning import clean
from feedmill_fetch.reader.finishing import simplify
from feedmill_fetch.reader.gathering import gather
from feedmill_fetch.reader.nodes import inner_text
from feedmill_fetch.reader.preparing import prepare
from feedmill_fetch.reader.scoring import score
from feedmill_fetch.reader.sieving import Sieve
from feedmill_fetch.reader.signs import Strictness

_PASSES = (
    Strictness(),
    Strictness(unlikely=False),
    Strictness(unlikely=False, weights=False),
    Strictness(unlikely=False, weights=False, conditions=False),
)
# Less is a teaser, or the wrong part of the page.
_ENOUGH_CHARACTERS = 500


@dataclass(frozen=True)
class ReaderView:
    """The article of a page."""

    article: HtmlElement
    byline: str


def reader_view(page: HtmlElement, title: str, *, wants_byline: bool) -> ReaderView | None:
    """Return what a reader view shows of a page; None when nothing of it is text.

    Parameters
    ----------
    page
        The root of its tree, which is taken apart.
    title
        The first heading that says the same is left out.
    wants_byline
        Whether to look for the author's name, which is then left out as well.
    """
    prepare(page)
    tries = []
    for number, strictness in enumerate(_PASSES, start=1):
        copy = page if number == len(_PASSES) else deepcopy(page)
        view, characters = _pass(copy, title, strictness, wants_byline=wants_byline)
        tries.append((characters, view))
        if characters >= _ENOUGH_CHARACTERS:
            break
    else:
        characters, view = max(tries, key=lambda one: one[0])
    if not characters:
        return None
    simplify(view.article)
    return view


def _pass(
    page: HtmlElement, title: str, strictness: Strictness, *, wants_byline: bool
) -> tuple[ReaderView, int]:
    sieve = Sieve(title, wants_byline=wants_byline, strictness=strictness)
    body = page.find("body")
    sieve.run(body)
    article = gather(body, score(sieve.paragraphs, strictness), strictness)
    clean(article, strictness)
    return ReaderView(article, sieve.byline), len(inner_text(article))
