"""Where links of a page lead. Pure."""

from urllib.parse import urljoin, urlsplit


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
