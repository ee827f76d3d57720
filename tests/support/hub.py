"""A WebSub hub on loopback: it verifies, distributes and signs, or misbehaves as it is told to.

async with open_hub() as hub:
    ...                      # somebody asks hub.url
    await hub.settled()      # what it was asked is verified
    await hub.push(topic, body)
"""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO

from aiohttp import ClientSession, web

RSS = "application/rss+xml"


@dataclass(frozen=True)
class Asked:
    """One request of a subscriber, as it arrived."""

    form: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    moment: datetime | None = None

    @property
    def mode(self) -> str:
        return self.form["hub.mode"]


@dataclass(frozen=True)
class Verified:
    """What a callback answered, and whether that confirms what was asked."""

    mode: str
    status: int
    confirmed: bool


@dataclass(frozen=True)
class Subscriber:
    topic: str
    secret: str | None


@dataclass
class Behaviour:
    """How a hub behaves; by default as it should.

    Attributes
    ----------
    status, headers
        What whoever asks is answered.
    verifies
        Whether it calls back at all, and whether it does so before it answers.
    topic
        What it says the subscription is about, in place of what was asked for.
    lease_seconds
        What it grants, in place of what was asked for; None: it does not say.
    denies
        The reason for which it denies everything.
    """

    status: int = 202
    headers: Mapping[str, str] = field(default_factory=dict)
    verifies: bool = True
    verifies_first: bool = False
    topic: str | None = None
    lease_seconds: str | None = "as asked"
    denies: str | None = None


class Hub:
    """Remembers who asked for what, and who has confirmed it.

    Attributes
    ----------
    subscribers
        Who has confirmed, by callback.
    clock
        Whose time a request's `moment` is; by default it has none.
    """

    def __init__(self, session: ClientSession) -> None:
        self.url = ""
        self.clock: Callable[[], Awaitable[datetime]] | None = None
        self.behaviour = Behaviour()
        self.asked: list[Asked] = []
        self.verified: list[Verified] = []
        self.subscribers: dict[str, Subscriber] = {}
        self._session = session
        self._calling: set[asyncio.Task[None]] = set()

    async def settled(self) -> None:
        """Return once everybody who asked has been called back."""
        while self._calling:
            await asyncio.wait(self._calling)

    async def push(
        self,
        topic: str,
        body: str | bytes,
        *,
        content_type: str = RSS,
        sign: str | None = "sha256",
        secret: str | None = None,
    ) -> list[int]:
        """Distribute a body to a topic's subscribers; return what they answered.

        Parameters
        ----------
        sign
            With which algorithm; None leaves the signature out.
        secret
            With which key, in place of the subscriber's.
        """
        content = body.encode() if isinstance(body, str) else body
        answers = []
        for callback, subscriber in list(self.subscribers.items()):
            if subscriber.topic == topic:
                headers = {"Content-Type": content_type, "Link": f'<{self.url}>; rel="hub"'}
                if sign is not None:
                    key = secret or subscriber.secret or ""
                    headers["X-Hub-Signature"] = self.signature(content, key, sign)
                answers.append(await self.deliver(callback, content, headers))
        return answers

    def signature(self, body: bytes, secret: str, method: str = "sha256") -> str:
        """Return what proves that a body comes from who has the secret."""
        return f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"

    async def deliver(self, callback: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Send something to a callback as it is; forget the subscriber if it says so."""
        async with self._session.post(callback, data=BytesIO(body), headers=headers) as answer:
            await answer.read()
            if answer.status == 410:
                self.subscribers.pop(callback, None)
            return answer.status

    async def call(self, callback: str, **said: str) -> tuple[int, str]:
        """Call back with `hub.*` parameters; return status and body of the answer."""
        query = {f"hub.{name}": value for name, value in said.items()}
        async with self._session.get(callback, params=query) as answer:
            return answer.status, await answer.text()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        moment = await self.clock() if self.clock else None
        self.asked.append(Asked(form, request.headers, moment))
        behaviour = self.behaviour
        if behaviour.verifies and behaviour.status == 202:
            calling = asyncio.create_task(self._call_back(form, behaviour))
            self._calling.add(calling)
            calling.add_done_callback(self._calling.discard)
            if behaviour.verifies_first:
                await asyncio.wait({calling})
        return web.Response(status=behaviour.status, headers=behaviour.headers)

    async def _call_back(self, form: Mapping[str, str], behaviour: Behaviour) -> None:
        callback, topic = form["hub.callback"], behaviour.topic or form["hub.topic"]
        if behaviour.denies is not None:
            await self.call(callback, mode="denied", topic=topic, reason=behaviour.denies)
            return
        said = {"mode": form["hub.mode"], "topic": topic, "challenge": f"c/{len(self.verified)}+é"}
        lease = behaviour.lease_seconds
        if lease is not None and "hub.lease_seconds" in form:
            said["lease_seconds"] = form["hub.lease_seconds"] if lease == "as asked" else lease
        status, text = await self.call(callback, **said)
        confirmed = status == 200 and text == said["challenge"]
        self.verified.append(Verified(said["mode"], status, confirmed))
        if confirmed and said["mode"] == "subscribe":
            self.subscribers[callback] = Subscriber(topic, form.get("hub.secret"))
        elif confirmed:
            self.subscribers.pop(callback, None)


@asynccontextmanager
async def open_hub() -> AsyncIterator[Hub]:
    """Serve while the block lasts."""
    async with ClientSession() as session:
        hub = Hub(session)
        app = web.Application()
        app.router.add_post("/hub", hub._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            hub.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hub"
            yield hub
            await hub.settled()
        finally:
            await runner.cleanup()
