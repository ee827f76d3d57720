"""Headless Chromium: started when it is needed, replaced when it is worn out or dead."""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from feedmill.config import Network
from feedmill.errors import SettingsError, UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill.telemetry.logs import get_logger
from feedmill.web.addresses import check_url
from feedmill.web.answers import Refusal
from feedmill.web.failures import refused
from feedmill.web.names import LookUp, Resolver, ask_system, open_resolver
from feedmill_fetch.browser.devtools import (
    BrowserGoneError,
    BrowserRefusedError,
    DevTools,
    launch,
)
from feedmill_fetch.browser.door import Allowance, open_door
from feedmill_fetch.browser.rendering import BrowserLimits, MayGo, Rendered, Tab

log = get_logger(__name__)

_PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Pages leak; a new browser costs a second.
_PAGES_PER_BROWSER = 50
_START_SECONDS = 30.0
_END_SECONDS = 5.0

_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-pings",
    "--mute-audio",
    "--js-flags=--max-old-space-size=512",
    # Out by the door, and by no other way: no look-ups of its own, no datagrams.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    # Browsers proper read the first, the one that is headless only the second.
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-features=DialMediaRouteProvider,MediaRouter,OptimizationHints,Translate",
)


class Chromium:
    """One browser, one page at a time."""

    def __init__(
        self,
        program: str,
        agent: str,
        resolver: Resolver,
        allowed_networks: Sequence[Network],
        limits: BrowserLimits,
    ) -> None:
        self._program = program
        self._agent = agent
        self._resolver = resolver
        self._allowed_networks = tuple(allowed_networks)
        self._limits = limits
        self._turn = asyncio.Lock()
        self._running: _Running | None = None

    async def render(self, url: str, may_go: MayGo) -> Rendered | Refusal:
        """Return what a page shows once its scripts have run. Whatever it does is in the answer."""
        async with self._turn:
            try:
                checked = check_url(url, self._allowed_networks)
                async with asyncio.timeout(_START_SECONDS + self._limits.seconds):
                    running = await self._started()
                    async with asyncio.timeout(self._limits.seconds):
                        return await self._render(running, checked, may_go)
            except UrlRefusedError as error:
                return refused(error)
            except TimeoutError:
                await self.close()
                return Refusal(reason=Reason.TIMED_OUT, detail="the page kept its browser busy")
            except (BrowserGoneError, BrowserRefusedError) as error:
                await self.close()
                return Refusal(reason=Reason.EXTRACTOR_FAILED, detail=str(error)[:200])

    async def close(self) -> None:
        """End the browser, whatever it does."""
        running, self._running = self._running, None
        if running is not None:
            await running.end()

    async def _started(self) -> "_Running":
        running = self._running
        if running is not None and (running.devtools.is_over or running.pages <= 0):
            await self.close()
            running = None
        if running is None:
            running = self._running = await _start(self._program)
        running.pages -= 1
        return running

    async def _render(self, running: "_Running", url: str, may_go: MayGo) -> Rendered | Refusal:
        allowance = Allowance(self._limits.connections, self._limits.received_bytes)
        async with (
            open_door(self._resolver, self._allowed_networks, allowance) as (_, port),
            _tab(running.devtools, port) as session,
        ):
            return await Tab(running.devtools, session, self._limits, may_go).show(url, self._agent)


class _Running:
    """A browser's process, with the folder it lives in."""

    def __init__(
        self, process: asyncio.subprocess.Process, devtools: DevTools, folder: Path
    ) -> None:
        self.devtools = devtools
        self.pages = _PAGES_PER_BROWSER
        self._process = process
        self._folder = folder

    async def end(self) -> None:
        self.devtools.close()
        # It has a dozen processes of its own, all in its group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_SECONDS):
                await self._process.wait()
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


async def _start(program: str) -> _Running:
    folder = Path(tempfile.mkdtemp(prefix="feedmill-browser-"))
    command = [program, *_OPTIONS, f"--user-data-dir={folder}"]
    if os.geteuid() == 0:
        # Chromium refuses to start as root with a sandbox. A container should run it as somebody else.
        command.append("--no-sandbox")
        log.warning("browser without sandbox", reason="it runs as root")
    process, devtools = await launch(command, sys.executable)
    running = _Running(process, devtools, folder)
    try:
        await devtools.call("Browser.getVersion")
        await devtools.call("Browser.setDownloadBehavior", behavior="deny")
    except BaseException:
        await running.end()
        raise
    return running


@asynccontextmanager
async def _tab(devtools: DevTools, port: int) -> AsyncIterator[str]:
    """Open a tab that shares nothing with any other, and goes out by the door at this port alone."""
    context = await devtools.call(
        "Target.createBrowserContext",
        disposeOnDetach=True,
        proxyServer=f"http://127.0.0.1:{port}",
        # By default it would go round the proxy to this machine's own addresses.
        proxyBypassList="<-loopback>",
    )
    context_id = context["browserContextId"]
    try:
        target = await devtools.call(
            "Target.createTarget", url="about:blank", browserContextId=context_id
        )
        attached = await devtools.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        yield attached["sessionId"]
    finally:
        with contextlib.suppress(BrowserGoneError, BrowserRefusedError):
            await devtools.call("Target.disposeBrowserContext", browserContextId=context_id)


def find_program(named: str | None) -> str:
    """Return the browser's program: the one that is named, or one that is usually there.

    Raises
    ------
    SettingsError
        There is none.
    """
    for name in (named,) if named else _PROGRAMS:
        if (found := shutil.which(name)) is not None:
            return found
    raise SettingsError(
        "FEEDMILL_BROWSER_PROGRAM: no browser found; install Chromium, or say where it is"
    )


@asynccontextmanager
async def open_chromium(
    agent: str,
    allowed_networks: Sequence[Network],
    *,
    program: str | None = None,
    limits: BrowserLimits | None = None,
    look_up: LookUp = ask_system,
) -> AsyncIterator[Chromium]:
    """Have a browser at hand; it starts with the first page and ends with the block."""
    async with open_resolver(look_up) as resolver:
        found = find_program(program)
        browser = Chromium(found, agent, resolver, allowed_networks, limits or BrowserLimits())
        try:
            yield browser
        finally:
            await browser.close()
