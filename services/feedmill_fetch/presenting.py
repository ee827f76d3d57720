"""An article's tree made fit to be shown elsewhere: players as links, formulas as text, no counters. Pure.

What is dangerous is none of its business: that is removed afterwards, from whatever is made here.
"""

import re
from urllib.parse import urlsplit

from lxml.html import Element, HtmlElement

from feedmill_fetch.reader.nodes import remove, replace
from feedmill_fetch.srcsets import best
from feedmill_fetch.trackers import is_counter
from feedmill_fetch.urls import absolute_url

_PLAYERS = ("audio", "embed", "iframe", "object", "video")
_PLAYER_SOURCES = ("src", "data", "data-src", "data-lazy-src")

_TINY = 2
# Icons and avatars are smaller.
_LARGE = 200
_BREAKS = re.compile(r"[\t\r\n]+")
_PIXELS = re.compile(r"\s*(\d+)(?:\.\d+)?(?:px)?\s*")
_STYLED = {
    side: re.compile(rf"(?:^|[;\s]){side}\s*:\s*(\d+)(?:px)?\s*(?:;|!|$)")
    for side in ("width", "height")
}
_UNSEEN_MATH = ("annotation", "annotation-xml")
_RAISED = {"msup": "sup", "msub": "sub", "mover": "sup", "munder": "sub"}


def present(article: HtmlElement, base: str) -> None:
    """Make an article fit to be shown, in place."""
    for player in list(article.iter(*_PLAYERS)):
        _link_to(player, base)
    for formula in list(article.iter("math")):
        _write_out(formula)
    for image in article.iter("image"):
        # So browsers read it.
        image.tag = "img"
    for image in list(article.iter("img")):
        _settle(image, base)
    for link in article.iter("a"):
        if "href" in link.attrib:
            # Browsers pass over spaces and line breaks in an address; lxml would encode them.
            link.set("href", _BREAKS.sub("", link.get("href", "").strip()))


def has_picture(article: HtmlElement) -> bool:
    """Tell whether an article has a picture that leads nowhere else: what a comic or a photo post is."""
    return any(
        (image.get("src") or image.get("srcset"))
        and not is_counter(image.get("src", ""))
        and not any((_size(image, side) or _LARGE) < _LARGE for side in ("width", "height"))
        and next(image.iterancestors("a"), None) is None
        for image in article.iter("img")
    )


def _link_to(player: HtmlElement, base: str) -> None:
    url = next(filter(None, (absolute_url(each, base) for each in _sources(player))), None)
    if url is None:
        remove(player)
        return
    link: HtmlElement = Element("a")
    link.set("href", url)
    link.set("class", "embed")
    title = " ".join(player.get("title", "").split())
    link.text = title or f"▶ {urlsplit(url).hostname}"
    replace(player, link)


def _sources(player: HtmlElement) -> list[str]:
    inner = (each.get("src", "") for each in player.iter("source", "embed"))
    return [each for each in (*(player.get(name, "") for name in _PLAYER_SOURCES), *inner) if each]


def _write_out(formula: HtmlElement) -> None:
    """No browser needs to know mathematics to show letters, signs, and what stands above and below."""
    for unseen in list(formula.iter(*_UNSEEN_MATH)):
        remove(unseen)
    for part in list(formula.iter("*")):
        raised = _RAISED.get(part.tag)
        if part.tag == "mfrac" and len(part) > 1:
            part[0].tail = "/"
        part.tag = "span" if part.tag not in {"sup", "sub"} else part.tag
        part.attrib.clear()
        if raised and len(part) > 1:
            part[1].tag = raised


def _settle(image: HtmlElement, base: str) -> None:
    source = image.get("src", "")
    url = absolute_url(source, base) if source else None
    if url is None:
        offered = best(image.get("srcset", ""))
        url = absolute_url(offered, base) if offered else None
    if url is None or is_counter(url) or _is_tiny(image):
        remove(image)
        return
    image.set("src", url)
    image.set("loading", "lazy")
    for side in ("width", "height"):
        size = _PIXELS.fullmatch(image.get(side, ""))
        if size and int(size[1]):
            image.set(side, size[1])
        else:
            image.attrib.pop(side, None)


def _is_tiny(image: HtmlElement) -> bool:
    sizes = [_size(image, side) for side in ("width", "height")]
    known = [size for size in sizes if size is not None]
    return bool(known) and max(known) <= _TINY


def _size(image: HtmlElement, side: str) -> int | None:
    found = _PIXELS.fullmatch(image.get(side, ""))
    if found is None:
        # What is stretched by its style is as large as its place.
        style = image.get("style", "")
        found = None if "min-" in style else _STYLED[side].search(style)
    return int(found[1]) if found else None
