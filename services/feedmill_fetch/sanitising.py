"""Article HTML, safe to show as it is. Pure."""

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

import nh3

_TAGS = frozenset({
    "a", "abbr", "audio", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2",
    "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "picture",
    "pre", "q", "rp", "rt", "ruby", "s", "samp", "small", "source", "span", "strong", "sub",
    "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul",
    "var", "video", "wbr",
})  # fmt: skip

# Removed with all they hold. Other unknown tags lose only themselves.
_WITH_CONTENT = frozenset({
    "button", "form", "frame", "frameset", "iframe", "math", "noscript", "object", "script",
    "select", "style", "svg", "template", "textarea", "title",
})  # fmt: skip

_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href", "hreflang"},
    "audio": {"src"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"cite", "datetime"},
    "img": {"alt", "height", "src", "srcset", "width"},
    "ins": {"cite", "datetime"},
    "ol": {"reversed", "start"},
    "q": {"cite"},
    "source": {"media", "sizes", "src", "srcset", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"height", "poster", "src", "width"},
}

_ALWAYS: Mapping[str, Mapping[str, str]] = {
    "img": {"loading": "lazy", "referrerpolicy": "no-referrer"},
    # A player with no controls cannot be stopped.
    "audio": {"controls": "", "preload": "none"},
    "video": {"controls": "", "preload": "none"},
}

_LINK_REL = "noopener noreferrer nofollow ugc"
_URLS = frozenset({"cite", "href", "poster", "src"})


def sanitise(markup: str, base: str) -> str:
    """Return the markup with nothing in it that runs, frames, submits or phones home by itself.

    Parameters
    ----------
    base
        Where the page was found: relative links start there.
    """

    def resolved(tag: str, attribute: str, value: str) -> str | None:
        if attribute in _URLS:
            return absolute_url(value, base, mail=tag == "a")
        if attribute == "srcset":
            return _srcset(value, base)
        return value

    return nh3.clean(
        markup,
        tags=set(_TAGS),
        clean_content_tags=set(_WITH_CONTENT),
        attributes=_ATTRIBUTES,
        attribute_filter=resolved,
        set_tag_attribute_values={tag: dict(values) for tag, values in _ALWAYS.items()},
        url_schemes={"http", "https", "mailto"},
        link_rel=_LINK_REL,
    ).strip()


def absolute_url(url: str, base: str, *, mail: bool = False) -> str | None:
    """Return where `url` leads from `base`; None unless that is http, https or (if `mail`) mailto."""
    try:
        # Resolved first and judged then: what looks relative here might not be to a browser.
        resolved = urljoin(base, url.strip())
        scheme, host = urlsplit(resolved)[:2]
    except ValueError:
        return None
    if scheme in {"http", "https"} and host:
        return resolved
    return resolved if mail and scheme == "mailto" else None


def _srcset(value: str, base: str) -> str | None:
    # Candidates end with ", "; a comma inside a URL is followed by none (html.spec.whatwg.org, srcset).
    candidates = (candidate.split() for candidate in f"{value} ".split(", "))
    resolved = [
        " ".join([url, *rest[:1]])
        for link, *rest in (parts for parts in candidates if parts)
        if (url := absolute_url(link.rstrip(","), base)) is not None
    ]
    return ", ".join(resolved) or None
