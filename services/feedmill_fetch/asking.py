"""Asking for the page behind one entry, and having it read. Nothing is written down here."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from feedmill.models.entries import FROM_FEED, Content, EntryToFetch, KeptPage, PageSign
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.store import Store
from feedmill.web.answers import Answer, Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.robots import Robots
from feedmill_fetch.continuing import PageTurner
from feedmill_fetch.examining import Examiner
from feedmill_fetch.extraction import Examined
from feedmill_fetch.feed_text import FeedText
from feedmill_fetch.keeping import packed
from feedmill_fetch.kinds import MAX_PAGE_BYTES, READABLE, kind_of
from feedmill_fetch.verdicts import leads_home, of_kind, of_signs, of_status

ACCEPT = (
    "text/html, application/xhtml+xml, application/xml;q=0.9, application/pdf;q=0.8, "
    "text/plain;q=0.8, */*;q=0.1"
)

_OK = 200
_NOT_MODIFIED = 304
# A site that has shown us pages so lately does not mean "never" by blocking one.
_LATELY = timedelta(days=1)

_NO_VALIDATORS = Validators()


@dataclass(frozen=True)
class Found:
    """There is an article.

    Attributes
    ----------
    page
        What it was found in, if that is to be kept.
    feed_is_whole
        Whether the feed says as much as the page; None when that cannot be told.
    was_asked
        Whether it took a request.
    """

    content: Content
    validators: Validators = _NO_VALIDATORS
    page: KeptPage | None = None
    feed_is_whole: bool | None = None
    was_asked: bool = True


@dataclass(frozen=True)
class Unchanged:
    """The page is what it was."""

    validators: Validators


@dataclass(frozen=True)
class Failed:
    """There is none, or none to be had now.

    Attributes
    ----------
    held_until
        Until when its host wants to be left alone, if that is why.
    """

    refusal: Refusal
    page: KeptPage | None = None
    held_until: datetime | None = None


Asked = Found | Unchanged | Failed | Deferred


class PageAsker:
    """Asks for pages, politely, and has them read elsewhere.

    Parameters
    ----------
    keeps_pages
        Whether what came is to be kept for a while.
    """

    def __init__(
        self,
        store: Store,
        web: WebClient,
        governor: Governor,
        robots: Robots,
        examiner: Examiner,
        *,
        keeps_pages: bool = True,
    ) -> None:
        self._store = store
        self._web = web
        self._governor = governor
        self._robots = robots
        self._examiner = examiner
        self._keeps_pages = keeps_pages
        self._turner = PageTurner(web, governor, robots, examiner)

    async def ask(
        self, entry: EntryToFetch, url: str, validators: Validators | None = None
    ) -> Asked:
        """Make one GET, conditional if there is something to ask with. Whatever comes is in the answer."""
        reply = await self._web.get(
            url,
            purpose="page",
            accept=ACCEPT,
            max_bytes=MAX_PAGE_BYTES,
            admit=self._governor.slot,
            permit=self._robots.permit,
            validators=validators,
        )
        if isinstance(reply, Refusal):
            return Failed(reply)
        if isinstance(reply, Deferred):
            return reply
        until = await self._governor.heed(reply)
        if until is not None and reply.asks_for_time:
            refusal = Refusal(reason=Reason.RATE_LIMITED, detail=str(reply.status))
            return Failed(refusal, held_until=until)
        return await self._understand(entry, url, validators, reply)

    async def own_text(self, entry: EntryToFetch) -> FeedText:
        """Return what the feed itself says of an entry, sanitised."""
        text = await self._examiner.feed_text(entry)
        if text.content is None or entry.url is None:
            return text
        # No page was seen that could have said it.
        withheld = await self._robots.withheld(entry.url)
        return FeedText(text.content.model_copy(update={"withheld": withheld}), text.is_whole)

    async def _understand(
        self, entry: EntryToFetch, asked: str, validators: Validators | None, answer: Answer
    ) -> Asked:
        if answer.status == _NOT_MODIFIED and validators and validators.url == answer.url:
            return Unchanged(_renewed(validators, answer.validators))
        if answer.status != _OK:
            return await self._blocked_or(entry, answer, Failed(of_status(answer.status)))
        kind = kind_of(answer.media_type, answer.body)
        if kind not in READABLE:
            return Failed(of_kind(kind, answer.media_type))
        if answer.redirected and leads_home(asked, answer.url):
            return Failed(Refusal(reason=Reason.PAGE_MISSING, detail="leads to the front page"))
        return await self._examine(entry, answer)

    async def _examine(self, entry: EntryToFetch, answer: Answer) -> Asked:
        withheld = answer.withheld or await self._robots.withheld(answer.url)
        page = await self._packed(entry, answer, withheld)
        examined = await self._examiner.page(
            entry,
            answer.body,
            media_type=answer.media_type,
            charset=answer.charset,
            url=answer.url,
        )
        if isinstance(examined, Refusal):
            return Failed(examined, page)
        refusal = of_signs(examined.signs)
        if PageSign.BLOCKED in examined.signs:
            return await self._blocked_or(entry, answer, _found(examined, None, answer, withheld))
        if refusal.reason not in {Reason.NO_ARTICLE, Reason.PAYWALL}:
            # A wall is nothing that better extraction would find an article in.
            page = None
        found = _found(examined, page, answer, withheld)
        if isinstance(found, Found) and examined.next_url is not None:
            # Later, "unchanged" would be the word of its first page alone, and so would be what is
            # found in that page anew: neither validators nor the page are kept.
            whole = await self._turner.follow(entry, found.content, examined.next_url)
            return Found(whole)
        return found

    async def _blocked_or(self, entry: EntryToFetch, answer: Answer, asked: Asked) -> Asked:
        """Take a block for a limit where pages of the feed were shown to us lately."""
        refusal = asked.refusal if isinstance(asked, Failed) else of_signs((PageSign.BLOCKED,))
        if refusal.reason is not Reason.PAGE_BLOCKED:
            return asked
        async with self._store.transaction() as tx:
            is_limit = await tx.contents.were_readable(entry.feed_id, _LATELY)
        if not is_limit:
            return asked
        until = await self._governor.heed(answer, as_refusal=True)
        return Failed(refusal, held_until=until)

    async def _packed(
        self, entry: EntryToFetch, answer: Answer, withheld: str | None
    ) -> KeptPage | None:
        if not self._keeps_pages:
            return None
        return await asyncio.to_thread(packed, entry.id, answer, withheld)


def needs_browser(asked: Asked) -> bool:
    """Tell whether a page was nothing but a shell that its scripts would fill."""
    if isinstance(asked, Found):
        return PageSign.NEEDS_BROWSER in asked.content.signs and is_feeds(asked.content.extractor)
    return isinstance(asked, Failed) and asked.refusal.reason is Reason.NEEDS_BROWSER


def is_feeds(extractor: str) -> bool:
    """Tell whether an article is the feed's own text, by who found it."""
    return extractor.partition("/")[0] == FROM_FEED


def complete(examined: Examined, *, moved_to: str | None, withheld: str | None) -> Content | None:
    """Return an article with what is known of its page beside what the page itself says."""
    content = examined.content
    return content and content.model_copy(
        update={
            "signs": examined.signs,
            "canonical_url": content.canonical_url or moved_to,
            "withheld": withheld or content.withheld,
        }
    )


def _found(
    examined: Examined, page: KeptPage | None, answer: Answer, withheld: str | None
) -> Found | Failed:
    content = complete(examined, moved_to=answer.moved_to, withheld=withheld)
    if content is None:
        return Failed(of_signs(examined.signs), page)
    return Found(content, answer.validators, page, examined.feed_is_whole)


def _renewed(held: Validators, given: Validators) -> Validators:
    """Return the held validators with those in place that a 304 renewed."""
    return held.model_copy(
        update={
            "etag": given.etag or held.etag,
            "last_modified": given.last_modified or held.last_modified,
        }
    )
