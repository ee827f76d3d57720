"""Writing down what came of one entry's fetch: all of it in one transaction, or nothing."""

from collections.abc import Awaitable, Callable
from dataclasses import replace as changed
from datetime import datetime
from typing import Protocol

from feedmill.models.entries import (
    Content,
    ContentFetched,
    ContentUnavailable,
    ContentUnchanged,
    EntryDeferred,
    EntryGone,
    EntryToFetch,
    FetchOutcome,
    Stage,
    StoredContent,
)
from feedmill.models.events import EventKind, NewEvent
from feedmill.models.feeds import Validators
from feedmill.store import Store, Transaction
from feedmill.store.contents import hash_text
from feedmill.web.answers import Deferred, Refusal
from feedmill.worker import current_run
from feedmill_fetch.asking import Asked, Failed, Found, Unchanged, is_feeds
from feedmill_fetch.feed_text import FeedText
from feedmill_fetch.retries import next_try_at

OwnText = Callable[[EntryToFetch], Awaitable[FeedText]]
"""What a feed itself says of an entry."""


class Completer(Protocol):
    """Makes of what was found what is to be stored: adds what is said in a recording, for one."""

    async def complete(
        self, entry: EntryToFetch, content: Content, *, held: StoredContent | None, patient: bool
    ) -> Content | Deferred: ...


# More of the same evidence changes nothing.
_ENOUGH_EVIDENCE = 5


class Recorder:
    """Writes down how fetches ended. What others have written meanwhile stands."""

    def __init__(self, store: Store, completer: Completer) -> None:
        self._store = store
        self._completer = completer

    async def settle(self, entry: EntryToFetch, asked: Asked, own_text: OwnText) -> FetchOutcome:
        """Write down what came of asking for a new entry's page; without one, keep the feed's own text."""
        if isinstance(asked, Deferred):
            return EntryDeferred(entry_id=entry.id, until=asked.until)
        if isinstance(asked, Found):
            return await self._keep(entry, asked)
        if not isinstance(asked, Failed):
            raise AssertionError("unchanged, to a request that named nothing")  # noqa: TRY004 - a fault of ours
        postponed = await self.postpone(entry, asked)
        if postponed is not None:
            return postponed
        own = (await own_text(entry)).content
        if own is not None:
            was_asked = entry.url is not None
            return await self._keep(entry, Found(own, page=asked.page, was_asked=was_asked))
        return await self.give_up(entry, asked)

    async def _keep(self, entry: EntryToFetch, found: Found) -> FetchOutcome:
        """Store the first article of an entry, which is to be distilled now."""
        whole = await self._completed(entry, found)
        if isinstance(whole, Deferred):
            return EntryDeferred(entry_id=entry.id, until=whole.until)
        async with self._store.transaction() as tx:
            # The feed before the entry, as everybody who locks both does.
            await _learn(tx, entry, whole)
            if await tx.entries.move(entry.id, before=Stage.NEW, after=Stage.FETCHED, tried=True):
                await _save(tx, entry, whole)
                tx.events.append(_event(EventKind.ENTRY_FETCHED, entry))
                return _fetched(entry, whole)
        return await self._overtaken(entry.id)

    async def postpone(self, entry: EntryToFetch, failed: Failed) -> FetchOutcome | None:
        """Write down when to ask for the page again; None when it is not worth asking for again."""
        refusal = failed.refusal
        async with self._store.transaction() as tx:
            until = next_try_at(
                refusal.reason,
                tries=entry.tries,
                now=await tx.now(),
                held_until=failed.held_until,
            )
            if until is None:
                return None
            if await tx.entries.try_later(
                entry.id, until=until, reason=refusal.reason, detail=refusal.detail
            ):
                return EntryDeferred(
                    entry_id=entry.id, until=until, reason=refusal.reason, detail=refusal.detail
                )
        return await self._overtaken(entry.id)

    async def give_up(self, entry: EntryToFetch, failed: Failed) -> FetchOutcome:
        """Let an entry end without an article."""
        refusal = failed.refusal
        async with self._store.transaction() as tx:
            if await _move_to_dead_end(tx, entry, refusal, before=Stage.NEW):
                if failed.page is not None:
                    await tx.pages.keep(failed.page)
                tx.events.append(_event(EventKind.ENTRY_UNAVAILABLE, entry, refusal.reason))
                return _unavailable(entry.id, refusal)
        return await self._overtaken(entry.id)

    async def renew(self, entry: EntryToFetch, asked: Asked) -> FetchOutcome:
        """Write down what came of looking at a page again. What was stored of it is only replaced."""
        if isinstance(asked, Found):
            asked = await self._completed(entry, asked)
        if isinstance(asked, Deferred):
            return EntryDeferred(entry_id=entry.id, until=asked.until)
        async with self._store.transaction() as tx:
            now = await tx.entries.lock(entry.id)
            if now is None:
                return EntryGone(entry_id=entry.id)
            if now.asked_at != entry.asked_at:
                return stored_outcome(now)
            if isinstance(asked, Failed):
                return await _leave(tx, now, asked.refusal)
            await tx.entries.note_try(entry.id)
            stored = (await tx.contents.stored([entry.id])).get(entry.id)
            if isinstance(asked, Unchanged):
                await tx.contents.renew(entry.id, asked.validators)
            elif is_better(asked.content, stored):
                if asked.page is None and not is_feeds(asked.content.extractor):
                    # What was found in an earlier page must not take the place of this.
                    await tx.pages.forget(entry.id)
                return await replace(tx, now, asked, stored)
            return ContentUnchanged(entry_id=entry.id)

    async def _completed(self, entry: EntryToFetch, found: Found) -> Found | Deferred:
        held = await self._held(entry) if entry.transcripts else None
        content = await self._completer.complete(
            entry, found.content, held=held, patient=found.was_asked
        )
        return content if isinstance(content, Deferred) else changed(found, content=content)

    async def _held(self, entry: EntryToFetch) -> StoredContent | None:
        async with self._store.transaction() as tx:
            return (await tx.contents.stored([entry.id])).get(entry.id)

    async def _overtaken(self, entry_id: int) -> FetchOutcome:
        """Return how it ended for whoever else was at it; what they stored stands."""
        async with self._store.transaction() as tx:
            stored = await tx.entries.to_fetch([entry_id])
        return stored_outcome(stored[0]) if stored else EntryGone(entry_id=entry_id)


async def replace(
    tx: Transaction, entry: EntryToFetch, found: Found, stored: StoredContent | None
) -> FetchOutcome:
    """Store an article in place of an earlier one, and have it distilled if its text is another."""
    await _save(tx, entry, found)
    if stored is not None and stored.hash == hash_text(found.content.text):
        return ContentUnchanged(entry_id=entry.id)
    await tx.entries.move(entry.id, before=entry.stage, after=Stage.FETCHED)
    tx.events.append(_event(EventKind.ENTRY_FETCHED, entry))
    return _fetched(entry, found)


def is_settled(entry: EntryToFetch, since: datetime | None, now: datetime) -> bool:
    """Tell whether an earlier attempt has been here: nobody is asked again before the time.

    Parameters
    ----------
    since
        Fetch what has been fetched before, unless that was since then.
    """
    if since is not None:
        return entry.asked_at is not None and entry.asked_at >= since
    waits = entry.next_try_at is not None and entry.next_try_at > now
    return entry.stage is not Stage.NEW or waits


def stored_outcome(entry: EntryToFetch) -> FetchOutcome:
    """Return how a fetch ended, by where its entry stands."""
    if entry.stage is Stage.UNAVAILABLE and entry.reason is not None:
        return ContentUnavailable(entry_id=entry.id, reason=entry.reason, detail=entry.detail)
    if entry.stage is Stage.NEW and entry.next_try_at is not None:
        return EntryDeferred(
            entry_id=entry.id, until=entry.next_try_at, reason=entry.reason, detail=entry.detail
        )
    return ContentFetched(entry_id=entry.id)


async def _learn(tx: Transaction, entry: EntryToFetch, found: Found) -> None:
    """Remember whether this feed's texts are its articles."""
    whole = found.feed_is_whole
    # A sign that a page carries is one its feed does not: such pages are looked at, each of them.
    if whole is not None and found.content.withheld is not None:
        whole = False
    evidence = entry.whole_texts if whole else -entry.whole_texts
    if whole is not None and evidence < _ENOUGH_EVIDENCE:
        await tx.feeds.learn_texts(entry.feed_id, whole=whole)


async def _save(tx: Transaction, entry: EntryToFetch, found: Found) -> None:
    await tx.contents.save(entry.id, found.content, _validators(found))
    if found.page is not None:
        await tx.pages.keep(found.page)


def _validators(found: Found) -> Validators:
    # "Unchanged" would be no answer to somebody who has only the feed's text.
    return Validators() if is_feeds(found.content.extractor) else found.validators


def is_better(content: Content, stored: StoredContent | None) -> bool:
    """Tell whether what was found may replace what is stored: a page's article outranks a feed's text."""
    return stored is None or not is_feeds(content.extractor) or is_feeds(stored.extractor)


async def _leave(tx: Transaction, entry: EntryToFetch, refusal: Refusal) -> FetchOutcome:
    if entry.stage is Stage.UNAVAILABLE:
        await _move_to_dead_end(tx, entry, refusal, before=Stage.UNAVAILABLE)
    else:
        await tx.entries.note_try(entry.id)
    return _unavailable(entry.id, refusal)


async def _move_to_dead_end(
    tx: Transaction, entry: EntryToFetch, refusal: Refusal, *, before: Stage
) -> bool:
    return await tx.entries.move(
        entry.id,
        before=before,
        after=Stage.UNAVAILABLE,
        reason=refusal.reason,
        detail=refusal.detail,
        tried=True,
    )


def _fetched(entry: EntryToFetch, found: Found) -> ContentFetched:
    return ContentFetched(entry_id=entry.id, transcript_reason=found.content.transcript_reason)


def _unavailable(entry_id: int, refusal: Refusal) -> ContentUnavailable:
    return ContentUnavailable(entry_id=entry_id, reason=refusal.reason, detail=refusal.detail)


def _event(kind: EventKind, entry: EntryToFetch, detail: str = "") -> NewEvent:
    return NewEvent(
        kind=kind, feed_id=entry.feed_id, entry_id=entry.id, run=current_run(), detail=detail
    )
