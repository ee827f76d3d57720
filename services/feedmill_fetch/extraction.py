"""The article on a page. Pure, and run in a process of its own."""

import html
import re
from importlib.metadata import version

from lxml.etree import ParserError
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from readability import Document
from readability.readability import Unparseable

from feedmill.models.entries import Content
from feedmill.web.charsets import decode_text
from feedmill.web.consent import AGENT, reserves, says_no_models, sign
from feedmill.web.plain import plain_text, shorten, storable
from feedmill_fetch.sanitising import absolute_url, sanitise

# From here on a feed's own text is worth reading instead of its page.
LEAST_TEASER_WORDS = 40
# Less than this is a caption, a cookie notice or "please enable JavaScript".
_LEAST_ARTICLE_WORDS = 25
# Menus and lists of other articles are mostly links; articles never are.
_MOST_LINK_SHARE = 0.5
# A page with less than half of what its feed says shows a paywall or a preview.
_TEASER_ADVANTAGE = 2

_TITLE_CHARACTERS = 500
_URL_CHARACTERS = 2_000

# Where scripts look for the picture when they replace the placeholder in `src`.
_LAZY_SOURCES = ("data-src", "data-lazy-src", "data-original", "data-url")
_LAZY_SOURCE_SETS = ("data-srcset", "data-lazy-srcset")

# Addressed to everybody, and to us alone.
_ROBOTS_TAGS = frozenset({"robots", AGENT})
_RESERVATION_TAG = "tdm-reservation"

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
# Chinese and Japanese write no spaces: each character counts as a word.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
    r"|[^\W\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+(?:['\u2019-]\w+)*"
)


def extract(
    body: bytes, *, charset: str | None, url: str, title: str = "", teaser: str = ""
) -> Content | None:
    """Return the article of a page, sanitised; None when there is none, in the feed neither.

    Parameters
    ----------
    charset
        From the HTTP header, if it names one.
    url
        Where the page was found: relative links start there.
    title, teaser
        What the feed says of it. The teaser stands in for an article the page does not show.
    """
    page = _parsed(decode_text(body, charset))
    # Read before the extractor takes the tree apart. It is the publisher's word about the feed's
    # text as well.
    withheld = None if page is None else _withheld(page)
    article = None if page is None else _from_page(page, url, title)
    own = from_teaser(url, title=title, teaser=teaser)
    found = _fuller(article, own)
    return found and found.model_copy(update={"withheld": withheld})


def from_teaser(url: str, *, title: str, teaser: str) -> Content | None:
    """Return the feed's own text as the article, if it says enough to be one."""
    words = count_words(teaser)
    if words < LEAST_TEASER_WORDS:
        return None
    lines = [line for line in teaser.splitlines() if line.strip()]
    return Content(
        url=url,
        title=title,
        html="".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines),
        text="\n".join(lines),
        word_count=words,
        extractor="feed",
    )


def count_words(text: str) -> int:
    """Return how much there is to read; a Chinese or Japanese character counts as a word."""
    return len(_WORD.findall(text))


def _fuller(article: Content | None, own: Content | None) -> Content | None:
    if article is None or own is None:
        return article or own
    return own if own.word_count > _TEASER_ADVANTAGE * article.word_count else article


def _withheld(page: HtmlElement) -> str | None:
    for meta in page.iter("meta"):
        name, content = meta.get("name", "").strip().lower(), meta.get("content", "")
        if (name in _ROBOTS_TAGS and says_no_models(content)) or (
            name == _RESERVATION_TAG and reserves(content)
        ):
            return sign(f'<meta name="{name}" content="{content}">')
    return None


def _from_page(page: HtmlElement, url: str, title: str) -> Content | None:
    base = _base(page, url)
    # These too before the extractor takes the tree apart.
    language, image, title = _language(page), _image(page, base), title or _title(page)
    _drop_headline(page, title)
    markup = _main_part(page, url)
    clean = storable(sanitise(markup, base))
    text = plain_text(clean)
    words = count_words(text)
    if words < _LEAST_ARTICLE_WORDS or _link_share(clean, words) > _MOST_LINK_SHARE:
        return None
    return Content(
        url=url,
        title=title,
        html=clean,
        text=text,
        word_count=words,
        language=language,
        image_url=image,
        extractor=f"readability-lxml/{version('readability-lxml')}",
    )


def _parsed(text: str) -> HtmlElement | None:
    try:
        page = document_fromstring(
            storable(text).encode(), parser=HTMLParser(encoding="utf-8", remove_comments=True)
        )
    except ParserError:
        return None
    for image in page.iter("img", "source"):
        _wake(image)
    return page


def _wake(image: HtmlElement) -> None:
    for target, sources in (("src", _LAZY_SOURCES), ("srcset", _LAZY_SOURCE_SETS)):
        for lazy in filter(None, map(image.get, sources)):
            image.set(target, lazy)


def _drop_headline(page: HtmlElement, title: str) -> None:
    """Whoever shows the article shows its title above it."""
    for heading in page.findall(".//h1"):
        if " ".join(heading.text_content().split()).casefold() == title.casefold():
            heading.drop_tree()


def _main_part(page: HtmlElement, url: str) -> str:
    try:
        return str(Document(page, url=url).summary(html_partial=True, keep_all_images=True))
    except Unparseable:
        return ""


def _base(page: HtmlElement, url: str) -> str:
    declared = page.find(".//base[@href]")
    return url if declared is None else absolute_url(declared.get("href", ""), url) or url


def _language(page: HtmlElement) -> str | None:
    declared = page.get("lang", "").strip().replace("_", "-")
    return declared if _LANGUAGE.fullmatch(declared) else None


def _image(page: HtmlElement, base: str) -> str | None:
    named = _meta(page, "og:image") or _meta(page, "og:image:url") or _meta(page, "twitter:image")
    image = absolute_url(named, base) if named else None
    return image if image and len(image) <= _URL_CHARACTERS else None


def _title(page: HtmlElement) -> str:
    title = _meta(page, "og:title") or page.findtext(".//h1") or page.findtext(".//title") or ""
    return shorten(" ".join(title.split()), _TITLE_CHARACTERS)


def _meta(page: HtmlElement, name: str) -> str:
    for attribute in ("property", "name"):
        found = page.find(f".//meta[@{attribute}='{name}']")
        if found is not None and found.get("content", "").strip():
            return str(found.get("content")).strip()
    return ""


def _link_share(clean: str, words: int) -> float:
    linked = sum(
        count_words(plain_text(link)) for link in re.findall(r"(?s)<a [^>]*>.*?</a>", clean)
    )
    return linked / words
