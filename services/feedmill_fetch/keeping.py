"""Pages as they are kept: compressed, and none that is too large. Pure."""

from backports import zstd

from feedmill.models.entries import KeptPage
from feedmill.web.answers import Answer

_LEVEL = 3
# Real pages come to 20 KB; the largest hundredth to 200 KB.
MOST_KEPT_BYTES = 1_000_000


def packed(entry_id: int, answer: Answer, withheld: str | None) -> KeptPage | None:
    """Return a page as it is kept; None when it is too large for that.

    Parameters
    ----------
    withheld
        The sign beside the page, in its headers or its site's robots.txt.
    """
    body = zstd.compress(answer.body, _LEVEL)
    if len(body) > MOST_KEPT_BYTES:
        return None
    return KeptPage(
        entry_id=entry_id,
        url=answer.url,
        media_type=answer.media_type,
        charset=answer.charset,
        withheld=withheld,
        moved_to=answer.moved_to,
        body=body,
    )


def unpacked(page: KeptPage) -> bytes | None:
    """Return the body of a page as it came; None when it has suffered in the store."""
    try:
        return zstd.decompress(page.body)
    except zstd.ZstdError:
        return None
