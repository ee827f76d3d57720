"""Having what came read in a process of its own, which may die of it."""

from collections.abc import Sequence

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.entries import Content, EntryToFetch, PageSign, StoredContent
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.documents import examine_document
from feedmill_fetch.extraction import Examined
from feedmill_fetch.feed_text import LEAST_TEASER_WORDS, FeedText, read_feed_text
from feedmill_fetch.joining import joined
from feedmill_fetch.recordings import known, recording_kind, transcribed, with_transcript

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
                # Of a recording there is no more to read than what is written about it.
                least_words=LEAST_TEASER_WORDS if recording_kind(entry) is None else 1,
            )
        except IsolationError:
            return FeedText(None)

    async def joined(self, pages: Sequence[Content], *, is_whole: bool) -> Content:
        """Return the pages of an article as one; if they are too much, the first of them."""
        try:
            return await self._pool.run(EXTRACTOR_SECONDS, joined, pages, is_whole=is_whole)
        except IsolationError:
            signs = (*pages[0].signs, PageSign.UNFINISHED)
            return pages[0].model_copy(update={"signs": signs})

    async def transcript(
        self, content: Content, body: bytes, charset: str | None
    ) -> Content | Refusal:
        """Return a recording's content with its transcript as that came, or why there is none."""
        try:
            found = await self._pool.run(EXTRACTOR_SECONDS, transcribed, content, body, charset)
        except IsolationError as error:
            return Refusal(reason=Reason.EXTRACTOR_FAILED, detail=str(error))
        return Refusal(reason=Reason.NO_TEXT) if found is None else found

    async def with_held(self, content: Content, held: StoredContent) -> Content:
        """Return a recording's content with the transcript that was stored with an earlier one.

        Whoever withheld that withholds it still.
        """
        lines = held.transcript.split("\n")
        try:
            found = await self._pool.run(EXTRACTOR_SECONDS, with_transcript, content, lines)
        except IsolationError:
            return content
        return known(found, language=held.language, withheld=held.withheld)
