"""Videos on YouTube, by their addresses. Pure."""

import re
from urllib.parse import parse_qs, urlsplit

_HOSTS = frozenset({"youtube.com", "youtube-nocookie.com"})
_SHORT_HOST = "youtu.be"
_SUBDOMAIN = re.compile(r"(?:www|m|music)\.")
_ID = re.compile(r"[\w-]{11}", re.ASCII)
_PATH = re.compile(r"/(?:shorts|live|embed|v)/([^/]+)")


def video_id(url: str | None) -> str | None:
    """Return the id of the video that an address on YouTube leads to; None if it leads elsewhere."""
    try:
        parts = urlsplit(url or "")
        host = _SUBDOMAIN.sub("", parts.hostname or "", count=1)
        named = parse_qs(parts.query).get("v", [""])[0]
    except ValueError:
        return None
    if host == _SHORT_HOST:
        named = parts.path.removeprefix("/")
    elif host not in _HOSTS:
        return None
    elif parts.path != "/watch":
        found = _PATH.match(parts.path)
        named = found[1] if found else ""
    return named if _ID.fullmatch(named) else None


def watch_url(video: str) -> str:
    """Return where a video is shown."""
    return f"https://www.youtube.com/watch?v={video}"


def thumbnail_url(video: str) -> str:
    """Return the picture that every video has."""
    return f"https://i.ytimg.com/vi/{video}/hqdefault.jpg"
