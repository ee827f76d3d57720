"""Where a redirect leads. Pure."""

import re
from urllib.parse import urljoin

_ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
# Bytes that are no UTF-8 arrive as halves of characters.
_STRAY_BYTE = re.compile(r"[\udc80-\udcff]")


def joined(url: str, location: str) -> str:
    """Return where `location` leads from `url`, not yet judged; nonsense stays what it is.

    Sites forget to escape spaces and other bytes; they are read as browsers read them.
    """
    target = location.strip().replace(" ", "%20")
    target = _STRAY_BYTE.sub(lambda stray: f"%{ord(stray[0]) - 0xDC00:02X}", target)
    if _ABSOLUTE.match(target):
        # Taken apart and put together again it might lose a `?` with nothing after it.
        return target
    try:
        return urljoin(url, target)
    except ValueError:
        return location
