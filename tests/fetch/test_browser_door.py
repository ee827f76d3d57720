"""The door by itself: whatever a browser asks it for, it leads to no address that we would not ask."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
import pytest_asyncio

from feedmill.web.names import LookUp, ask_system, open_resolver
from feedmill_fetch.browser.door import Allowance, Door, open_door
from support.names import Names, v4

# One address of loopback is the internet here, and all others are somebody's own.
OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"
INTERNET = (ip_network(f"{OUTSIDE}/32"),)
PLENTY = 1_000_000


class Host:
    """Says a line to whoever connects."""

    def __init__(self, line: bytes) -> None:
        self.line = line
        self.heard: list[bytes] = []
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.read(1_000))
        writer.write(self.line)
        writer.close()


@asynccontextmanager
async def open_host(
    address: str, line: bytes = b"HTTP/1.1 200 OK\r\n\r\nHello"
) -> AsyncIterator[Host]:
    host = Host(line)
    async with await asyncio.start_server(host.answer, address, 0) as server:
        host.port = server.sockets[0].getsockname()[1]
        yield host


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[Host]:
    async with open_host(OUTSIDE) as host:
        yield host


@pytest_asyncio.fixture
async def inside() -> AsyncIterator[Host]:
    async with open_host(INSIDE, b"secret") as host:
        yield host


@asynccontextmanager
async def door(
    look_up: LookUp = ask_system, *, connections: int = 100, received: int = PLENTY
) -> AsyncIterator[int]:
    async with (
        open_resolver(look_up) as resolver,
        open_door(resolver, INTERNET, Allowance(connections, received)) as (_, port),
    ):
        yield port


async def ask(port: int, head: str) -> bytes:
    """Return all that comes back; nothing where the door stays shut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    finally:
        writer.close()


def get(url: str, host: str = "x") -> str:
    return f"GET {url} HTTP/1.1\r\nHost: {host}\r\nProxy-Connection: keep-alive\r\n\r\n"


def tunnel(place: str) -> str:
    return f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n"


async def test_what_may_be_asked_is_asked_the_way_a_site_expects_it(outside: Host) -> None:
    async with door() as port:
        came = await ask(port, get(f"http://{OUTSIDE}:{outside.port}/a?b=c"))

    assert came == outside.line
    assert outside.heard == [b"GET /a?b=c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"]


async def test_a_name_is_judged_by_where_it_leads(outside: Host, inside: Host) -> None:
    async with door(Names(v4(OUTSIDE))) as port:
        allowed = await ask(port, get(f"http://site.example:{outside.port}/"))
    async with door(Names(v4(INSIDE))) as port:
        plain = await ask(port, get(f"http://site.example:{inside.port}/"))
        by_tunnel = await ask(port, tunnel(f"site.example:{inside.port}"))

    assert allowed == outside.line
    assert (plain, by_tunnel) == (b"", b"")
    assert inside.heard == []


@pytest.mark.parametrize("first", [OUTSIDE, INSIDE])
async def test_one_forbidden_address_among_others_shuts_the_door(
    outside: Host, inside: Host, first: str
) -> None:
    second = INSIDE if first == OUTSIDE else OUTSIDE
    async with door(Names(v4(first), v4(second))) as port:
        came = [
            await ask(port, get(f"http://site.example:{host.port}/")) for host in (outside, inside)
        ]

    assert came == [b"", b""]
    assert outside.heard == inside.heard == []


@pytest.mark.parametrize(
    "host",
    [INSIDE, "2130706434", "0x7f.2", "0177.0.0.2", "[::ffff:127.0.0.2]", "127.2"],
)
async def test_numbers_are_judged_in_every_disguise(inside: Host, host: str) -> None:
    async with door() as port:
        plain = await ask(port, get(f"http://{host}:{inside.port}/"))
        by_tunnel = await ask(port, tunnel(f"{host}:{inside.port}"))

    assert (plain, by_tunnel) == (b"", b"")
    assert inside.heard == []


@pytest.mark.parametrize(
    "head",
    [
        pytest.param("GET ftp://{at}/ HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param("GET http://me:mine@{at}/ HTTP/1.1\r\n\r\n", id="a password"),
        pytest.param("GET / HTTP/1.1\r\nHost: {at}\r\n\r\n", id="no proxy's request"),
        pytest.param("GET http://{at}:99999/ HTTP/1.1\r\n\r\n", id="no port"),
        pytest.param("nonsense\r\n\r\n", id="nonsense"),
        pytest.param("GET http://{at}/ HTTP/1.1\r\nX: " + 70_000 * "a", id="a head without end"),
    ],
)
async def test_what_is_no_request_gets_no_answer(outside: Host, head: str) -> None:
    async with door() as port:
        came = await ask(port, head.format(at=f"{OUTSIDE}:{outside.port}"))

    assert came == b""
    assert outside.heard == []


async def test_a_page_has_so_many_connections(outside: Host) -> None:
    url = f"http://{OUTSIDE}:{outside.port}/"
    async with door(connections=2) as port:
        came = [await ask(port, get(url)) for _ in range(4)]

    assert came == [outside.line, outside.line, b"", b""]


async def test_a_page_receives_so_much_over_all_its_connections() -> None:
    async with open_host(OUTSIDE, 40_000 * b"a") as host, door(received=100_000) as port:
        url = f"http://{OUTSIDE}:{host.port}/"
        came = [len(await ask(port, get(url))) for _ in range(4)]

    assert came[:2] == [40_000, 40_000]
    assert sum(came) <= 100_000
    assert came[3] == 0


async def test_a_tunnel_carries_what_either_side_says(outside: Host) -> None:
    async with door() as port:
        came = await ask(port, tunnel(f"{OUTSIDE}:{outside.port}") + "ClientHello")

    assert came.endswith(outside.line)
    assert came.startswith(b"HTTP/1.1 200 ")
    assert outside.heard == [b"ClientHello"]


@pytest.mark.parametrize("is_late", [False, True])
async def test_who_comes_as_the_door_closes_is_let_go(*, is_late: bool) -> None:
    async with open_resolver(ask_system) as resolver:
        closing = Door(resolver, INTERNET, Allowance(1, PLENTY))
        if is_late:
            await closing.close()

        def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            closing.let_in(reader, writer)
            # Before the connection's own task has made its first step.
            for task in asyncio.all_tasks():
                if task.get_name() == "browser connection":
                    task.cancel()

        async with await asyncio.start_server(come, "127.0.0.1", 0) as server, asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
