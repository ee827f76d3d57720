"""The article on a page. Pure, and run in a process of its own."""

from dataclasses import dataclass, replace

from lxml.html import HtmlElement

from feedmill.models.entries import Content, PageSign
from feedmill.web.charsets import decode_text
from feedmill.web.plain import storable
from feedmill_fetch.article import Article, as_article, find_article
from feedmill_fetch.feed_text import read_feed_text, says_as_much
from feedmill_fetch.length import count_words, reading_minutes
from feedmill_fetch.metadata import Metadata, person, read_metadata, withheld
from feedmill_fetch.page import as_source, base_of, parse, without_huge_tags
from feedmill_fetch.presenting import has_picture
from feedmill_fetch.rules import Ruled, follow, rules_in
from feedmill_fetch.sanitising import sanitise_tree
from feedmill_fetch.urls import absolute_url
from feedmill_fetch.walls import signs_of

# Less than this is a caption, a cookie notice or "please enable JavaScript".
_LEAST_ARTICLE_WORDS = 25
# Menus and lists of other articles are mostly links; articles never are.
_MOST_LINK_SHARE = 0.5
# A page with less than half of what its feed says shows a paywall or a preview.
_TEASER_ADVANTAGE = 2

# With one of these a short text is not the article.
_WALLS = frozenset(PageSign) - {PageSign.PAYWALL, PageSign.UNFINISHED}


@dataclass(frozen=True)
class Examined:
    """What came of a page.

    Attributes
    ----------
    content
        The article, sanitised; None when there is none, in the feed neither.
    signs
        What the page is instead of an article, or besides.
    feed_is_whole
        Whether the feed says all that the page does; None when that cannot be told.
    next_url
        Where the article goes on, by the rule for its site.
    """

    content: Content | None
    signs: tuple[PageSign, ...] = ()
    feed_is_whole: bool | None = None
    next_url: str | None = None


def examine(
    body: bytes,
    *,
    charset: str | None,
    url: str,
    title: str = "",
    teaser: str = "",
    markup: str | None = None,
    rules: str = "",
) -> Examined:
    """Find the article of a page. Never raises, whatever the page.

    Parameters
    ----------
    charset
        From the HTTP header, if it names one.
    url
        Where the page was found: relative links start there.
    title, teaser
        What the feed says of it. The teaser stands in for an article the page does not show.
    markup
        The same whole, as it came, if the feed gave it so.
    rules
        A folder of rules for single sites; those that are shipped hold anyhow.
    """
    source = without_huge_tags(decode_text(body, charset))
    page = parse(source)
    own = read_feed_text(url, title=title, teaser=teaser, markup=markup).content
    if page is None:
        return Examined(own)
    # Read before the extractors take the page apart. It is the publisher's word about the feed's
    # text as well.
    sign = withheld(page)
    seen = _from_page(page, source, url=url, title=title, teaser=teaser, rules=rules)
    found = _fuller(seen.content, own)
    is_whole = (
        says_as_much(own.text, seen.content.text) if own and seen.content and markup else None
    )
    content = found and found.model_copy(update={"withheld": sign})
    goes_on = seen.next_url if found is not own else None
    return replace(seen, content=content, feed_is_whole=is_whole, next_url=goes_on)


def _from_page(
    page: HtmlElement, source: str, *, url: str, title: str, teaser: str, rules: str
) -> Examined:
    base = base_of(page, url)
    metadata = read_metadata(page, url, base)
    rule = rules_in(rules).of(url)
    ruled = follow(rule, page) if rule else Ruled(None)
    if ruled.removed:
        source = as_source(page)
    titles = tuple(filter(None, (*metadata.titles, title)))
    if rule is None or ruled.article is None:
        by_line = not metadata.byline
        article = find_article(page, source, titles=titles, teaser=teaser, wants_byline=by_line)
    else:
        article = as_article(ruled.article, titles, f"rule/{rule.name}")
    text = storable("\n".join(line.text for line in article.lines))
    signs = signs_of(source, found=text, free=metadata.free)
    if _is_no_article(article, text) or not _WALLS.isdisjoint(signs):
        return Examined(None, signs)
    content = _content(article, text, metadata, url=url, base=base, title=title, signs=signs)
    next_url = absolute_url(ruled.next_url, base) if ruled.next_url else None
    return Examined(content, signs, next_url=next_url)


def _content(
    article: Article,
    text: str,
    metadata: Metadata,
    *,
    url: str,
    base: str,
    title: str,
    signs: tuple[PageSign, ...],
) -> Content:
    return Content(
        url=url,
        title=title or metadata.title,
        html=storable(sanitise_tree(article.root, base)),
        text=text,
        word_count=count_words(text),
        reading_minutes=reading_minutes(text),
        language=metadata.language,
        image_url=metadata.image_url,
        byline=metadata.byline or person(article.byline),
        site_name=metadata.site_name,
        published_at=metadata.published_at,
        modified_at=metadata.modified_at,
        canonical_url=metadata.canonical_url,
        signs=signs,
        extractor=article.found_by,
    )


def _fuller(article: Content | None, own: Content | None) -> Content | None:
    if article is None or own is None:
        return article or own
    return own if own.word_count > _TEASER_ADVANTAGE * article.word_count else article


def _is_no_article(article: Article, text: str) -> bool:
    if count_words(text) < _LEAST_ARTICLE_WORDS and not has_picture(article.root):
        return True
    words = sum(len(line.words) for line in article.lines)
    linked = sum(line.linked * len(line.words) for line in article.lines)
    return linked > _MOST_LINK_SHARE * words
