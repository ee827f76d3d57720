import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from feedmill.web import names
from feedmill.web.names import AddressInfo, Resolver, open_resolver
from support.names import Names, v4, v6

UNKNOWN = socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest_asyncio.fixture
async def ignorant() -> AsyncIterator[tuple[Resolver, Names]]:
    none = Names(UNKNOWN)
    async with open_resolver(none) as resolver:
        yield resolver, none


async def fails(resolver: Resolver, host: str = "a.example") -> int | None:
    with pytest.raises(socket.gaierror) as caught:
        await resolver.resolve(host, 80)
    return caught.value.errno


async def test_every_address_of_a_name_is_returned() -> None:
    async with open_resolver(Names(v6("2606:4700::1111"), v4("93.184.215.14"))) as resolver:
        found = await resolver.resolve("a.example", 443)

    assert [(each["host"], each["port"], each["family"]) for each in found] == [
        ("2606:4700::1111", 443, socket.AF_INET6),
        ("93.184.215.14", 443, socket.AF_INET),
    ]
    assert {each["hostname"] for each in found} == {"a.example"}


async def test_a_failure_is_remembered_for_a_while(
    ignorant: tuple[Resolver, Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver, none = ignorant
    assert [await fails(resolver) for _ in range(3)] == [socket.EAI_NONAME] * 3
    assert none.asked == ["a.example"]

    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 31)
    await fails(resolver)

    assert none.asked == ["a.example"] * 2


async def test_not_all_failures_of_the_world_are_remembered(
    ignorant: tuple[Resolver, Names], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_FAILURES", 2)
    resolver, none = ignorant

    for host in ("a", "b", "c", "b", "a"):
        await fails(resolver, host)

    assert none.asked == ["a", "b", "c", "a"]


async def test_a_name_server_that_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(names, "_SECONDS", 0.1)
    answer = threading.Event()

    def look_up(host: str, port: int) -> Sequence[AddressInfo]:
        answer.wait(5)
        return v4("127.0.0.1")(host, port)

    async with open_resolver(look_up) as resolver:
        assert await fails(resolver) == socket.EAI_AGAIN
        answer.set()


async def test_names_are_not_looked_up_where_others_work() -> None:
    """The event loop's own threads unpack bodies; look-ups that hang must not hold them."""
    answer = threading.Event()

    def look_up(host: str, port: int) -> Sequence[AddressInfo]:
        answer.wait(5)
        return v4("127.0.0.1")(host, port)

    async with open_resolver(look_up) as resolver:
        waiting = [asyncio.create_task(resolver.resolve(str(n), 80)) for n in range(20)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(asyncio.to_thread(lambda: 42), 2) == 42
        answer.set()
        assert len(await asyncio.gather(*waiting)) == 20


async def test_the_system_knows_this_machine() -> None:
    async with open_resolver() as resolver:
        assert "127.0.0.1" in {each["host"] for each in await resolver.resolve("localhost", 80)}
