"""Article HTML, safe to show as it is. Pure."""

import html
import re
from collections.abc import Mapping

import nh3
from lxml.etree import strip_elements
from lxml.html import HtmlElement, tostring

from feedmill_fetch.page import parse
from feedmill_fetch.presenting import present
from feedmill_fetch.srcsets import candidates
from feedmill_fetch.trackers import without_tracking
from feedmill_fetch.urls import absolute_url

_TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q",
    "rp", "rt", "ruby", "s", "samp", "small", "source", "span", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr",
})  # fmt: skip

# Removed with all they hold. Other unknown tags lose only themselves.
_WITH_CONTENT = frozenset({
    "button", "form", "frame", "frameset", "iframe", "math", "noscript", "object", "script",
    "select", "style", "svg", "template", "textarea", "title",
})  # fmt: skip

# Those of which nothing is made that can be shown. Gone before a second parser reads the markup, they
# cannot be read by it as something else.
_NEVER_SHOWN = _WITH_CONTENT - {"iframe", "math", "object"}

_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"class", "href", "hreflang"},
    "blockquote": {"cite"},
    "code": {"class"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "loading", "referrerpolicy", "sizes", "src", "srcset", "width"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start"},
    "pre": {"class"},
    "q": {"cite"},
    "source": {"media", "sizes", "srcset", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}

# One for a tag: several would come in an order that changes from process to process, and the same
# article is to be the same to the letter.
_ALWAYS: Mapping[str, Mapping[str, str]] = {"img": {"referrerpolicy": "no-referrer"}}

_FIXED = {"loading": "lazy", "referrerpolicy": "no-referrer"}

_LINK_REL = "noopener noreferrer nofollow ugc"
_URLS = frozenset({"cite", "href", "src"})
# What code is written in, and which links stand for players; other names mean nothing here.
_KEPT_CLASS = {
    "a": re.compile(r"embed"),
    "code": re.compile(r"lang(?:uage)?-[\w+#.-]{1,30}"),
    "pre": re.compile(r"lang(?:uage)?-[\w+#.-]{1,30}"),
}


def sanitise(markup: str, base: str) -> str:
    """Return the markup with nothing in it that runs, frames, submits or phones home by itself.

    Parameters
    ----------
    base
        Where the page was found: relative links start there.
    """
    page = parse(f"<html><body>{markup}</body></html>")
    return "" if page is None else sanitise_tree(page.find("body"), base)


def sanitise_tree(root: HtmlElement, base: str) -> str:
    """Return what is within an element as such markup. Takes the tree apart."""
    strip_elements(root, *_NEVER_SHOWN, with_tail=False)
    present(root, base)
    children = "".join(tostring(child, encoding="unicode") for child in root)
    return _clean(html.escape(root.text or "", quote=False) + children, base)


def _clean(markup: str, base: str) -> str:
    def judged(tag: str, attribute: str, value: str) -> str | None:
        if attribute in _URLS:
            return _address(tag, value, base)
        if attribute == "srcset":
            return _srcset(value, base)
        if attribute == "class":
            return _class(tag, value)
        return _FIXED.get(attribute, value)

    return nh3.clean(
        markup,
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=judged,
        set_tag_attribute_values={tag: dict(values) for tag, values in _ALWAYS.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel=_LINK_REL,
    ).strip()


def _address(tag: str, value: str, base: str) -> str | None:
    # Judged after nh3 has: what looks to it like a relative address has a scheme to us, or none.
    found = absolute_url(value, base, mail=tag == "a")
    return without_tracking(found) if found is not None and tag == "a" else found


def _srcset(value: str, base: str) -> str | None:
    offered = [(absolute_url(one.url, base), one.descriptor) for one in candidates(value)]
    return ", ".join(f"{url} {size}".strip() for url, size in offered if url) or None


def _class(tag: str, value: str) -> str | None:
    kept = _KEPT_CLASS.get(tag)
    return next(filter(kept.fullmatch, value.split()), None) if kept else None
