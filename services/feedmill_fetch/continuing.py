"""Articles that go on from page to page, where the rule for their site says so."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from feedmill.models.entries import Content, EntryToFetch
from feedmill.web.answers import Deferred, Refusal
from feedmill.web.client import WebClient
from feedmill.web.governor import Governor
from feedmill.web.robots import Robots
from feedmill_fetch.examining import Examiner
from feedmill_fetch.extraction import Examined
from feedmill_fetch.kinds import MAX_PAGE_BYTES, Kind, kind_of

_ACCEPT = "text/html, application/xhtml+xml"
_MOST_PAGES = 20
# What it has found is lost with its activity, and asked for again with the next attempt: well within
# the time of one, even at a host that wants a minute between its pages.
_MOST_SECONDS = 150.0
_MOST_CHARACTERS = 5_000_000
_OK = 200


class PageTurner:
    """Asks for the pages on which an article goes on: one after the other, and as politely as for the first."""

    def __init__(
        self, web: WebClient, governor: Governor, robots: Robots, examiner: Examiner
    ) -> None:
        self._web = web
        self._governor = governor
        self._robots = robots
        self._examiner = examiner

    async def follow(self, entry: EntryToFetch, first: Content, next_url: str) -> Content:
        """Return an article with all its pages, or as far as they can be had; then it says so."""
        pages, seen, goes_on = [first], {first.url}, self._place(next_url, first)
        deadline = asyncio.get_running_loop().time() + _MOST_SECONDS
        # A link back ends an article as well as none does.
        while goes_on is not None and goes_on not in seen:
            seen.add(goes_on)
            turned = await self._turn(entry, goes_on) if _may_go_on(pages, deadline) else None
            if turned is None or turned.content is None:
                return await self._examiner.joined(pages, is_whole=False)
            if turned.content.url != goes_on and turned.content.url in seen:
                # Sent back to a page that is here already.
                break
            pages.append(turned.content)
            seen.add(turned.content.url)
            goes_on = self._place(turned.next_url, first)
        return await self._examiner.joined(pages, is_whole=True)

    def _place(self, url: str | None, first: Content) -> str | None:
        """Return where a link leads; None where that is no page of the same host."""
        checked = None if url is None else self._web.checked(url)
        if checked is None or isinstance(checked, Refusal):
            return None
        same = self._governor.limit(checked).host == self._governor.limit(first.url).host
        return checked if same else None

    async def _turn(self, entry: EntryToFetch, url: str) -> Examined | None:
        reply = await self._web.get(
            url,
            purpose="page",
            accept=_ACCEPT,
            max_bytes=MAX_PAGE_BYTES,
            # To give up in the middle would waste all requests before.
            admit=self._governor.patiently,
            permit=self._robots.permit,
        )
        if isinstance(reply, Refusal | Deferred):
            return None
        await self._governor.heed(reply)
        if reply.status != _OK or kind_of(reply.media_type, reply.body) is not Kind.HTML:
            return None
        examined = await self._examiner.page(
            # What the feed says is about the article, and no page of it.
            entry.model_copy(update={"teaser": "", "markup": None}),
            reply.body,
            media_type=reply.media_type,
            charset=reply.charset,
            url=reply.url,
        )
        if isinstance(examined, Refusal) or examined.content is None:
            return None
        withheld = reply.withheld or await self._robots.withheld(reply.url)
        content = examined.content.model_copy(
            update={"withheld": withheld or examined.content.withheld}
        )
        return replace(examined, content=content)


def _may_go_on(pages: Sequence[Content], deadline: float) -> bool:
    size = sum(len(page.html) for page in pages)
    is_time = asyncio.get_running_loop().time() < deadline
    return is_time and len(pages) < _MOST_PAGES and size < _MOST_CHARACTERS
