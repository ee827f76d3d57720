"""What names of classes and ids say about an element. Pure.

The words are those by which Readability.js, and with it most of the web's reader views, judges.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from lxml.html import HtmlElement

_UNLIKELY = re.compile(
    r"-ad-|ai2html|banner|breadcrumbs|combx|comment|community|cover-wrap|disqus|extra|footer|gdpr"
    r"|header|legends|menu|related|remark|replies|rss|shoutbox|sidebar|skyscraper|social|sponsor"
    r"|supplemental|ad-break|agegate|pagination|pager|popup|yom-remote",
    re.IGNORECASE,
)
_MAYBE = re.compile(r"and|article|body|column|content|main|shadow", re.IGNORECASE)
_POSITIVE = re.compile(
    r"article|body|content|entry|hentry|h-entry|main|page|pagination|post|text|blog|story",
    re.IGNORECASE,
)
_NEGATIVE = re.compile(
    r"-ad-|hidden|^hid$| hid$| hid |^hid |banner|combx|comment|com-|contact|footer|gdpr|masthead"
    r"|media|meta|outbrain|promo|related|scroll|share|shoutbox|sidebar|skyscraper|sponsor|shopping"
    r"|tags|widget",
    re.IGNORECASE,
)
_BYLINE = re.compile(r"byline|author|dateline|writtenby|p-author", re.IGNORECASE)
_SHARE = re.compile(r"(?:\b|_)(?:share|sharedaddy)(?:\b|_)", re.IGNORECASE)

# The players that people want to see; other frames are advertisements more often than not.
_PLAYERS = re.compile(
    r"//(?:www\.)?(?:(?:dailymotion|youtube|youtube-nocookie|player\.vimeo|v\.qq)\.com"
    r"|(?:archive|upload\.wikimedia)\.org|player\.twitch\.tv)",
    re.IGNORECASE,
)

_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_UNLIKELY_ROLES = frozenset({
    "alert", "alertdialog", "complementary", "dialog", "menu", "menubar", "navigation",
})  # fmt: skip

_WEIGHT = 25
_BYLINE_CHARACTERS = 100

# A page has few names, and gives them to many elements.
_remembered = lru_cache(maxsize=8_192)


@dataclass(frozen=True)
class Strictness:
    """What a pass over a page believes. When little is left of it, the next pass believes less."""

    unlikely: bool = True
    """Names tell what to leave out."""
    weights: bool = True
    """Names tell how much a part of the page is worth."""
    conditions: bool = True
    """Lists, tables and sections have to look like prose."""


def names(node: HtmlElement) -> str:
    return f"{node.get('class', '')} {node.get('id', '')}"


@_remembered
def is_unlikely(name: str) -> bool:
    """Tell whether what has this name is hardly ever part of an article."""
    return _UNLIKELY.search(name) is not None and _MAYBE.search(name) is None


def has_unlikely_role(node: HtmlElement) -> bool:
    return node.get("role") in _UNLIKELY_ROLES


def weight(node: HtmlElement, strictness: Strictness) -> int:
    """Return what the names of an element add to its score."""
    if not strictness.weights:
        return 0
    return _weight(node.get("class", "")) + _weight(node.get("id", ""))


@_remembered
def _weight(name: str) -> int:
    positive, negative = _POSITIVE.search(name), _NEGATIVE.search(name)
    return _WEIGHT * ((positive is not None) - (negative is not None))


def is_for_sharing(node: HtmlElement) -> bool:
    return _is_for_sharing(names(node))


@_remembered
def _is_for_sharing(name: str) -> bool:
    return _SHARE.search(name) is not None


def is_hidden(node: HtmlElement) -> bool:
    """Tell whether a browser would show nothing of it, by its own attributes."""
    style = node.get("style")
    if style and _HIDDEN_STYLE.search(style):
        return True
    if node.get("hidden") is not None:
        return True
    # Formulas of an encyclopedia are pictures that only programs which read aloud are to pass over.
    return node.get("aria-hidden") == "true" and "fallback-image" not in str(node.get("class"))


def is_modal(node: HtmlElement) -> bool:
    return bool(node.get("aria-modal") == "true" and node.get("role") == "dialog")


def may_be_byline(node: HtmlElement, name: str) -> bool:
    """Tell whether an element says of itself that it names the author."""
    return (
        node.get("rel") == "author" or "author" in node.get("itemprop", "") or _names_author(name)
    )


@_remembered
def _names_author(name: str) -> bool:
    return _BYLINE.search(name) is not None


def is_byline(text: str) -> bool:
    return 0 < len(text) < _BYLINE_CHARACTERS


def is_player(node: HtmlElement) -> bool:
    """Tell whether an embed plays a film."""
    return any(_PLAYERS.search(value) for value in node.values())
