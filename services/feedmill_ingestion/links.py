"""Addresses that feeds give, as the web could open them. Pure."""

from urllib.parse import urljoin, urlsplit

from feedmill.web.plain import storable

_URL_CHARACTERS = 2_000


def web_link(raw: str, base: str) -> str | None:
    """Return the absolute address that is meant; None unless it is one of the web's.

    Parameters
    ----------
    base
        Where a relative one starts.
    """
    try:
        # Feeds forget to escape spaces; browsers do it for them.
        link = urljoin(base, "%20".join(storable(raw).split()))
        scheme, host = urlsplit(link)[:2]
    except ValueError:
        return None
    usable = raw.strip() and scheme in {"http", "https"} and host
    return link if usable and len(link) <= _URL_CHARACTERS else None
