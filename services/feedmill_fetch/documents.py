"""Whatever was fetched, as an article. Pure, and run in a process of its own."""

from feedmill_fetch.extraction import Examined, examine
from feedmill_fetch.feed_text import read_feed_text
from feedmill_fetch.kinds import Kind, kind_of
from feedmill_fetch.pdf import read_pdf
from feedmill_fetch.plain_page import read_text


def examine_document(
    body: bytes,
    *,
    media_type: str,
    charset: str | None,
    url: str,
    title: str = "",
    teaser: str = "",
    markup: str | None = None,
    rules: str = "",
) -> Examined:
    """Find the article in what came, as `examine` does for pages.

    What has no text of its own (a scan, a file that is broken) leaves the feed's.
    """
    kind = kind_of(media_type, body)
    if kind is Kind.PDF:
        content = read_pdf(body, url=url, title=title)
    elif kind is Kind.TEXT:
        content = read_text(body, charset=charset, url=url, title=title)
    else:
        return examine(
            body,
            charset=charset,
            url=url,
            title=title,
            teaser=teaser,
            markup=markup,
            rules=rules,
        )
    own = read_feed_text(url, title=title, teaser=teaser, markup=markup).content
    return Examined(content or own)
