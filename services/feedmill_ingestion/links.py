"""Addresses that feeds give, as the web could open them. Pure."""

from urllib.parse import urljoin, urlsplit

from feedmill.web.plain import storable

_ABSOLUTE = ("https://", "http://")
_URL_CHARACTERS = 2_000


def web_link(raw: str, base: str) -> str | None:
    """Return the absolute address that is meant; None unless it is one of the web's.

    Parameters
    ----------
    base
        Where a relative one starts.
    """
    # Feeds forget to escape spaces; browsers do it for them.
    link = "%20".join(storable(raw).split())
    if not link:
        return None
    try:
        link = link if link.startswith(_ABSOLUTE) else urljoin(base, link)
        scheme, host = urlsplit(link)[:2]
    except ValueError:
        return None
    usable = scheme in {"http", "https"} and host and len(link) <= _URL_CHARACTERS
    return link if usable else None
