"""Fetching the articles behind entries, each entry on its own."""

from temporalio import activity

from feedmill.contracts.activities import FetchActivities
from feedmill.models.entries import (
    ContentFetched,
    ContentUnavailable,
    EntriesFetched,
    EntryGone,
    EntryNeedsBrowser,
    EntryToFetch,
    FetchEntries,
    FetchOutcome,
    Stage,
    StoredContent,
)
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_FETCHED
from feedmill.web.answers import Refusal
from feedmill.worker import heartbeating, in_parallel
from feedmill_fetch.asking import Asked, Failed, Found, PageAsker, needs_browser
from feedmill_fetch.pruning import PagePruner
from feedmill_fetch.recording import Recorder, is_settled, stored_outcome
from feedmill_fetch.recordings import has_page

log = get_logger(__name__)

_ENTRIES_AT_ONCE = 16

# So many pages in a row said no more than their feed: the next one will not either,
_WHOLE_TEXTS = 2
# but one of so many is looked at all the same.
_LOOK_EVERY = 20


class Fetcher(FetchActivities):
    """Serves `TaskQueue.FETCH`.

    Parameters
    ----------
    always_asks
        Whether pages are asked for even where the feed has shown that it gives whole articles.
    has_browser
        Whether another pool looks at pages that are empty without their scripts.
    """

    def __init__(
        self,
        store: Store,
        asker: PageAsker,
        recorder: Recorder,
        pruner: PagePruner,
        *,
        always_asks: bool = False,
        has_browser: bool = False,
    ) -> None:
        self._store = store
        self._asker = asker
        self._pruner = pruner
        self._recorder = recorder
        self._always_asks = always_asks
        self._has_browser = has_browser

    @activity.defn
    async def fetch_entries(self, request: FetchEntries) -> EntriesFetched:
        async def fetch(entry_id: int) -> FetchOutcome:
            entry = entries.get(entry_id)
            with spans.span("fetch entry", {"feedmill.entry_id": entry_id}) as span:
                outcome = EntryGone(entry_id=entry_id) if entry is None else await take(entry)
                span.note({"feedmill.outcome": tell(outcome)})
            return outcome

        async def take(entry: EntryToFetch) -> FetchOutcome:
            if is_settled(entry, request.again_since, now):
                return stored_outcome(entry)
            if entry.stage is Stage.NEW:
                return await self._fetch(entry)
            return await self._fetch_again(entry)

        async with heartbeating():
            async with self._store.transaction() as tx:
                now = await tx.now()
                entries = {
                    entry.id: entry for entry in await tx.entries.to_fetch(request.entry_ids)
                }
            outcomes = await in_parallel(fetch, request.entry_ids, at_once=_ENTRIES_AT_ONCE)
            await self._pruner.prune_if_due()
        return EntriesFetched(outcomes=tuple(outcomes))

    async def _fetch(self, entry: EntryToFetch) -> FetchOutcome:
        asked = await self._find(entry)
        if self._has_browser and needs_browser(asked):
            return EntryNeedsBrowser(entry_id=entry.id)
        return await self._recorder.settle(entry, asked, self._asker.own_text)

    async def _fetch_again(self, entry: EntryToFetch) -> FetchOutcome:
        """Look at the page of an entry that has an end already."""
        async with self._store.transaction() as tx:
            stored = (await tx.contents.stored([entry.id])).get(entry.id)
        asked = await self._ask(entry, _condition(entry, stored))
        if self._has_browser and needs_browser(asked):
            return EntryNeedsBrowser(entry_id=entry.id)
        return await self._recorder.renew(entry, asked)

    async def _find(self, entry: EntryToFetch) -> Asked:
        if not self._always_asks and _speaks_whole(entry):
            own = await self._asker.own_text(entry)
            if own.is_whole and own.content is not None:
                return Found(own.content, was_asked=False)
        return await self._ask(entry)

    async def _ask(self, entry: EntryToFetch, validators: Validators | None = None) -> Asked:
        if not has_page(entry):
            own = (await self._asker.own_text(entry)).content
            nothing = Failed(Refusal(reason=Reason.RECORDING))
            return nothing if own is None else Found(own, was_asked=False)
        if entry.url is None:
            return Failed(Refusal(reason=Reason.NO_URL))
        return await self._asker.ask(entry, entry.url, validators)


def _speaks_whole(entry: EntryToFetch) -> bool:
    """Tell whether a feed's own text may be the article, by what its pages said before."""
    is_sample = entry.id % _LOOK_EVERY == 0
    return bool(entry.markup) and entry.whole_texts >= _WHOLE_TEXTS and not is_sample


def _condition(entry: EntryToFetch, stored: StoredContent | None) -> Validators | None:
    """Return what to ask with: nothing where more is wanted than whether the page has changed."""
    lacks_transcript = bool(entry.transcripts) and not (stored and stored.transcript)
    return None if stored is None or lacks_transcript else stored.validators


def tell(outcome: FetchOutcome) -> str:
    """Count an outcome, and log it; return it in a word."""
    facts = outcome.model_dump(mode="json", exclude={"outcome"})
    ended = outcome.reason if isinstance(outcome, ContentUnavailable) else outcome.outcome
    ENTRIES_FETCHED.labels(ended).inc()
    log.info(
        "entry fetched" if isinstance(outcome, ContentFetched) else f"entry {outcome.outcome}",
        **facts,
    )
    return ended
