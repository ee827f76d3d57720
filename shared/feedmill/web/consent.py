"""By which signs a publisher keeps a text from language models. Pure.

Recorded is the sign itself, so that a reader can see whose wish it was.
"""

import re

AGENT = "feedmill"
"""By which name sites may speak to us alone."""

_NO_MODELS = "noai"
_NO_INPUT = re.compile(r"(?:^|[\s,;])ai-input\s*=\s*no\b", re.IGNORECASE)

# Directives with a colon of their own; before any other colon stands who is meant.
_WITH_VALUE = frozenset(
    {"max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"}
)
_WHOM = re.compile(r"\*|[a-z][a-z0-9_-]*")
_US = frozenset({"*", AGENT})

_SIGN_CHARACTERS = 200


def says_no_models(robots_tag: str) -> bool:
    """Tell whether a robots tag, of a header or a page, keeps the page from models."""
    return _NO_MODELS in robots_directives(robots_tag)


def says_no_input(content_signal: str) -> bool:
    """Tell whether a content signal keeps the page from being read by models."""
    return _NO_INPUT.search(content_signal) is not None


def reserves(tdm_reservation: str) -> bool:
    """Tell whether a publisher reserves text and data mining to itself (TDMRep)."""
    return tdm_reservation.strip() == "1"


def sign(text: str) -> str:
    """Return a sign the way it is recorded."""
    # Printable is what the store takes: no halves of characters, no controls.
    return "".join(filter(str.isprintable, " ".join(text.split())))[:_SIGN_CHARACTERS]


def robots_directives(robots_tag: str) -> frozenset[str]:
    """Return the directives of a robots tag that are for everybody or for us, in lower case."""
    found = set()
    for_us = True
    for part in robots_tag.lower().split(","):
        whom, colon, directive = (each.strip() for each in part.partition(":"))
        if colon and whom not in _WITH_VALUE and _WHOM.fullmatch(whom):
            for_us = whom in _US
        else:
            directive = part.strip()
        if for_us:
            found.add(directive)
    return frozenset(found)
