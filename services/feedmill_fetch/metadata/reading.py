"""What a page says about its article, from wherever it says it. Pure."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from lxml.html import HtmlElement

from feedmill.web.plain import shorten, storable
from feedmill_fetch.metadata.json_ld import Node, described_article, first_url, names, strings
from feedmill_fetch.metadata.tags import Tags
from feedmill_fetch.metadata.times import parse_time, time_in
from feedmill_fetch.metadata.titles import headline
from feedmill_fetch.reader.nodes import inner_text
from feedmill_fetch.urls import absolute_url

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")
_BY = re.compile(r"(?:by|von|par|por|di|door|av|af|autor|author|text)\s*:?\s+", re.IGNORECASE)
_NOT_A_NAME = re.compile(r"https?:|www\.|[@<>{}]", re.IGNORECASE)

_TITLE_CHARACTERS = 500
_NAME_CHARACTERS = 200
_URL_CHARACTERS = 2_000
_MOST_NAME_WORDS = 14

_TITLES = (
    "dc:title", "dcterms:title", "dcterm:title", "og:title", "weibo:article:title", "title",
    "twitter:title", "parsely-title", "sailthru:title", "item:headline",
)  # fmt: skip
_AUTHORS = (
    "dc:creator", "dcterms:creator", "dcterm:creator", "author", "parsely-author", "article:author",
    "sailthru:author", "byl", "twitter:creator:name", "item:author",
)  # fmt: skip
_PUBLISHED = (
    "article:published_time", "og:published_time", "item:datepublished", "datepublished",
    "parsely-pub-date", "sailthru:date", "pubdate", "publishdate", "publish-date", "publish_date",
    "dc:date:issued", "dcterms:created", "dc:date", "dcterms:date", "date",
)  # fmt: skip
_MODIFIED = (
    "article:modified_time", "og:updated_time", "og:modified_time", "item:datemodified",
    "datemodified", "lastmod", "dcterms:modified", "last-modified",
)  # fmt: skip
_IMAGES = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src")


@dataclass(frozen=True)
class Metadata:
    """What a page says about its article; empty or None where it says nothing.

    Attributes
    ----------
    titles
        The headline first, then every other form of it.
    free
        Whether everybody may read it, if the page says so.
    """

    titles: tuple[str, ...] = ()
    byline: str = ""
    site_name: str = ""
    published_at: datetime | None = None
    modified_at: datetime | None = None
    language: str | None = None
    image_url: str | None = None
    canonical_url: str | None = None
    free: bool | None = None

    @property
    def title(self) -> str:
        return self.titles[0] if self.titles else ""


def read_metadata(page: HtmlElement, url: str, base: str) -> Metadata:
    """Return what a page says about its article.

    Parameters
    ----------
    url, base
        Where the page was found, and where its relative links start.
    """
    tags, described = Tags.of(page), described_article(page)
    return Metadata(
        titles=_titles(page, tags, described),
        byline=_byline(tags, described),
        site_name=_name(
            _first(
                tags.first("og:site_name"),
                *names(described.get("publisher")),
                tags.first("application-name"),
            )
        ),
        published_at=_time((*strings(described.get("datePublished")), *_said(tags, _PUBLISHED)))
        or _marked_time(page)
        or time_in(url),
        modified_at=_time((*strings(described.get("dateModified")), *_said(tags, _MODIFIED))),
        language=_language(page, tags, described),
        image_url=_address(
            _first(
                tags.first(*_IMAGES),
                first_url(described.get("image")),
                tags.link("image_src"),
                tags.first("item:image"),
            ),
            base,
        ),
        canonical_url=_canonical(tags, url, base),
        free=_free(described, tags),
    )


def _titles(page: HtmlElement, tags: Tags, described: Node) -> tuple[str, ...]:
    described_titles = _described_titles(page, described)
    said = [tags.first(name) for name in _TITLES]
    headings = page.findall(".//h1")
    shown = inner_text(headings[0]) if len(headings) == 1 else ""
    every = (*described_titles[:1], *said, headline(page), shown, *described_titles)
    return tuple(dict.fromkeys(filter(None, (_plain(title, _TITLE_CHARACTERS) for title in every))))


def _described_titles(page: HtmlElement, described: Node) -> list[str]:
    """Return headline and name; first the one that is in the page's title as well."""
    said = [*strings(described.get("headline")), *strings(described.get("name"))]
    whole = " ".join((page.findtext(".//title") or "").split()).casefold()
    return sorted(said, key=lambda title: title.casefold() not in whole)


def _byline(tags: Tags, described: Node) -> str:
    named = [_name(name) for name in names(described.get("author"))]
    said = (_name(each) for name in _AUTHORS for each in tags.all(name))
    people = list(dict.fromkeys(filter(None, named))) or list(filter(None, said))[:1]
    return shorten(", ".join(people), _NAME_CHARACTERS)


def person(text: str) -> str:
    """Return the name in what a page shows as its author's name; empty if it is none."""
    return _name(text)


def _name(text: str) -> str:
    name = _BY.sub("", _plain(text, _NAME_CHARACTERS), count=1).strip(
        " ,;|\u00b7\u2022-\u2013\u2014"
    )
    if _NOT_A_NAME.search(name) or len(name.split()) > _MOST_NAME_WORDS:
        return ""
    return name


def _plain(text: str, characters: int) -> str:
    # What stands in an attribute is often escaped once more than it should be.
    return shorten(" ".join(storable(html.unescape(text)).split()), characters)


def _said(tags: Tags, names: Iterable[str]) -> Iterable[str]:
    return (value for name in names for value in tags.all(name))


def _time(texts: Iterable[str]) -> datetime | None:
    return next(filter(None, map(parse_time, texts)), None)


def _marked_time(page: HtmlElement) -> datetime | None:
    """Return the one time that the page marks as such before its text begins."""
    times = [time.get("datetime", "") for time in page.iter("time") if time.get("datetime")]
    return parse_time(times[0]) if times else None


def _language(page: HtmlElement, tags: Tags, described: Node) -> str | None:
    said = (
        page.get("lang", ""),
        page.get("xml:lang", ""),
        *strings(described.get("inLanguage")),
        tags.first("content-language", "language", "dc:language", "og:locale"),
    )
    tidy = (each.strip().replace("_", "-") for each in said)
    return next((each for each in tidy if _LANGUAGE.fullmatch(each)), None)


def _canonical(tags: Tags, url: str, base: str) -> str | None:
    for said in (tags.link("canonical"), tags.first("og:url")):
        found = _address(said, base)
        # Some sites say of every page that it is their front page.
        if found and (not _is_front_page(found) or _is_front_page(url)):
            return found
    return None


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query


def _address(url: str, base: str) -> str | None:
    found = absolute_url(url, base) if url else None
    return found if found and len(found) <= _URL_CHARACTERS else None


def _free(described: Node, tags: Tags) -> bool | None:
    said = described.get("isAccessibleForFree")
    if isinstance(said, str):
        said = {"false": False, "true": True}.get(said.strip().lower())
    if isinstance(said, bool):
        return said
    tier = tags.first("article:content_tier").lower()
    return {"free": True, "locked": False, "metered": None}.get(tier)


def _first(*texts: str) -> str:
    return next(filter(None, texts), "")
