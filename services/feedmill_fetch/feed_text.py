"""The feed's own text as an article, and whether it is all of it. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from lxml.html import HtmlElement

from feedmill.models.entries import FROM_FEED, Content
from feedmill.web.plain import storable
from feedmill_fetch.length import count_words, reading_minutes
from feedmill_fetch.lines import lines_of, words_of
from feedmill_fetch.page import parse
from feedmill_fetch.phrases import compiled, phrases
from feedmill_fetch.sanitising import sanitise, sanitise_tree

# From here on a feed's own text is worth reading instead of its page.
LEAST_TEASER_WORDS = 40

# Changes whenever the same markup may give another article.
_FROM_MARKUP = f"{FROM_FEED}/1"

# Summaries are shorter, and hardly ever have paragraphs.
_LEAST_WHOLE_WORDS = 150
_LEAST_PARAGRAPHS = 2
_PARAGRAPH_WORDS = 12
# Where a text was cut, or where it leads on to the rest of it: its last words say so.
_CUT = compiled(rf"(?:\u2026|\.\.\.)\W*$|(?:^|\W)(?:{phrases('feeds', 'more')})\W*$")
_LAST_LINES = 2
# What blogs add to every text, whole or not.
_TRAILER = compiled(phrases("feeds", "trailer"))

# An address as people write it in a text, without what ends the sentence after it.
_ADDRESS = re.compile(r"https?://[^\s<>\"]*[^\s<>\"'.,;:!?)\]}]")

_SHINGLE = 4
# Pages have a little that no feed has: captions, notes, who wrote it.
_MOST_OF_IT = 0.85


@dataclass(frozen=True)
class FeedText:
    """What a feed says of an entry.

    Attributes
    ----------
    content
        Its text as an article; None when that is too little to be one.
    is_whole
        Whether nothing about it looks like a part of something longer.
    """

    content: Content | None
    is_whole: bool = False


def read_feed_text(
    url: str,
    *,
    title: str,
    teaser: str,
    markup: str | None,
    least_words: int = LEAST_TEASER_WORDS,
) -> FeedText:
    """Return what a feed says of an entry, sanitised. Never raises, whatever the markup.

    Parameters
    ----------
    url
        Where the entry's page is: relative links start there.
    teaser, markup
        The feed's own text: plain and shortened, and as it came, if it was kept.
    least_words
        With fewer it is too little to be an article.
    """
    body = _body(markup)
    if body is None:
        return FeedText(from_teaser(url, title=title, teaser=teaser, least_words=least_words))
    _drop_trailers(body)
    lines = tuple(line.text for line in lines_of(body))
    text = storable("\n".join(lines))
    if count_words(text) < max(least_words, count_words(teaser) / 2):
        return FeedText(from_teaser(url, title=title, teaser=teaser, least_words=least_words))
    html = storable(sanitise_tree(body, url))
    return FeedText(_content(url, title, text, html, _FROM_MARKUP), _is_whole(lines))


def from_teaser(
    url: str, *, title: str, teaser: str, least_words: int = LEAST_TEASER_WORDS
) -> Content | None:
    """Return the feed's plain text as the article, if it says enough to be one."""
    text = "\n".join(filter(str.strip, teaser.splitlines()))
    if count_words(text) < least_words:
        return None
    return _content(url, title, text, _paragraphs(text, url), FROM_FEED)


def says_as_much(own: str, article: str) -> bool | None:
    """Tell whether a feed's text says what the article on the page says; None if that is too little."""
    wanted = _shingles(article)
    if len(wanted) < LEAST_TEASER_WORDS:
        return None
    return len(wanted & _shingles(own)) >= _MOST_OF_IT * len(wanted)


def _body(markup: str | None) -> HtmlElement | None:
    page = parse(f"<html><body>{markup}</body></html>") if markup else None
    return None if page is None else page.find("body")


def _content(url: str, title: str, text: str, html: str, extractor: str) -> Content:
    return Content(
        url=url,
        title=title,
        html=html,
        text=text,
        word_count=count_words(text),
        reading_minutes=reading_minutes(text),
        extractor=extractor,
    )


def _paragraphs(text: str, url: str) -> str:
    """Return plain text as HTML, with the addresses in it as links."""
    markup = "".join(f"<p>{_escaped(line)}</p>" for line in text.splitlines())
    return markup if _ADDRESS.search(text) is None else sanitise(markup, url)


def _escaped(line: str) -> str:
    parts, end = [], 0
    for address in _ADDRESS.finditer(line):
        link = escape(address[0])
        parts += [
            escape(line[end : address.start()], quote=False),
            f'<a href="{link}">{link}</a>',
        ]
        end = address.end()
    return "".join([*parts, escape(line[end:], quote=False)])


def _drop_trailers(body: HtmlElement) -> None:
    for block in list(body)[-_LAST_LINES:]:
        if _TRAILER.search(" ".join(block.itertext())):
            block.drop_tree()


def _is_whole(lines: Sequence[str]) -> bool:
    counts = [count_words(line) for line in lines]
    return (
        sum(counts) >= _LEAST_WHOLE_WORDS
        and sum(count >= _PARAGRAPH_WORDS for count in counts) >= _LEAST_PARAGRAPHS
        and not any(map(_CUT.search, lines[-_LAST_LINES:]))
    )


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = [word.casefold() for word in words_of(text)]
    return set(zip(*(words[start:] for start in range(_SHINGLE)), strict=False))
