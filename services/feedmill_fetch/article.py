"""The article on a page, as several extractors see it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml.etree import SubElement
from lxml.html import Element, HtmlElement

from feedmill_fetch.arbiter import Panel, arbitrate
from feedmill_fetch.candidates import Candidate
from feedmill_fetch.extractors import quick_rival, second_rival, thorough_rival, witness
from feedmill_fetch.lines import Line, placed_lines
from feedmill_fetch.mending import mended
from feedmill_fetch.page import is_deep, parse, size_of
from feedmill_fetch.prose import Prose
from feedmill_fetch.reader import reader_view
from feedmill_fetch.reader.nodes import remove

# The longest article seen is on a page of a third as many. Some extractors' time grows with the
# square of it.
_MOST_ELEMENTS = 30_000


# Changes whenever the same page may give another article.
ARBITER = "arbiter/1"


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
    found_by
        Which extractor, and its version; or which rule.
    """

    root: HtmlElement
    lines: tuple[Line, ...]
    byline: str = ""
    found_by: str = ARBITER


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
    # Its time grows with the square of how deep elements nest, and it cannot be stopped.
    testimony = Candidate(()) if is_deep(page) else witness(source)
    if size_of(page) > _MOST_ELEMENTS:
        return _plain_article(testimony)
    rival = quick_rival(page)
    view = reader_view(page, titles[0] if titles else "", wants_byline=wants_byline)
    root: HtmlElement = Element("div") if view is None else view.article
    placed = placed_lines(root)
    panel = Panel(
        reader=Candidate(line for line, _ in placed),
        rival=rival if rival.lines else second_rival(_again(source)),
        witness=testimony,
        referee=lambda: thorough_rival(_again(source)),
    )
    ruling = arbitrate(panel, titles=titles, teaser=teaser)
    return Article(
        root=mended(root, [block for _, block in placed], ruling, lambda: _again(source)),
        lines=ruling.lines,
        byline="" if view is None else view.byline,
    )


def as_article(root: HtmlElement, titles: Sequence[str], found_by: str) -> Article:
    """Return markup that is known to be the article, by a rule say, without its headline."""
    prose = Prose(titles)
    placed = [(line, block) for line, block in placed_lines(root) if line.words]
    headline = next(
        (block for line, block in placed if line.heading and prose.is_title(line)), None
    )
    if headline is not None:
        remove(headline)
    lines = tuple(line for line, block in placed if block is not headline)
    return Article(root, lines, found_by=found_by)


def _plain_article(testimony: Candidate) -> Article:
    """Return the text of an enormous page, by the one extractor that length does not hold up."""
    root: HtmlElement = Element("div")
    for line in testimony.lines:
        SubElement(root, "p").text = line.text
    return Article(root, testimony.lines)


def _again(source: str) -> HtmlElement:
    """Return the page once more: extractors take it apart."""
    page = parse(source)
    return Element("html") if page is None else page
