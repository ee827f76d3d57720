"""One GET at a time, polite on the wire and bounded in every direction."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Literal, Protocol
from urllib.parse import urljoin

import aiohttp
from pydantic import Field
from yarl import URL

from feedmill import __version__
from feedmill.config import Network, WebSettings
from feedmill.errors import UrlRefusedError
from feedmill.models.base import Model
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.telemetry.metrics import HTTP_REQUEST_SECONDS
from feedmill.web import headers
from feedmill.web.addresses import check_url
from feedmill.web.answers import Answer, Deferred, Refusal, Reply
from feedmill.web.connections import open_session
from feedmill.web.decoding import ACCEPT_ENCODING, decode_body
from feedmill.web.failures import failure, refused

Purpose = Literal["feed", "page"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})


class Admission(Protocol):
    """Held around every request of a chain."""

    def __call__(self, url: str, *, patient: bool) -> AbstractAsyncContextManager[datetime | None]:
        """Enter when the request may start, with None; or at once, with when to come back."""


class WebLimits(Model):
    """Where patience with a site ends."""

    total_seconds: float = Field(default=60, description="for all requests of a redirect chain")
    connect_seconds: float = 10
    silence_seconds: float = Field(default=20, description="longest wait for the next byte")
    grace_seconds: float = Field(default=10, description="after it, the rate below is demanded")
    least_bytes_per_second: int = 1_000
    redirects: int = 5


class _Ask(Model):
    """What stays the same over a redirect chain."""

    url: str
    accept: str
    max_bytes: int
    validators: Validators
    subscribers: int | None


class _Moved(Model):
    """The answer is elsewhere."""

    location: str
    for_good: bool


class WebClient:
    """Asks sites. One per process: connections, look-ups and TLS are shared by all requests."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        allowed_networks: Sequence[Network],
        limits: WebLimits,
        agent: str,
    ) -> None:
        self._session = session
        self._allowed_networks = allowed_networks
        self._limits = limits
        self._agent = agent

    async def get(
        self,
        url: str,
        *,
        purpose: Purpose,
        accept: str,
        max_bytes: int,
        admit: Admission,
        validators: Validators | None = None,
        subscribers: int | None = None,
    ) -> Reply:
        """Ask for `url`, following redirects. Whatever the site does is in the reply.

        Parameters
        ----------
        max_bytes
            Of the body, unpacked; a larger one is refused.
        admit
            Held around every request, those that redirects cause included.
        validators
            Sent to the address that gave them, be that `url` or where it redirects, and to no other.
        subscribers
            How many people the answer is for: named to the site, which cannot count them itself.
        """
        try:
            start = check_url(url, self._allowed_networks)
        except UrlRefusedError as error:
            return refused(error)
        ask = _Ask(
            url=start,
            accept=accept,
            max_bytes=max_bytes,
            validators=validators or Validators(),
            subscribers=subscribers,
        )
        reply, seconds = await self._follow(ask, admit)
        if not isinstance(reply, Deferred):
            outcome = reply.reason if isinstance(reply, Refusal) else "ok"
            HTTP_REQUEST_SECONDS.labels(purpose, outcome).observe(seconds)
        return reply

    async def _follow(self, ask: _Ask, admit: Admission) -> tuple[Reply, float]:
        asked = [ask.url]
        for_good = True
        seconds = 0.0
        while True:
            async with admit(asked[-1], patient=len(asked) > 1) as until:
                if until is not None:
                    return Deferred(until=until), seconds
                # Waiting for a slot was our own doing, and costs the site none of its time.
                started = time.monotonic()
                reply = await self._ask(asked[-1], ask, self._limits.total_seconds - seconds)
                seconds += time.monotonic() - started
            if not isinstance(reply, _Moved):
                return _placed(reply, len(asked) > 1, for_good), seconds
            for_good = for_good and reply.for_good
            hop = self._next_hop(reply.location, asked)
            if isinstance(hop, Refusal):
                return hop, seconds
            asked.append(hop)

    def _next_hop(self, location: str, asked: Sequence[str]) -> str | Refusal:
        try:
            hop = check_url(_joined(asked[-1], location), self._allowed_networks)
        except UrlRefusedError as error:
            return refused(error)
        if hop in asked:
            return Refusal(reason=Reason.TOO_MANY_REDIRECTS, detail="redirects in a loop")
        if len(asked) > self._limits.redirects:
            detail = f"more than {self._limits.redirects} redirects"
            return Refusal(reason=Reason.TOO_MANY_REDIRECTS, detail=detail)
        return hop

    async def _ask(self, url: str, ask: _Ask, seconds: float) -> Answer | Refusal | _Moved:
        if seconds <= 0:
            return Refusal(reason=Reason.TIMED_OUT, detail="the redirects took too long")
        try:
            async with self._session.get(
                # Normal already; quoting it again would change what the site gave out.
                URL(url, encoded=True),
                headers=self._request_headers(url, ask),
                allow_redirects=False,
                timeout=self._timeout(seconds),
            ) as response:
                location = response.headers.get("Location")
                if response.status in _REDIRECTS and location:
                    return _Moved(location=location, for_good=response.status in _FOR_GOOD)
                return await self._read(response, url, ask.max_bytes)
        # ValueError: what the library makes of some headers and addresses that no server should send.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return failure(error)

    def _request_headers(self, url: str, ask: _Ask) -> dict[str, str]:
        sent = {
            "Accept": ask.accept,
            "Accept-Encoding": ACCEPT_ENCODING,
            "User-Agent": _counted(self._agent, ask.subscribers),
        }
        if ask.validators.url == url:
            if ask.validators.etag:
                sent["If-None-Match"] = ask.validators.etag
            if ask.validators.last_modified:
                sent["If-Modified-Since"] = ask.validators.last_modified
        return sent

    def _timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        return aiohttp.ClientTimeout(
            total=seconds,
            sock_connect=self._limits.connect_seconds,
            sock_read=self._limits.silence_seconds,
        )

    async def _read(
        self, response: aiohttp.ClientResponse, url: str, max_bytes: int
    ) -> Answer | Refusal:
        body: bytes | Refusal = b""
        if response.status == 200:  # noqa: PLR2004 - the only status whose body is what was asked for
            body = await self._read_body(response, max_bytes)
        if isinstance(body, Refusal):
            return body
        said = response.headers
        content_type = said.get("Content-Type", "")
        now = datetime.now(UTC)
        return Answer(
            url=url,
            redirected=False,
            status=response.status,
            media_type=headers.media_type(content_type),
            charset=headers.charset(content_type),
            validators=headers.validators(said, url),
            retry_after=headers.retry_after(said, now),
            max_age=headers.max_age(said, now),
            spent_for=headers.spent_for(said, now),
            hub=headers.hub(said, url),
            withheld=headers.withheld(said),
            body=body,
        )

    async def _read_body(self, response: aiohttp.ClientResponse, max_bytes: int) -> bytes | Refusal:
        packed = await self._read_packed(response, max_bytes)
        encoding = ", ".join(response.headers.getall("Content-Encoding", []))
        if isinstance(packed, Refusal) or not encoding:
            return packed
        # Seconds of CPU for a body made to be slow: not on the event loop.
        return await asyncio.to_thread(decode_body, packed, encoding, max_bytes)

    async def _read_packed(
        self, response: aiohttp.ClientResponse, max_bytes: int
    ) -> bytes | Refusal:
        too_large = Refusal(reason=Reason.TOO_LARGE, detail=f"more than {max_bytes} bytes")
        if (response.content_length or 0) > max_bytes:
            return too_large
        body = bytearray()
        started = time.monotonic()
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > max_bytes:
                    return too_large
                if self._is_dripping(len(body), time.monotonic() - started):
                    return Refusal(reason=Reason.TIMED_OUT, detail="the answer drips")
        except (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, ConnectionError):
            return Refusal(reason=Reason.TRUNCATED, detail=f"cut short after {len(body)} bytes")
        return bytes(body)

    def _is_dripping(self, received_bytes: int, seconds: float) -> bool:
        return (
            seconds > self._limits.grace_seconds
            and received_bytes < seconds * self._limits.least_bytes_per_second
        )


@asynccontextmanager
async def open_web(
    settings: WebSettings, limits: WebLimits | None = None
) -> AsyncIterator[WebClient]:
    """Open the client of this process; its connections end with the block."""
    agent = f"Feedmill/{__version__} (+{settings.contact_url})"
    async with open_session(settings.allowed_networks) as session:
        yield WebClient(session, settings.allowed_networks, limits or WebLimits(), agent)


def _placed(reply: Answer | Refusal, redirected: bool, for_good: bool) -> Answer | Refusal:
    """Say in an answer how far from where we asked it was found."""
    if not redirected or isinstance(reply, Refusal):
        return reply
    return reply.model_copy(
        update={"redirected": True, "moved_to": reply.url if for_good else None}
    )


def _counted(agent: str, subscribers: int | None) -> str:
    """Return the User-Agent with the number of people it stands for, the way sites look for it."""
    if subscribers is None:
        return agent
    noun = "subscriber" if subscribers == 1 else "subscribers"
    return f"{agent.removesuffix(')')}; {subscribers} {noun})"


def _joined(url: str, location: str) -> str:
    try:
        # Sites forget to escape spaces; browsers do it for them.
        return urljoin(url, location.strip().replace(" ", "%20"))
    except ValueError:
        return location
