"""The gateway on a loopback port, and a client that reads its streams."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp import ClientHandlerType, ClientRequest, ClientResponse, ClientSession, CookieJar
from temporalio.client import Client

from feedmill.config import Network
from feedmill.store import Store
from feedmill_gateway.app import create_app
from feedmill_gateway.codec import CodecEndpoint
from feedmill_gateway.listener import open_bell
from feedmill_gateway.lists.importing import ListReader
from feedmill_gateway.pages import Pages
from feedmill_gateway.reextractions import Reextractions
from feedmill_gateway.runs import Runs
from feedmill_gateway.server import build_server, serve
from support.programs import free_port

TOKEN = "a-token-of-enough-characters"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class RunningGateway:
    """A gateway that answers at `url` until it is told to drain."""

    def __init__(self, url: str, stopping: asyncio.Event) -> None:
        self.url = url
        self.stopping = stopping


@asynccontextmanager
async def running_gateway(
    store: Store,
    temporal: Client,
    database_url: str,
    networks: tuple[Network, ...] = (),
    codec: CodecEndpoint | None = None,
) -> AsyncIterator[RunningGateway]:
    """Serve the gateway as its process does, while the block lasts."""
    async with open_bell(database_url) as bell:
        app = create_app(
            store=store,
            runs=Runs(temporal),
            reextractions=Reextractions(temporal),
            bell=bell,
            networks=networks,
            list_reader=ListReader(),
            pages=Pages(),
            codec=codec,
        )
        port = free_port()
        server = build_server(app, "127.0.0.1", port, drain_seconds=5)
        stopping = asyncio.Event()
        serving = asyncio.create_task(serve(server, bell, stopping))
        while not server.started:
            await asyncio.sleep(0.01)
        try:
            yield RunningGateway(f"http://127.0.0.1:{port}", stopping)
        finally:
            stopping.set()
            await serving


def browser(url: str) -> ClientSession:
    """Return a client that keeps cookies, as a browser does."""
    return ClientSession(url, cookie_jar=CookieJar(unsafe=True), middlewares=(_read_whole,))


def client(url: str) -> ClientSession:
    """Return a client that sends the owner's token."""
    return ClientSession(url, headers=BEARER, middlewares=(_read_whole,))


async def _read_whole(request: ClientRequest, ask: ClientHandlerType) -> ClientResponse:
    # What a test leaves unread would keep its connection, and fail some later test.
    answer = await ask(request)
    if answer.content_type != "text/event-stream":
        await answer.read()
    return answer


class Message(NamedTuple):
    event: str
    data: Any
    id: int | None = None


async def messages(answer: ClientResponse) -> AsyncIterator[Message]:
    """Yield what a stream sends, comments left out, until it ends."""
    fields: dict[str, str] = {}
    async for raw in answer.content:
        line = raw.decode().rstrip("\n")
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "event" in fields:
                yield _message(fields)
            fields = {}


async def take(answer: ClientResponse, count: int) -> list[Message]:
    """Return the next messages of a stream."""
    taken: list[Message] = []
    async with asyncio.timeout(20):
        async for message in messages(answer):
            taken.append(message)
            if len(taken) == count:
                break
    return taken


async def take_all(answer: ClientResponse) -> list[Message]:
    """Return what a stream sends until it ends."""
    async with asyncio.timeout(20):
        return [message async for message in messages(answer)]


def _message(fields: dict[str, str]) -> Message:
    number = fields.get("id")
    return Message(fields["event"], json.loads(fields["data"]), int(number) if number else None)
