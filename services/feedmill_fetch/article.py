"""The article on a page, as several extractors see it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml.html import Element, HtmlElement

from feedmill_fetch.arbiter import Panel, arbitrate
from feedmill_fetch.candidates import Candidate
from feedmill_fetch.extractors import quick_rival, second_rival, thorough_rival, witness
from feedmill_fetch.lines import Line, placed_lines
from feedmill_fetch.mending import mended
from feedmill_fetch.page import parse
from feedmill_fetch.reader import reader_view


@dataclass(frozen=True)
class Article:
    """What was found.

    Attributes
    ----------
    root
        As markup that nobody has sanitised yet.
    lines
        As text.
    byline
        Whoever is named in it as its author.
    """

    root: HtmlElement
    lines: tuple[Line, ...]
    byline: str = ""


def find_article(
    page: HtmlElement, source: str, *, titles: Sequence[str], teaser: str, wants_byline: bool
) -> Article:
    """Return the article on a page.

    Parameters
    ----------
    page
        The root of its tree, which is taken apart.
    source
        The same as text, for whoever needs it whole.
    titles
        Its headlines. The first is the one that is looked for in the article.
    teaser
        What the feed says of it, if anything.
    wants_byline
        Whether to look for an author in it.
    """
    rival = quick_rival(page)
    view = reader_view(page, titles[0] if titles else "", wants_byline=wants_byline)
    root: HtmlElement = Element("div") if view is None else view.article
    placed = placed_lines(root)
    panel = Panel(
        reader=Candidate(line for line, _ in placed),
        rival=rival if rival.lines else second_rival(_again(source)),
        witness=witness(source),
        referee=lambda: thorough_rival(_again(source)),
    )
    ruling = arbitrate(panel, titles=titles, teaser=teaser)
    return Article(
        root=mended(root, [block for _, block in placed], ruling, lambda: _again(source)),
        lines=ruling.lines,
        byline="" if view is None else view.byline,
    )


def _again(source: str) -> HtmlElement:
    """Return the page once more: extractors take it apart."""
    page = parse(source)
    return Element("html") if page is None else page
