"""Finding articles anew in pages that were kept: better extraction costs no site a request."""

import asyncio

from temporalio import activity

from feedmill.contracts.activities import ReextractionActivities
from feedmill.models.entries import (
    Content,
    ContentFetched,
    EntryToFetch,
    KeptPage,
    Stage,
    StoredContent,
)
from feedmill.models.feeds import Validators
from feedmill.models.reextraction import PagesReextracted, ReextractPages
from feedmill.store import Store, Transaction
from feedmill.web.answers import Refusal
from feedmill.worker import heartbeating, in_parallel
from feedmill_fetch.asking import Found, complete
from feedmill_fetch.examining import Examiner
from feedmill_fetch.keeping import unpacked
from feedmill_fetch.recording import is_better, replace
from feedmill_fetch.recordings import as_recording

# Enough for the extractors' processes; pages are large.
_PAGES_AT_ONCE = 4


class Reextractor(ReextractionActivities):
    """Serves `TaskQueue.FETCH`."""

    def __init__(self, store: Store, examiner: Examiner) -> None:
        self._store = store
        self._examiner = examiner

    @activity.defn
    async def reextract_pages(self, request: ReextractPages) -> PagesReextracted:
        async with heartbeating():
            async with self._store.transaction() as tx:
                kept = await tx.pages.count(request)
                entry_ids = await tx.pages.kept(request)
            verdicts = await in_parallel(self._reextract, entry_ids, at_once=_PAGES_AT_ONCE)
            async with self._store.transaction() as tx:
                standings = await tx.entries.standings(entry_ids)
        # What stands at `fetched` waits for its distillate, whichever attempt has put it there.
        waiting = {id_ for id_, standing in standings.items() if standing.stage is Stage.FETCHED}
        return PagesReextracted(
            kept=kept,
            examined=len(entry_ids),
            changed=sum(verdict is True for verdict in verdicts),
            failed=sum(verdict is None for verdict in verdicts),
            to_distill=tuple(id_ for id_ in entry_ids if id_ in waiting),
            last=entry_ids[-1] if len(entry_ids) == request.limit else None,
        )

    async def _reextract(self, entry_id: int) -> bool | None:
        """Return whether an entry reads otherwise now; None when nothing was found."""
        async with self._store.transaction() as tx:
            found = await tx.entries.to_fetch([entry_id])
            page = (await tx.pages.get([entry_id])).get(entry_id)
            stored = (await tx.contents.stored([entry_id])).get(entry_id)
        if not found or page is None:
            # Removed, or forgotten, a moment ago.
            return False
        return await self._examine(found[0], page, stored)

    async def _examine(
        self, entry: EntryToFetch, page: KeptPage, stored: StoredContent | None
    ) -> bool | None:
        body = await asyncio.to_thread(unpacked, page)
        if body is None:
            return None
        examined = await self._examiner.page(
            entry,
            body,
            media_type=page.media_type,
            charset=page.charset,
            url=page.url,
        )
        if isinstance(examined, Refusal):
            return None
        content = complete(examined, moved_to=page.moved_to, withheld=page.withheld)
        if content is None:
            return None
        content = await self._recorded(as_recording(content, entry), stored)
        async with self._store.transaction() as tx:
            return await _keep(tx, entry, Found(content))

    async def _recorded(self, content: Content, stored: StoredContent | None) -> Content:
        """Return a recording's content with the transcript it has: nobody is asked for that again."""
        if stored is None:
            return content
        if stored.transcript:
            return await self._examiner.with_held(content, stored)
        return content.model_copy(update={"transcript_reason": stored.transcript_reason})


async def _keep(tx: Transaction, entry: EntryToFetch, found: Found) -> bool | None:
    now = await tx.entries.lock(entry.id)
    if now is None or now.stage is Stage.NEW or now.asked_at != entry.asked_at:
        # The page has been asked for meanwhile: what came then is newer.
        return False
    stored = (await tx.contents.stored([entry.id])).get(entry.id)
    if not is_better(found.content, stored):
        return None
    validators = Validators() if stored is None else stored.validators
    kept = Found(found.content, validators)
    return isinstance(await replace(tx, now, kept, stored), ContentFetched)
