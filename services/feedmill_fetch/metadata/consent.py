"""The tags by which a page keeps itself from language models. Pure."""

from lxml.html import HtmlElement

from feedmill.web.consent import AGENT, reserves, says_no_models, sign

# Addressed to everybody, and to us alone.
_ROBOTS_TAGS = frozenset({"robots", AGENT})
_RESERVATION_TAG = "tdm-reservation"


def withheld(page: HtmlElement) -> str | None:
    """Return the tag by which a page is kept from language models; None if there is none."""
    for meta in page.iter("meta"):
        name, content = meta.get("name", "").strip().lower(), meta.get("content", "")
        if (name in _ROBOTS_TAGS and says_no_models(content)) or (
            name == _RESERVATION_TAG and reserves(content)
        ):
            return sign(f'<meta name="{name}" content="{content}">')
    return None
