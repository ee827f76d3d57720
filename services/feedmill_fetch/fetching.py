"""Fetching the pages behind entries, each entry on its own."""

from temporalio import activity

from feedmill.contracts.activities import FetchActivities
from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.entries import (
    Content,
    ContentFetched,
    ContentUnavailable,
    EntriesFetched,
    EntryDeferred,
    EntryGone,
    EntryToFetch,
    FetchEntries,
    FetchOutcome,
    Stage,
)
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ENTRIES_FETCHED
from feedmill.web.answers import Answer, Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.robots import Robots
from feedmill.worker import current_run, heartbeating, in_parallel
from feedmill_fetch.extraction import extract, from_teaser

log = get_logger(__name__)

ACCEPT = "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.1"
MAX_PAGE_BYTES = 5_000_000

_ENTRIES_AT_ONCE = 16
# The slowest real page seen took half a second.
_EXTRACTOR_SECONDS = 15
_OK = 200

_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
# Labels that say nothing, so the body may.
_VAGUE_TYPES = frozenset(
    {"", "application/octet-stream", "application/xml", "text/plain", "text/xml"}
)
_LOOK_BYTES = 1_024


class Fetcher(FetchActivities):
    """Serves `TaskQueue.FETCH`."""

    def __init__(
        self,
        store: Store,
        web: WebClient,
        governor: Governor,
        robots: Robots,
        extractors: IsolatedPool,
    ) -> None:
        self._store = store
        self._web = web
        self._governor = governor
        self._robots = robots
        self._extractors = extractors

    @activity.defn
    async def fetch_entries(self, request: FetchEntries) -> EntriesFetched:
        async def fetch(entry_id: int) -> FetchOutcome:
            entry = entries.get(entry_id)
            outcome = EntryGone(entry_id=entry_id) if entry is None else await self._fetch(entry)
            _tell(outcome)
            return outcome

        async with heartbeating():
            async with self._store.transaction() as tx:
                entries = {
                    entry.id: entry for entry in await tx.entries.to_fetch(request.entry_ids)
                }
            outcomes = await in_parallel(fetch, request.entry_ids, at_once=_ENTRIES_AT_ONCE)
        return EntriesFetched(outcomes=tuple(outcomes))

    async def _fetch(self, entry: EntryToFetch) -> FetchOutcome:
        if entry.stage is not Stage.NEW:
            return _stored_outcome(entry)
        found = await self._find(entry)
        if isinstance(found, EntryDeferred):
            return found
        if isinstance(found, Content):
            return await self._keep(entry, found)
        return await self._give_up(entry, found)

    async def _find(self, entry: EntryToFetch) -> Content | Refusal | EntryDeferred:
        if entry.url is None:
            return _from_feed(entry) or Refusal(reason=Reason.NO_URL)
        reply = await self._web.get(
            entry.url,
            purpose="page",
            accept=ACCEPT,
            max_bytes=MAX_PAGE_BYTES,
            admit=self._governor.slot,
            permit=self._robots.permit,
        )
        if isinstance(reply, Refusal):
            disallowed = reply.reason is Reason.ROBOTS_DISALLOWED
            return (await self._unasked(entry) if disallowed else None) or reply
        if isinstance(reply, Deferred):
            return EntryDeferred(entry_id=entry.id, until=reply.until)
        until = await self._governor.heed(reply)
        if until is not None and reply.asks_for_time:
            return EntryDeferred(entry_id=entry.id, until=until)
        return await self._extract(entry, reply)

    async def _unasked(self, entry: EntryToFetch) -> Content | None:
        """Programs are to leave the page alone; the feed's own text was given to them."""
        own = _from_feed(entry)
        return own and own.model_copy(update={"withheld": await self._robots.withheld(own.url)})

    async def _extract(self, entry: EntryToFetch, answer: Answer) -> Content | Refusal:
        if answer.status != _OK:
            return Refusal(reason=Reason.HTTP_STATUS, detail=str(answer.status))
        if not _is_page(answer):
            return Refusal(reason=Reason.UNSUPPORTED_TYPE, detail=answer.media_type[:100])
        try:
            content = await self._extractors.run(
                _EXTRACTOR_SECONDS,
                extract,
                answer.body,
                charset=answer.charset,
                url=answer.url,
                title=entry.title,
                teaser=entry.teaser,
            )
        except IsolationError as error:
            return Refusal(reason=Reason.EXTRACTOR_FAILED, detail=str(error))
        if content is None:
            return Refusal(reason=Reason.NO_ARTICLE)
        withheld = answer.withheld or content.withheld or await self._robots.withheld(answer.url)
        return content.model_copy(update={"withheld": withheld})

    async def _keep(self, entry: EntryToFetch, content: Content) -> FetchOutcome:
        async with self._store.transaction() as tx:
            if await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED):
                await tx.contents.save(entry.id, content)
                tx.events.append(_event(EventKind.ENTRY_FETCHED, entry))
                return ContentFetched(entry_id=entry.id)
        return await self._overtaken(entry.id)

    async def _give_up(self, entry: EntryToFetch, refusal: Refusal) -> FetchOutcome:
        async with self._store.transaction() as tx:
            if await tx.entries.move(
                entry.id,
                before=Stage.NEW,
                after=Stage.UNAVAILABLE,
                reason=refusal.reason,
                detail=refusal.detail,
            ):
                tx.events.append(_event(EventKind.ENTRY_UNAVAILABLE, entry, refusal.reason))
                return ContentUnavailable(
                    entry_id=entry.id, reason=refusal.reason, detail=refusal.detail
                )
        return await self._overtaken(entry.id)

    async def _overtaken(self, entry_id: int) -> FetchOutcome:
        """Return how it ended for whoever else was at it; what they stored stands."""
        async with self._store.transaction() as tx:
            stored = await tx.entries.to_fetch([entry_id])
        return _stored_outcome(stored[0]) if stored else EntryGone(entry_id=entry_id)


def _stored_outcome(entry: EntryToFetch) -> FetchOutcome:
    if entry.stage is Stage.UNAVAILABLE and entry.reason is not None:
        return ContentUnavailable(entry_id=entry.id, reason=entry.reason, detail=entry.detail)
    return ContentFetched(entry_id=entry.id)


def _from_feed(entry: EntryToFetch) -> Content | None:
    return from_teaser(entry.url or "", title=entry.title, teaser=entry.teaser)


def _is_page(answer: Answer) -> bool:
    if answer.media_type in _PAGE_TYPES:
        return True
    look = answer.body[:_LOOK_BYTES].lower()
    return answer.media_type in _VAGUE_TYPES and (b"<!doctype html" in look or b"<html" in look)


def _event(kind: EventKind, entry: EntryToFetch, detail: str = "") -> NewEvent:
    return NewEvent(
        kind=kind, feed_id=entry.feed_id, entry_id=entry.id, run=current_run(), detail=detail
    )


def _tell(outcome: FetchOutcome) -> None:
    facts = outcome.model_dump(mode="json", exclude={"outcome"})
    ENTRIES_FETCHED.labels(facts.get("reason", outcome.outcome)).inc()
    log.info(
        "entry fetched" if isinstance(outcome, ContentFetched) else f"entry {outcome.outcome}",
        **facts,
    )
