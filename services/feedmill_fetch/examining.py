"""Having what came read in a process of its own, which may die of it."""

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.entries import EntryToFetch
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.documents import examine_document
from feedmill_fetch.extraction import Examined
from feedmill_fetch.feed_text import FeedText, read_feed_text

# The slowest real page seen took half a second.
EXTRACTOR_SECONDS = 15


class Examiner:
    """Reads pages, and what feeds say themselves.

    Parameters
    ----------
    rules
        A folder of rules for single sites, as `check_folder` returns it; those that are shipped hold anyhow.
    """

    def __init__(self, pool: IsolatedPool, rules: str = "") -> None:
        self._pool = pool
        self._rules = rules

    async def page(
        self, entry: EntryToFetch, body: bytes, *, media_type: str, charset: str | None, url: str
    ) -> Examined | Refusal:
        """Return what came of an entry's page, or that nothing could."""
        try:
            return await self._pool.run(
                EXTRACTOR_SECONDS,
                examine_document,
                body,
                media_type=media_type,
                charset=charset,
                url=url,
                title=entry.title,
                teaser=entry.teaser,
                markup=entry.markup,
                rules=self._rules,
            )
        except IsolationError as error:
            return Refusal(reason=Reason.EXTRACTOR_FAILED, detail=str(error))

    async def feed_text(self, entry: EntryToFetch) -> FeedText:
        """Return what the feed itself says of an entry, sanitised."""
        try:
            return await self._pool.run(
                EXTRACTOR_SECONDS,
                read_feed_text,
                entry.url or "",
                title=entry.title,
                teaser=entry.teaser,
                markup=entry.markup,
            )
        except IsolationError:
            return FeedText(None)
