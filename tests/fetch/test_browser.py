"""Pages that fill themselves in, seen by a real browser; and what their scripts cannot reach."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import psutil
import pytest
import pytest_asyncio
from aiohttp import web

from feedmill.errors import SettingsError
from feedmill.models.outcomes import Reason
from feedmill.web.answers import Refusal
from feedmill_fetch.browser.chromium import Chromium, find_program, open_chromium
from feedmill_fetch.browser.rendering import BrowserLimits, Rendered
from support.origin import Origin, open_origin

AGENT = "Feedmill/test (+https://feedmill.example)"
SENTENCE = "The miller counted his sacks of flour before the wheel began to turn again."
# One address of loopback is the internet here, and all others are somebody's own.
INTERNET = (ip_network("127.0.0.1/32"),)


def shell(script: str) -> str:
    return f"<html><head><title>T</title></head><body><div id='root'></div><script>{script}</script></body></html>"


FILLS_ITSELF = shell(
    "fetch('/data').then(r => r.json()).then(d => { document.getElementById('root').innerHTML = "
    "'<article>' + ('<p>' + d.sentence + '</p>').repeat(9) + '</article>' })"
)


def said(rendered: Rendered) -> str:
    """Return what a script has written."""
    return rendered.markup.partition('<div id="root">')[2].partition("</div>")[0]


async def anywhere(_: str) -> bool:
    return True


async def nowhere(_: str) -> bool:
    return False


@pytest_asyncio.fixture(scope="module")
async def browser() -> AsyncIterator[Chromium]:
    async with open_chromium(AGENT, INTERNET, limits=BrowserLimits(seconds=20)) as opened:
        yield opened


@pytest_asyncio.fixture
async def origin() -> AsyncIterator[Origin]:
    async with open_origin() as opened:
        opened.serve("/data", f'{{"sentence": "{SENTENCE}"}}', content_type="application/json")
        yield opened


async def render(browser: Chromium, url: str) -> Rendered:
    rendered = await browser.render(url, anywhere)
    assert isinstance(rendered, Rendered), rendered
    return rendered


async def test_a_page_that_fills_itself_in_is_seen_filled(
    browser: Chromium, origin: Origin
) -> None:
    origin.serve("/a", FILLS_ITSELF)

    rendered = await render(browser, origin.url("/a"))

    assert (rendered.url, rendered.status) == (origin.url("/a"), 200)
    assert rendered.markup.count(SENTENCE) == 9
    assert origin.requests[0].headers["User-Agent"] == AGENT
    assert "Cookie" not in origin.requests[0].headers


async def test_where_a_page_is_in_the_end_is_told_with_its_status(
    browser: Chromium, origin: Origin
) -> None:
    origin.redirect("/old", "/new")
    origin.serve("/new", FILLS_ITSELF, status=404)

    rendered = await render(browser, origin.url("/old"))

    assert (rendered.url, rendered.status) == (origin.url("/new"), 404)


FORBIDDEN = [
    "http://169.254.169.254/latest/meta-data/",
    "http://[::ffff:127.0.0.2]:{port}/mapped",
    "http://127.0.0.2:{port}/plain",
    "http://2130706434:{port}/decimal",
    "http://localhost:{port}/name",
    "http://10.0.0.1/",
    "http://127.0.0.1:22/",
    "https://127.0.0.2:{port}/tls",
    "file:///etc/passwd",
]


async def test_scripts_get_nothing_from_where_we_would_not_ask(
    browser: Chromium, origin: Origin
) -> None:
    inside, seen = await somebodys_own()
    try:
        port = inside.sockets[0].getsockname()[1]
        urls = [address.format(port=port) for address in FORBIDDEN]
        origin.serve(
            "/a",
            shell(
                f"const say = w => document.getElementById('root').textContent += w + ';';"
                f"const urls = {urls!r}; const all = urls.map(url => {{"
                f"const f = document.createElement('iframe'); f.src = url; document.body.append(f);"
                f"try {{ new WebSocket(url.replace('http', 'ws')).onopen = () => say('opened') }} catch {{}}"
                f"try {{ navigator.sendBeacon(url + '?beacon') }} catch {{}} new Image().src = url;"
                f"return fetch(url, {{mode: 'no-cors'}}).then(_ => say('answered ' + url), _ => 0) }});"
                f"Promise.all(all).then(_ => fetch('/data')).then(_ => say('done'))"
            ),
        )

        rendered = await render(browser, origin.url("/a"))
    finally:
        inside.close()

    assert said(rendered) == "done;"
    assert seen == []


async def somebodys_own() -> tuple[asyncio.Server, list[bytes]]:
    """A server inside, and whoever connects to it."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.read(200))
        writer.write(b"HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\n\r\nsecret")
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.2", 0), seen


async def test_the_browser_does_not_go_round_its_door_to_this_machine(
    origin: Origin,
) -> None:
    # `origin` is where browsers would go without a proxy; the internet is somewhere else here.
    origin.serve("/secret", "secret", headers={"Access-Control-Allow-Origin": "*"})
    internet = (ip_network("127.0.0.3/32"),)
    async with (
        open_origin("127.0.0.3") as outside,
        open_chromium(AGENT, internet, limits=BrowserLimits(seconds=20)) as opened,
        datagrams_to("127.0.0.1") as (port, heard),
    ):
        outside.serve("/a", shell(_GOES_ROUND % (origin.url("/secret"), port)))
        rendered = await render(opened, outside.url("/a"))

    assert said(rendered) == "done;"
    assert origin.requests == []
    assert heard == []


# It keeps writing, so that nobody thinks it is done before it is.
_GOES_ROUND = """
const ticking = setInterval(() => document.body.append('.'), 100);
const say = w => document.getElementById('root').textContent += w + ';';
fetch('%s').then(_ => say('answered'), _ => 0);
const call = new RTCPeerConnection({iceServers: [{urls: 'stun:127.0.0.1:%d'}]});
call.createDataChannel('x');
call.createOffer().then(offer => call.setLocalDescription(offer));
setTimeout(() => { say('done'); clearInterval(ticking) }, 3000);
"""


@asynccontextmanager
async def datagrams_to(address: str) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Listen for datagrams; yields the port, and what has come."""
    heard: list[bytes] = []

    class Ear(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, _: tuple[str | Any, int]) -> None:
            heard.append(data)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Ear, local_addr=(address, 0))
    try:
        yield transport.get_extra_info("sockname")[1], heard
    finally:
        transport.close()


async def test_a_redirect_out_of_the_internet_leads_nowhere(
    browser: Chromium, origin: Origin
) -> None:
    inside, seen = await somebodys_own()
    port = inside.sockets[0].getsockname()[1]
    origin.redirect("/a", f"http://127.0.0.2:{port}/secret")
    try:
        rendered = await browser.render(origin.url("/a"), anywhere)
    finally:
        inside.close()

    assert isinstance(rendered, Refusal) or "secret" not in rendered.markup
    assert seen == []


async def test_a_page_that_goes_elsewhere_by_script_needs_leave(
    browser: Chromium, origin: Origin
) -> None:
    origin.serve("/a", shell("setTimeout(() => { location = '/elsewhere' }, 100)"))
    origin.serve("/elsewhere", f"<p>{SENTENCE}</p>")
    asked: list[str] = []

    async def ask(url: str) -> bool:
        asked.append(url)
        return False

    rendered = await browser.render(origin.url("/a"), ask)

    assert asked == [origin.url("/elsewhere")]
    assert isinstance(rendered, Refusal) or SENTENCE not in rendered.markup
    assert origin.asked("/elsewhere") == []


async def test_pictures_are_not_asked_for(browser: Chromium, origin: Origin) -> None:
    origin.serve("/a", "<html><body><img src='/big.png'><p>Hello there.</p></body></html>")

    await render(browser, origin.url("/a"))

    assert origin.asked("/big.png") == []


async def test_tabs_share_nothing(browser: Chromium, origin: Origin) -> None:
    origin.serve(
        "/a",
        shell(
            "document.getElementById('root').textContent = "
            "(localStorage.seen || 'never') + '/' + (document.cookie || 'none');"
            "localStorage.seen = 'before'; document.cookie = 'seen=before';"
        ),
    )

    first, second = [await render(browser, origin.url("/a")) for _ in range(2)]

    assert "never/none" in first.markup
    assert "never/none" in second.markup


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("while (true) {}", id="a loop"),
        pytest.param("alert('hello'); confirm('sure?')", id="dialogs"),
        pytest.param(
            "let n = 0; setInterval(() => fetch('/data?' + n++), 1)", id="requests without end"
        ),
        pytest.param("const a = []; while (true) a.push(new Array(1e6).fill(a))", id="memory"),
    ],
)
async def test_a_page_out_of_its_mind_costs_its_own_tab(origin: Origin, script: str) -> None:
    limits = BrowserLimits(seconds=3, requests=20)
    origin.serve("/a", shell(script))
    origin.serve("/good", FILLS_ITSELF)
    async with open_chromium(AGENT, INTERNET, limits=limits) as hasty:
        async with asyncio.timeout(60):
            await hasty.render(origin.url("/a"), anywhere)
        asked = len(origin.requests)
        hasty._limits = BrowserLimits(seconds=60)
        rendered = await render(hasty, origin.url("/good"))

    assert asked <= 30
    assert SENTENCE in rendered.markup


async def test_a_browser_that_dies_is_replaced_and_leaves_no_process(origin: Origin) -> None:
    origin.serve("/a", FILLS_ITSELF)
    async with open_chromium(AGENT, INTERNET) as mortal:
        await render(mortal, origin.url("/a"))
        assert mortal._running is not None
        first = psutil.Process(mortal._running._process.pid)
        family = [first, *first.children(recursive=True)]
        first.kill()
        rendered = await mortal.render(origin.url("/a"), anywhere)
        again = await mortal.render(origin.url("/a"), anywhere)

    assert isinstance(rendered, Rendered | Refusal)
    assert isinstance(again, Rendered)
    async with asyncio.timeout(20):
        while any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in family):
            await asyncio.sleep(0.05)


async def test_an_address_that_may_not_be_asked_is_refused_before_anything_starts(
    browser: Chromium,
) -> None:
    refused = [
        await browser.render(url, anywhere)
        for url in ("http://10.0.0.1/", "file:///etc/passwd", "javascript:alert(1)")
    ]

    assert [each.reason for each in refused if isinstance(each, Refusal)] == [
        Reason.ADDRESS_FORBIDDEN,
        Reason.URL_INVALID,
        Reason.URL_INVALID,
    ]


async def test_who_does_not_answer_is_named(browser: Chromium, origin: Origin) -> None:
    async def slam(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    origin.script("/a", slam)

    rendered = await browser.render(origin.url("/a"), nowhere)

    assert isinstance(rendered, Refusal)
    assert rendered.reason in {Reason.CONNECT_FAILED, Reason.TIMED_OUT}


def test_a_browser_that_is_not_there_is_named_at_the_start() -> None:
    with pytest.raises(SettingsError, match="FEEDMILL_BROWSER_PROGRAM"):
        find_program("no-such-browser")
