"""What was gathered, without what does not belong into an article. Pure."""

from lxml.html import HtmlElement

from feedmill_fetch.reader.conditions import Conditions
from feedmill_fetch.reader.images import wake_lazy_images
from feedmill_fetch.reader.nodes import (
    EMBEDS,
    has_text,
    is_blank,
    is_phrasing,
    remove,
    replace,
    text_of,
)
from feedmill_fetch.reader.signs import Strictness, is_for_sharing, is_player, weight
from feedmill_fetch.reader.tables import data_tables, single_cell

_NEVER = ("aside", "button", "footer", "input", "link", "select", "textarea")
_SHARE_CHARACTERS = 500


def clean(article: HtmlElement, strictness: Strictness) -> None:
    """Clean an article, in place."""
    conditions = Conditions(data_tables(article), strictness)
    wake_lazy_images(article)
    conditions.enforce(article, "form")
    conditions.enforce(article, "fieldset")
    _drop_embeds(article, "object", "embed")
    _drop(article, "footer", "link", "aside")
    _drop_sharing(article)
    _drop_embeds(article, "iframe")
    _drop(article, "input", "textarea", "select", "button")
    _drop_headings(article, strictness)
    for tag in ("table", "ul", "div"):
        conditions.enforce(article, tag)
    _tidy(article)


def _drop(article: HtmlElement, *tags: str) -> None:
    for node in list(article.iter(*tags)):
        remove(node)


def _drop_embeds(article: HtmlElement, *tags: str) -> None:
    for node in list(article.iter(*tags)):
        if not is_player(node):
            remove(node)


def _drop_sharing(article: HtmlElement) -> None:
    for top in article:
        for node in list(top.iterdescendants("*")):
            if is_for_sharing(node) and len(text_of(node)) < _SHARE_CHARACTERS:
                remove(node)


def _drop_headings(article: HtmlElement, strictness: Strictness) -> None:
    for heading in list(article.iter("h1", "h2")):
        if weight(heading, strictness) < 0:
            remove(heading)


def _tidy(article: HtmlElement) -> None:
    for heading in article.iter("h1"):
        # The title is shown above the article, and is the only one of its rank.
        heading.tag = "h2"
    for paragraph in list(article.iter("p")):
        if next(paragraph.iter("img", *EMBEDS), None) is None and not has_text(paragraph):
            remove(paragraph)
    for line_break in list(article.iter("br")):
        following = line_break.getnext()
        if is_blank(line_break.tail) and following is not None and following.tag == "p":
            remove(line_break)
    for table in list(article.iter("table")):
        cell = single_cell(table)
        if cell is not None:
            cell.tag = "p" if all(map(is_phrasing, cell)) else "div"
            replace(table, cell)
