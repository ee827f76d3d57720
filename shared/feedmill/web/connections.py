"""The one session of a process, and the guard at every connection it opens."""

import resource
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader

from feedmill.config import Network
from feedmill.web.addresses import may_connect
from feedmill.web.failures import AddressForbiddenError, HungUpError, TooManyHintsError
from feedmill.web.names import LookUp, ask_system, open_resolver

# Real sites send security policies of 20 KB in one header, and dozens of headers.
_HEADER_BYTES = 32_768
_HEADERS = 128
_CONNECTIONS = 500
# For these, as many idle ones, and all else a process opens; many systems stop at 1,024.
_FILES = 4_096
# `100 Continue`, `103 Early Hints`: no server has more than one or two to give.
_HINTS = 8
_INTERIM = range(100, 200)
# Servers close idle connections themselves, most of them soon after this.
_IDLE_SECONDS = 15
_NAMES_SECONDS = 60
_NAMES = 10_000


class _Response(aiohttp.ClientResponse):
    """An answer that comes after few hints.

    The library takes any number of interim answers (1xx) without giving way to anybody, so a server
    that sends nothing else could hold up the whole process.
    """

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        protocol = connection.protocol
        assert protocol is not None  # noqa: S101 - for the type checker: it was connected just now
        hints = 0

        async def read() -> tuple[RawResponseMessage, StreamReader]:
            nonlocal hints
            message, payload = await ResponseHandler.read(protocol)
            hints += message.code in _INTERIM
            if hints > _HINTS:
                raise TooManyHintsError
            return message, payload

        protocol.read = read  # type: ignore[method-assign]  # the library offers no other place
        return await super().start(connection)


@dataclass(slots=True)
class Attempt:
    """What became of one attempt at a request, on the connection's side."""

    reused: bool = False


@asynccontextmanager
async def open_session(
    allowed_networks: Sequence[Network], look_up: LookUp = ask_system
) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session without memory: no cookies, no proxy or password from the environment."""
    _make_room()
    async with open_resolver(look_up) as resolver:
        connector = aiohttp.TCPConnector(
            # Building one costs 50 ms of CPU: once per process, not once per host.
            ssl=ssl.create_default_context(),
            socket_factory=guard(allowed_networks),
            resolver=resolver,
            limit=_CONNECTIONS,
            keepalive_timeout=_IDLE_SECONDS,
            ttl_dns_cache=_NAMES_SECONDS,
            dns_cache_max_size=_NAMES,
        )
        async with aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            max_line_size=_HEADER_BYTES,
            max_field_size=_HEADER_BYTES,
            max_headers=_HEADERS,
            response_class=_Response,
            middlewares=[_ask_once],
            trace_configs=[_watch()],
        ) as session:
            yield session


def guard(allowed_networks: Sequence[Network]) -> Callable[[aiohttp.AddrInfoType], socket.socket]:
    """Return a maker of sockets that judges the very address about to be connected to.

    Nothing comes between its verdict and the connection: no second look-up that answers
    differently, no spelling that only a resolver understands.
    """

    def open_socket(candidate: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, address = candidate
        if not may_connect(str(address[0]), int(address[1]), allowed_networks):
            raise AddressForbiddenError
        return socket.socket(family, kind, protocol)

    return open_socket


def _make_room() -> None:
    # A site would get the blame for the socket that could not be opened.
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    if now != resource.RLIM_INFINITY and now < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def _ask_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep the library from asking again whoever hung up; when to do that is not its decision."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
        # The library puts the beginning of the answer, if there was one, where the message goes.
        message = getattr(error, "message", "")
        raise HungUpError(began=not isinstance(message, str)) from error


def _watch() -> aiohttp.TraceConfig:
    async def note(
        _: aiohttp.ClientSession,
        context: SimpleNamespace,
        __: aiohttp.TraceConnectionReuseconnParams,
    ) -> None:
        context.trace_request_ctx.reused = True

    config = aiohttp.TraceConfig()
    config.on_connection_reuseconn.append(note)
    return config
