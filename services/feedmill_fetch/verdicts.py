"""What a site's answer means for the entry behind it. Pure."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from feedmill.models.entries import PageSign
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.kinds import Kind

_STATUSES = {
    401: Reason.LOGIN_WALL,
    402: Reason.PAYWALL,
    403: Reason.PAGE_BLOCKED,
    404: Reason.PAGE_MISSING,
    407: Reason.LOGIN_WALL,
    408: Reason.SITE_BROKEN,
    410: Reason.PAGE_MISSING,
    425: Reason.SITE_BROKEN,
    429: Reason.RATE_LIMITED,
}
_SERVER_ERRORS = range(500, 600)

# The first that applies: who is kept out learns nothing from what else is on the wall.
_SIGNS = {
    PageSign.BLOCKED: Reason.PAGE_BLOCKED,
    PageSign.NOT_FOUND: Reason.PAGE_MISSING,
    PageSign.CONSENT_WALL: Reason.CONSENT_WALL,
    PageSign.LOGIN_WALL: Reason.LOGIN_WALL,
    PageSign.NEEDS_BROWSER: Reason.NEEDS_BROWSER,
    PageSign.PAYWALL: Reason.PAYWALL,
}

_KINDS = {
    Kind.PICTURE: Reason.PICTURE,
    Kind.RECORDING: Reason.RECORDING,
    Kind.ARCHIVE: Reason.ARCHIVE,
}
_TYPE_CHARACTERS = 100


def of_status(status: int) -> Refusal:
    """Return what a status means that is not the one wished for."""
    broken = status in _SERVER_ERRORS
    reason = Reason.SITE_BROKEN if broken else _STATUSES.get(status, Reason.HTTP_STATUS)
    return Refusal(reason=reason, detail=str(status))


def of_signs(signs: Sequence[PageSign]) -> Refusal:
    """Return why a page without an article has none."""
    reason = next((reason for sign, reason in _SIGNS.items() if sign in signs), Reason.NO_ARTICLE)
    return Refusal(reason=reason)


def of_kind(kind: Kind, media_type: str) -> Refusal:
    """Return why something other than a text was not read."""
    reason = _KINDS.get(kind, Reason.UNSUPPORTED_TYPE)
    return Refusal(reason=reason, detail=media_type[:_TYPE_CHARACTERS])


def leads_home(asked: str, found: str) -> bool:
    """Tell whether a site sends those who ask for a page it no longer has to its front page.

    Short addresses of other sites may well lead to a front page that is meant.
    """
    return _site(asked) == _site(found) and _is_front_page(found) and not _is_front_page(asked)


def _site(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def _is_front_page(url: str) -> bool:
    parts = urlsplit(url)
    return parts.path in {"", "/"} and not parts.query
