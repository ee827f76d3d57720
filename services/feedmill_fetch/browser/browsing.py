"""Fetching, in a browser, the articles of pages that are empty without their scripts."""

import asyncio
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Self

from temporalio import activity

from feedmill.contracts.activities import BrowserActivities
from feedmill.models.entries import (
    EntriesFetched,
    EntryGone,
    EntryToFetch,
    FetchEntries,
    FetchOutcome,
    Stage,
)
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.telemetry import spans
from feedmill.web.answers import Deferred, Refusal
from feedmill.web.governor import Governor
from feedmill.web.robots import Robots
from feedmill.worker import heartbeating, in_parallel
from feedmill_fetch.asking import Asked, Failed, Found, PageAsker, complete
from feedmill_fetch.browser.rendering import Browser, Rendered
from feedmill_fetch.examining import Examiner
from feedmill_fetch.fetching import tell
from feedmill_fetch.recording import Recorder, is_settled, stored_outcome
from feedmill_fetch.verdicts import of_signs, of_status

_OK = 200
# A browser has one page open at a time; what earlier ones showed is read meanwhile.
_ENTRIES_AT_ONCE = 4


class BrowserFetcher(BrowserActivities):
    """Serves `TaskQueue.FETCH_BROWSER`."""

    def __init__(
        self,
        store: Store,
        browser: Browser,
        governor: Governor,
        robots: Robots,
        examiner: Examiner,
        asker: PageAsker,
        recorder: Recorder,
    ) -> None:
        self._store = store
        self._browser = browser
        self._governor = governor
        self._robots = robots
        self._examiner = examiner
        self._asker = asker
        self._recorder = recorder
        self._turn = asyncio.Lock()

    @activity.defn
    async def browse_entries(self, request: FetchEntries) -> EntriesFetched:
        async def browse(entry_id: int) -> FetchOutcome:
            entry = entries.get(entry_id)
            with spans.span("browse entry", {"feedmill.entry_id": entry_id}) as span:
                outcome = EntryGone(entry_id=entry_id) if entry is None else await take(entry)
                span.note({"feedmill.outcome": tell(outcome)})
            return outcome

        async def take(entry: EntryToFetch) -> FetchOutcome:
            if is_settled(entry, request.again_since, now):
                return stored_outcome(entry)
            asked = await self._ask(entry)
            if entry.stage is Stage.NEW:
                return await self._recorder.settle(entry, asked, self._asker.own_text)
            return await self._recorder.renew(entry, asked)

        async with heartbeating():
            async with self._store.transaction() as tx:
                now = await tx.now()
                entries = {each.id: each for each in await tx.entries.to_fetch(request.entry_ids)}
            outcomes = await in_parallel(browse, request.entry_ids, at_once=_ENTRIES_AT_ONCE)
        return EntriesFetched(outcomes=tuple(outcomes))

    async def _ask(self, entry: EntryToFetch) -> Asked:
        if entry.url is None:
            return Failed(Refusal(reason=Reason.NO_URL))
        forbidden = await self._robots.permit(entry.url)
        if forbidden is not None:
            return Failed(forbidden) if isinstance(forbidden, Refusal) else forbidden
        # First the browser and then the host: a page that waited for the browser would hold a place
        # in which nobody asks, and ask long after the moment that was spaced.
        async with self._turn, _Visit(self._governor, self._robots) as visit:
            until = await visit.begin(entry.url)
            if until is not None:
                return Deferred(until=until)
            rendered = await self._browser.render(entry.url, visit.may_go)
        if isinstance(rendered, Refusal):
            return Failed(rendered)
        return await self._examine(entry, rendered)

    async def _examine(self, entry: EntryToFetch, rendered: Rendered) -> Found | Failed:
        if rendered.status != _OK:
            return Failed(of_status(rendered.status))
        examined = await self._examiner.page(
            entry,
            rendered.markup.encode(errors="replace"),
            media_type="text/html",
            charset="utf-8",
            url=rendered.url,
        )
        if isinstance(examined, Refusal):
            return Failed(examined)
        withheld = await self._robots.withheld(rendered.url)
        content = complete(examined, moved_to=None, withheld=withheld)
        # Without validators: what was sent is not what was read.
        return Failed(of_signs(examined.signs)) if content is None else Found(content)


class _Visit:
    """The place that a page holds at the host it is at; it has one at a time, wherever it goes on to."""

    def __init__(self, governor: Governor, robots: Robots) -> None:
        self._governor = governor
        self._robots = robots
        self._place = AsyncExitStack()
        self._leaving = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._place.aclose()

    async def begin(self, url: str) -> datetime | None:
        """Take a place for the first page, or return when to come back: other pages want the browser."""
        return await self._place.enter_async_context(self._governor.slot(url))

    async def may_go(self, url: str) -> bool:
        """Let a page go on to another as we would: where robots.txt permits it, in the host's turn."""
        async with self._leaving:
            # Most go on at the same host, which may have no second place: not for its robots.txt either.
            await self._place.aclose()
            if await self._robots.permit(url) is not None:
                return False
            slot = self._governor.slot(url, patient=True)
            return await self._place.enter_async_context(slot) is None
