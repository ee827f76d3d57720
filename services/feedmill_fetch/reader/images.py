"""Images that scripts would put in place: found where the scripts would find them. Pure."""

import re
from copy import deepcopy

from lxml.html import Element, HtmlElement

from feedmill_fetch.reader.nodes import has_text, remove, replace

_IMAGE_NAME = re.compile(r"\.(?:jpe?g|png|webp)", re.IGNORECASE)
_ONE_IMAGE = re.compile(r"\s*\S+\.(?:jpg|jpeg|png|webp)\S*\s*")
_IMAGE_SET = re.compile(r"\.(?:jpg|jpeg|png|webp)\s+\d")
_BASE64 = re.compile(r"data:\s*([^\s;,]+)\s*;\s*base64\s*,", re.IGNORECASE)

_SOURCES = frozenset({"data-src", "data-srcset", "src", "srcset"})
# 100 bytes, encoded: no picture, but what holds the place of one. (A drawing may be as short.)
_LEAST_BASE64_CHARACTERS = 133
_DRAWING = "image/svg+xml"


def unwrap_noscript_images(page: HtmlElement) -> None:
    """Take images for browsers without scripts in place of those that scripts fill in."""
    for image in list(page.iter("img")):
        if not _SOURCES.intersection(image.keys()) and not _names_image(image):
            remove(image)
    for noscript in list(page.iter("noscript")):
        _unwrap(noscript)


def wake_lazy_images(article: HtmlElement) -> None:
    """Give images the source that a script would give them."""
    for element in list(article.iter("img", "picture", "figure")):
        if element.tag == "img":
            if _holds_place(element):
                del element.attrib["src"]
            if _is_awake(element):
                continue
        _wake(element)


def _names_image(image: HtmlElement) -> bool:
    return any(_IMAGE_NAME.search(value) for value in image.values())


def _single_image(node: HtmlElement) -> HtmlElement | None:
    """Return the image that is all there is within a node."""
    while node.tag != "img":
        if len(node) != 1 or has_text(node):
            return None
        node = node[0]
    return node


def _unwrap(noscript: HtmlElement) -> None:
    image, before = _single_image(noscript), noscript.getprevious()
    placeholder = None if before is None else _single_image(before)
    if image is None or before is None or placeholder is None:
        return
    found = deepcopy(noscript[0])
    image = found if found.tag == "img" else found.find(".//img")
    for name, value in placeholder.items():
        if not value or (name not in {"src", "srcset"} and not _IMAGE_NAME.search(value)):
            continue
        if image.get(name) != value:
            image.set(f"data-old-{name}" if name in image.attrib else name, value)
    replace(before, found)


def _holds_place(image: HtmlElement) -> bool:
    source = image.get("src", "")
    encoded = _BASE64.match(source)
    if encoded is None or encoded[1] == _DRAWING:
        return False
    others = (value for name, value in image.items() if name != "src")
    has_other = any(_IMAGE_NAME.search(value) for value in others)
    return has_other and len(source) - encoded.end() < _LEAST_BASE64_CHARACTERS


def _is_awake(image: HtmlElement) -> bool:
    has_source = image.get("src") or image.get("srcset")
    return bool(has_source) and "lazy" not in image.get("class", "").lower()


def _wake(element: HtmlElement) -> None:
    for name, value in element.items():
        target = None if name in {"src", "srcset", "alt"} else _target(value)
        if target is None:
            continue
        if element.tag != "figure":
            element.set(target, value)
        elif next(element.iter("img", "picture"), None) is None:
            image: HtmlElement = Element("img")
            image.set(target, value)
            element.append(image)


def _target(value: str) -> str | None:
    if _IMAGE_SET.search(value):
        return "srcset"
    return "src" if _ONE_IMAGE.fullmatch(value) else None
