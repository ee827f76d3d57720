"""The feed's own text as an article. Pure."""

import html

from feedmill.models.entries import Content
from feedmill_fetch.length import count_words, reading_minutes

# From here on a feed's own text is worth reading instead of its page.
LEAST_TEASER_WORDS = 40


def from_teaser(url: str, *, title: str, teaser: str) -> Content | None:
    """Return the feed's own text as the article, if it says enough to be one."""
    words = count_words(teaser)
    if words < LEAST_TEASER_WORDS:
        return None
    lines = [line for line in teaser.splitlines() if line.strip()]
    return Content(
        url=url,
        title=title,
        html="".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines),
        text="\n".join(lines),
        word_count=words,
        reading_minutes=reading_minutes(teaser),
        extractor="feed",
    )
