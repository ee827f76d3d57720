"""The pages of an article as one. Pure."""

from collections.abc import Sequence

from feedmill.models.entries import Content, PageSign
from feedmill_fetch.length import count_words, reading_minutes


def joined(pages: Sequence[Content], *, is_whole: bool) -> Content:
    """Return the pages of an article as one.

    Parameters
    ----------
    pages
        The first says what the article is called and who wrote it.
    is_whole
        Whether the last one is among them.
    """
    first = pages[0]
    text = "\n".join(page.text for page in pages)
    return first.model_copy(
        update={
            "html": "".join(page.html for page in pages),
            "text": text,
            "word_count": count_words(text),
            "reading_minutes": reading_minutes(text),
            "withheld": next(filter(None, (page.withheld for page in pages)), None),
            "signs": first.signs if is_whole else (*first.signs, PageSign.UNFINISHED),
        }
    )
