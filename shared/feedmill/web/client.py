"""Asking sites: polite on the wire and bounded in every direction."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from typing import Literal, Protocol
from urllib.parse import urlencode, urlsplit

import aiohttp

from feedmill import __version__
from feedmill.config import Network, WebSettings
from feedmill.errors import UrlRefusedError
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.telemetry import spans
from feedmill.telemetry.metrics import HTTP_REQUEST_SECONDS
from feedmill.web.addresses import check_url
from feedmill.web.answers import Answer, Deferred, Refusal, Reply
from feedmill.web.connections import open_session
from feedmill.web.exchange import Ask, Exchange, Moved, WebLimits
from feedmill.web.failures import refused
from feedmill.web.locations import joined
from feedmill.web.names import LookUp, ask_system
from feedmill.web.telling import facts_of, tell_end

Purpose = Literal["feed", "page", "transcript", "robots", "hub"]

# What a hub says beside its status is for people who look into its log.
_FORM_ANSWER_BYTES = 65_536


class Admission(Protocol):
    """Held around every request of a chain."""

    def __call__(self, url: str, *, patient: bool) -> AbstractAsyncContextManager[datetime | None]:
        """Enter when the request may start, with None; or at once, with when to come back."""


Permission = Callable[[str], Awaitable[Refusal | Deferred | None]]
"""Asked before every request of a chain, outside its admission. What it returns ends the chain."""


class WebClient:
    """Asks sites. One per process: connections, look-ups and TLS are shared by all requests."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        allowed_networks: Sequence[Network],
        limits: WebLimits,
        agent: str,
    ) -> None:
        self._exchange = Exchange(session, limits, agent)
        self._allowed_networks = tuple(allowed_networks)
        self._limits = limits

    async def get(
        self,
        url: str,
        *,
        purpose: Purpose,
        accept: str,
        max_bytes: int,
        admit: Admission,
        permit: Permission | None = None,
        validators: Validators | None = None,
        subscribers: int | None = None,
        whole: bool = True,
    ) -> Reply:
        """Ask for `url`, following redirects. Whatever the site does is in the reply.

        Parameters
        ----------
        max_bytes
            Of the body, unpacked.
        admit
            Held around every request, those that redirects cause included.
        permit
            May forbid any of them before it is admitted; None permits all.
        validators
            Sent to the address that gave them, be that `url` or where it redirects, and to no other.
        subscribers
            How many people the answer is for: named to the site, which cannot count them itself.
        whole
            Whether a body with more than `max_bytes` is refused; else its beginning is returned.
        """
        ask = Ask(
            url=url,
            accept=accept,
            max_bytes=max_bytes,
            whole=whole,
            validators=validators,
            subscribers=subscribers,
        )
        return await self._ask(ask, purpose, admit, permit)

    async def post_form(
        self, url: str, fields: Mapping[str, str], *, purpose: Purpose, admit: Admission
    ) -> Reply:
        """Post a form. It is sent on where a redirect says so (307, 308), but never out of TLS."""
        form = urlencode(fields).encode()
        ask = Ask(url=url, accept="*/*", max_bytes=_FORM_ANSWER_BYTES, whole=False, form=form)
        return await self._ask(ask, purpose, admit, permit=None)

    def checked(self, url: str) -> str | Refusal:
        """Return an address the way it would be asked, or why it would not."""
        try:
            return check_url(url, self._allowed_networks)
        except UrlRefusedError as error:
            return refused(error)

    async def _ask(
        self, ask: Ask, purpose: Purpose, admit: Admission, permit: Permission | None
    ) -> Reply:
        start = self.checked(ask.url)
        if isinstance(start, Refusal):
            return start
        reply, seconds = await self._follow(start, ask, purpose, admit, permit)
        if seconds and not isinstance(reply, Deferred):
            outcome = reply.reason if isinstance(reply, Refusal) else "ok"
            HTTP_REQUEST_SECONDS.labels(purpose, outcome).observe(seconds)
        return reply

    async def _follow(
        self,
        start: str,
        ask: Ask,
        purpose: Purpose,
        admit: Admission,
        permit: Permission | None,
    ) -> tuple[Reply, float]:
        asked = [start]
        for_good = True
        seconds = 0.0
        while True:
            url = asked[-1]
            forbidden = await permit(url) if permit is not None else None
            if forbidden is not None:
                return forbidden, seconds
            async with admit(url, patient=len(asked) > 1) as until:
                if until is not None:
                    return Deferred(until=until, begun=len(asked) > 1), seconds
                # Waiting for a slot was our own doing, and costs the site none of its time.
                started = time.monotonic()
                left = self._limits.total_seconds - seconds
                reply = await self._exchanged(url, ask, purpose, left)
                seconds += time.monotonic() - started
            if not isinstance(reply, Moved):
                return _placed(reply, redirected=len(asked) > 1, for_good=for_good), seconds
            hop = self._next_hop(reply.location, asked)
            if isinstance(hop, Refusal):
                return hop, seconds
            if ask.form is not None and _is_downgrade(url, hop):
                return Refusal(reason=Reason.HTTP_STATUS, detail="redirects out of TLS"), seconds
            for_good = for_good and reply.for_good and not _is_downgrade(url, hop)
            asked.append(hop)

    async def _exchanged(
        self, url: str, ask: Ask, purpose: Purpose, seconds: float
    ) -> Answer | Refusal | Moved:
        with spans.span(ask.method, facts_of(url, ask, purpose), kind="client") as span:
            reply = await self._exchange.ask(url, ask, seconds)
            tell_end(span, reply)
        return reply

    def _next_hop(self, location: str, asked: Sequence[str]) -> str | Refusal:
        hop = self.checked(joined(asked[-1], location))
        if isinstance(hop, Refusal):
            return hop
        if hop in asked:
            return Refusal(reason=Reason.TOO_MANY_REDIRECTS, detail="redirects in a loop")
        if len(asked) > self._limits.redirects:
            detail = f"more than {self._limits.redirects} redirects"
            return Refusal(reason=Reason.TOO_MANY_REDIRECTS, detail=detail)
        return hop


@asynccontextmanager
async def open_web(
    settings: WebSettings, limits: WebLimits | None = None, *, look_up: LookUp = ask_system
) -> AsyncIterator[WebClient]:
    """Open the client of this process; its connections end with the block.

    Parameters
    ----------
    look_up
        What finds the addresses of names.
    """
    async with open_session(settings.allowed_networks, look_up) as session:
        yield WebClient(
            session, settings.allowed_networks, limits or WebLimits(), agent_of(settings)
        )


def agent_of(settings: WebSettings) -> str:
    """Return the name under which sites know this installation."""
    return f"Feedmill/{__version__} (+{settings.contact_url})"


def _placed(reply: Answer | Refusal, *, redirected: bool, for_good: bool) -> Answer | Refusal:
    """Say in an answer how far from where we asked it was found."""
    if not redirected or isinstance(reply, Refusal):
        return reply
    return reply.model_copy(
        update={"redirected": True, "moved_to": reply.url if for_good else None}
    )


def _is_downgrade(url: str, hop: str) -> bool:
    """Tell whether a redirect leaves TLS: followed, as nothing secret is sent, but never kept."""
    return urlsplit(url).scheme == "https" and urlsplit(hop).scheme == "http"
