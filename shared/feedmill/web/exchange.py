"""One request on the wire, and its answer within limits."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import aiohttp
from pydantic import Field
from yarl import URL

from feedmill.models.base import Model
from feedmill.models.feeds import Validators
from feedmill.models.outcomes import Reason
from feedmill.web import headers
from feedmill.web.answers import Answer, Refusal
from feedmill.web.connections import Attempt
from feedmill.web.decoding import ACCEPT_ENCODING, decode_body
from feedmill.web.failures import HungUpError, failure

_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
# After any other, browsers make a GET of what was a POST.
_REPEATS_POST = frozenset({307, 308})

# A thread costs more than unpacking this much; and however it was made, it unpacks in milliseconds.
_SMALL_BYTES = 32_768


class WebLimits(Model):
    """Where patience with a site ends."""

    total_seconds: float = Field(default=60, description="for all requests of a redirect chain")
    connect_seconds: float = 10
    silence_seconds: float = Field(default=20, description="longest wait for the next byte")
    grace_seconds: float = Field(default=10, description="after it, the rate below is demanded")
    least_bytes_per_second: int = 1_000
    redirects: int = 5
    stale_seconds: float = Field(
        default=1, description="a connection lost within them may have been closed before"
    )


@dataclass(frozen=True, slots=True)
class Ask:
    """What stays the same over a redirect chain.

    Attributes
    ----------
    whole
        Whether a body longer than `max_bytes` is refused; else only its beginning is kept.
    form
        What to post; None for a GET.
    """

    url: str
    accept: str
    max_bytes: int
    whole: bool = True
    validators: Validators | None = None
    subscribers: int | None = None
    form: bytes | None = None

    @property
    def method(self) -> Literal["GET", "POST"]:
        return "GET" if self.form is None else "POST"


@dataclass(frozen=True, slots=True)
class Moved:
    """The answer is elsewhere."""

    location: str
    for_good: bool


class Exchange:
    """Sends one request at a time, and reads what comes back as far as it is wanted."""

    def __init__(self, session: aiohttp.ClientSession, limits: WebLimits, agent: str) -> None:
        self._session = session
        self._limits = limits
        self._agent = agent

    async def ask(self, url: str, ask: Ask, seconds: float) -> Answer | Refusal | Moved:
        """Ask for one URL, and take at most so long. Whatever the site does is in the answer."""
        started = time.monotonic()
        attempt = Attempt()
        try:
            try:
                return await self._try(url, ask, seconds, attempt)
            except HungUpError as error:
                passed = time.monotonic() - started
                # Who thinks for long before hanging up has heard us.
                if passed > self._limits.stale_seconds or not _is_stale(error, attempt, ask):
                    raise
            # The site had closed an old connection before our request reached it, so it has not
            # seen that; a new one is no second request to it.
            return await self._try(url, ask, seconds - passed, Attempt())
        # ValueError: what the library makes of some headers that no server should send.
        # RuntimeError: what uvloop makes of some sockets.
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RuntimeError) as error:
            if self._session.closed:
                raise
            return failure(error)

    async def _try(
        self, url: str, ask: Ask, seconds: float, attempt: Attempt
    ) -> Answer | Refusal | Moved:
        if seconds <= 0:
            return Refusal(reason=Reason.TIMED_OUT, detail="the redirects took too long")
        async with self._sent(url, ask, seconds, attempt) as response:
            location = response.headers.get("Location")
            followed = _REDIRECTS if ask.form is None else _REPEATS_POST
            if location and response.status in followed:
                return Moved(location=location, for_good=response.status in _FOR_GOOD)
            return await self._read(response, url, ask)

    def _sent(
        self, url: str, ask: Ask, seconds: float, attempt: Attempt
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        return self._session.request(
            ask.method,
            # Normal already; quoting it again would change what the site gave out.
            URL(url, encoded=True),
            headers=self._request_headers(url, ask),
            data=ask.form,
            allow_redirects=False,
            trace_request_ctx=attempt,
            timeout=aiohttp.ClientTimeout(
                total=seconds,
                sock_connect=self._limits.connect_seconds,
                sock_read=self._limits.silence_seconds,
            ),
        )

    def _request_headers(self, url: str, ask: Ask) -> dict[str, str]:
        sent = {
            "Accept": ask.accept,
            "Accept-Encoding": ACCEPT_ENCODING,
            "User-Agent": _counted(self._agent, ask.subscribers),
        }
        if ask.form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        if ask.validators is not None and ask.validators.url == url:
            if ask.validators.etag:
                sent["If-None-Match"] = ask.validators.etag
            if ask.validators.last_modified:
                sent["If-Modified-Since"] = ask.validators.last_modified
        return sent

    async def _read(self, response: aiohttp.ClientResponse, url: str, ask: Ask) -> Answer | Refusal:
        body: bytes | Refusal = b""
        # The only status whose body is what was asked for.
        if response.status == _OK:
            body = await self._read_body(response, ask)
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

    async def _read_body(self, response: aiohttp.ClientResponse, ask: Ask) -> bytes | Refusal:
        packed = await self._read_packed(response, ask)
        encoding = ", ".join(response.headers.getall("Content-Encoding", ()))
        if isinstance(packed, Refusal) or not encoding:
            return packed
        if len(packed) <= _SMALL_BYTES and "," not in encoding:
            return decode_body(packed, encoding, ask.max_bytes, whole=ask.whole)
        # Seconds of CPU for a body made to be slow: not on the event loop.
        return await asyncio.to_thread(
            decode_body, packed, encoding, ask.max_bytes, whole=ask.whole
        )

    async def _read_packed(self, response: aiohttp.ClientResponse, ask: Ask) -> bytes | Refusal:
        too_large = Refusal(reason=Reason.TOO_LARGE, detail=f"more than {ask.max_bytes} bytes")
        if ask.whole and (response.content_length or 0) > ask.max_bytes:
            return too_large
        body = bytearray()
        started = time.monotonic()
        try:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > ask.max_bytes:
                    return too_large if ask.whole else bytes(body[: ask.max_bytes])
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


def _is_stale(error: HungUpError, attempt: Attempt, ask: Ask) -> bool:
    return attempt.reused and not error.began and ask.form is None


def _counted(agent: str, subscribers: int | None) -> str:
    """Return the User-Agent with the number of people it stands for, the way sites look for it."""
    if subscribers is None:
        return agent
    noun = "subscriber" if subscribers == 1 else "subscribers"
    return f"{agent.removesuffix(')')}; {subscribers} {noun})"
