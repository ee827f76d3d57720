"""One page in one tab of its own: what it shows once its scripts have had their time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from pydantic import Field

from feedmill.models.base import Model
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.browser.devtools import DevTools

# Nothing of these is read.
_UNREAD = (
    "Image",
    "Media",
    "Font",
    "TextTrack",
    "Manifest",
    "Ping",
    "CSPViolationReport",
    "Prefetch",
)
_LOOK_SECONDS = 0.25
# So many looks in a row at the same text: it has filled itself in.
_STEADY_LOOKS = 4

_MARKUP = "(document.documentElement ? document.documentElement.outerHTML : '').slice(0, {bytes})"
_LENGTH = (
    "document.readyState === 'complete' && document.body ? document.body.innerText.length : -1"
)

MayGo = Callable[[str], Awaitable[bool]]
"""Whether a tab may go to another page than it was sent to, as some of them do by script."""


class BrowserLimits(Model):
    """What one page may cost."""

    seconds: float = Field(default=25, description="from asking for it to its markup")
    requests: int = Field(default=120, description="the page's own and those of its scripts")
    connections: int = 60
    received_bytes: int = 20_000_000
    markup_bytes: int = 5_000_000


class Rendered(Model):
    """What a page showed in the end."""

    url: str
    status: int
    markup: str = Field(repr=False)


class Browser(Protocol):
    """Sees pages the way a person's browser does."""

    async def render(self, url: str, may_go: MayGo) -> Rendered | Refusal: ...


class Tab:
    """A tab that is used once.

    Attributes
    ----------
    status
        What its page was answered with; 0 before it was.
    """

    def __init__(
        self, devtools: DevTools, session: str, limits: BrowserLimits, may_go: MayGo
    ) -> None:
        self.status = 0
        self._devtools = devtools
        self._session = session
        self._limits = limits
        self._may_go = may_go
        self._frame = ""
        self._asked_for = 0
        self._crashed = asyncio.Event()
        self._decisions: set[asyncio.Task[None]] = set()
        devtools.listen(session, self._hear)

    async def show(self, url: str, agent: str) -> Rendered | Refusal:
        """Go to a page, and return what it shows once it has stopped changing, or its time is up."""
        await self._prepare(agent)
        crash = asyncio.create_task(self._crashed.wait())
        showing = asyncio.create_task(self._show(url))
        try:
            await asyncio.wait({crash, showing}, return_when=asyncio.FIRST_COMPLETED)
            if not showing.done():
                return Refusal(
                    reason=Reason.EXTRACTOR_FAILED, detail="the page ended its browser tab"
                )
            return showing.result()
        finally:
            for task in (crash, showing, *self._decisions):
                task.cancel()
            self._devtools.forget(self._session)

    async def _prepare(self, agent: str) -> None:
        tree = await self._tell("Page.getFrameTree")
        self._frame = tree["frameTree"]["frame"]["id"]
        await self._tell("Page.enable")
        await self._tell("Inspector.enable")
        await self._tell("Network.enable", maxTotalBufferSize=0, maxResourceBufferSize=0)
        await self._tell("Network.setBypassServiceWorker", bypass=True)
        await self._tell("Network.setUserAgentOverride", userAgent=agent)
        await self._tell("Fetch.enable", patterns=[{"urlPattern": "*"}])

    async def _show(self, url: str) -> Rendered | Refusal:
        gone = await self._tell("Page.navigate", url=url)
        if gone.get("errorText"):
            detail = gone["errorText"].removeprefix("net::")
            return Refusal(reason=Reason.CONNECT_FAILED, detail=detail)
        # An extra world of its own: no script of the page decides what we are told.
        world = await self._until_steady()
        found = await self._ask(_MARKUP.format(bytes=self._limits.markup_bytes), world)
        address = await self._ask("location.href", world)
        return Rendered(url=str(address), status=self.status, markup=str(found))

    async def _until_steady(self) -> int:
        loop = asyncio.get_running_loop()
        # What is left of its time is for taking it down.
        deadline = loop.time() + 0.8 * self._limits.seconds
        length, steady = -1, 0
        world = await self._world()
        while steady < _STEADY_LOOKS and loop.time() < deadline:
            await asyncio.sleep(_LOOK_SECONDS)
            world = await self._world()
            now = await self._ask(_LENGTH, world)
            steady = steady + 1 if now == length and now >= 0 else 0
            length = now
        return world

    async def _world(self) -> int:
        created = await self._tell(
            "Page.createIsolatedWorld", frameId=self._frame, worldName="feedmill"
        )
        return int(created["executionContextId"])

    async def _ask(self, expression: str, world: int) -> Any:
        answer = await self._tell(
            "Runtime.evaluate", expression=expression, contextId=world, returnByValue=True
        )
        return answer.get("result", {}).get("value", "")

    async def _tell(self, method: str, **params: Any) -> Any:
        return await self._devtools.call(method, self._session, **params)

    def _hear(self, method: str, params: Mapping[str, Any]) -> None:
        match method:
            case "Fetch.requestPaused":
                self._do(self._decide(params))
            case "Network.responseReceived" if params.get("type") == "Document":
                if params.get("frameId") == self._frame:
                    self.status = int(params["response"]["status"])
            case "Page.javascriptDialogOpening":
                self._do(self._dismiss())
            case "Inspector.targetCrashed":
                self._crashed.set()

    def _do(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._decisions.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[None]) -> None:
        self._decisions.discard(task)
        if not task.cancelled():
            # A request that its page has given up meanwhile is nobody's any more.
            task.exception()

    async def _decide(self, params: Mapping[str, Any]) -> None:
        request = params["requestId"]
        if await self._allows(params):
            await self._tell("Fetch.continueRequest", requestId=request)
        else:
            await self._tell("Fetch.failRequest", requestId=request, errorReason="BlockedByClient")

    async def _allows(self, params: Mapping[str, Any]) -> bool:
        self._asked_for += 1
        if self._asked_for > self._limits.requests or params["resourceType"] in _UNREAD:
            return False
        is_page = params["resourceType"] == "Document" and params["frameId"] == self._frame
        # The first is the page that was asked for, by whoever had leave to.
        return not is_page or self._asked_for == 1 or await self._may_go(params["request"]["url"])

    async def _dismiss(self) -> None:
        await self._tell("Page.handleJavaScriptDialog", accept=False)
