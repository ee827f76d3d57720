"""C37: every hop and every resolved address is checked; nothing secret crosses origins."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill.web.addresses import check_url
from feedmill.web.answers import Answer, Refusal
from feedmill.web.client import WebClient, WebLimits, open_web
from feedmill.web.connections import guard
from feedmill.web.failures import AddressForbiddenError
from feedmill.web.names import AddressInfo
from support.names import Found, Names, v4, v6
from support.origin import Origin
from support.tls import Authority
from support.vectors import CONNECT, URL_AND_CONNECT, VECTORS, Vector
from support.web import always, get, web_settings
from support.wire import open_wire, redirecting, serving

# This machine's 127.0.0.2 plays the public internet, all its other addresses the inside.
PUBLIC = "127.0.0.2"
INSIDE = "127.0.0.1"

NAMES = {
    "localhost": "127.0.0.1",
    "localhost.": "127.0.0.1",
    "LOCALHOST": "127.0.0.1",
    "sub.localhost": "127.0.0.1",
    "metadata.google.internal": "169.254.169.254",
}
ANYWHERE = "93.184.215.14"


@pytest_asyncio.fixture(scope="module")
async def misled() -> AsyncIterator[WebClient]:
    """A client as it is by default, with every name leading inside."""
    async with open_web(web_settings(""), look_up=Names(v4(INSIDE))) as client:
        yield client


@asynccontextmanager
async def outside(*found: Found | Exception) -> AsyncIterator[WebClient]:
    """A client for which `PUBLIC` is the internet, and every name leads where it is told."""
    limits = WebLimits(total_seconds=3, connect_seconds=0.5)
    settings = web_settings(allowed=f"{PUBLIC}/32")
    async with open_web(settings, limits, look_up=Names(*found)) as client:
        yield client


def socket_address(url: str) -> tuple[str, int]:
    """What the system would connect to for a URL that is asked as it stands."""
    parts = urlsplit(url)
    host = url.split("/")[2].partition("%")[0].strip("[]")
    named = NAMES.get(host) or (host if parts.netloc.startswith("[") else parts.hostname or "")
    try:
        found = socket.getaddrinfo(named.rstrip("."), parts.port or 80, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ANYWHERE, parts.port or 80
    return str(found[0][4][0]), parts.port or 80


def candidate(
    address: str, port: int
) -> tuple[int, socket.SocketKind, int, str, tuple[str, int] | tuple[str, int, int, int]]:
    if ":" in address:
        return socket.AF_INET6, socket.SOCK_STREAM, 0, "", (address, port, 0, 0)
    return socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v.expect == "block" and not v.redirect], ids=str
)
async def test_c37_no_collected_trick_reaches_the_network(
    misled: WebClient, vector: Vector
) -> None:
    reply = await get(misled, vector.url)

    assert isinstance(reply, Refusal)
    assert reply.reason in {Reason.ADDRESS_FORBIDDEN, Reason.URL_INVALID}


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v.layer == CONNECT and v.expect == "block"], ids=str
)
def test_c37_the_guard_refuses_the_address_itself(vector: Vector) -> None:
    """As if nobody had looked at the text of the URL."""
    address, port = socket_address(vector.url)

    assert address != ANYWHERE
    with pytest.raises(AddressForbiddenError):
        guard(())(candidate(address, port))


@pytest.mark.parametrize(
    "vector", [v for v in VECTORS if v.layer == URL_AND_CONNECT and v.expect == "allow"], ids=str
)
def test_c37_what_is_public_may_be_connected_to(vector: Vector) -> None:
    checked = check_url(vector.url)
    address, port = socket_address(checked)

    guard(())(candidate(address, port)).close()


async def test_c37_a_name_that_is_public_when_judged_and_private_when_connected_to() -> None:
    answers = iter([v4(PUBLIC), v4(INSIDE)])

    def turned(host: str, port: int) -> Sequence[AddressInfo]:
        return next(answers)(host, port)

    names = Names(turned)
    async with (
        open_wire(serving(), address=INSIDE) as inside,
        open_web(web_settings(f"{PUBLIC}/32"), look_up=names) as client,
    ):
        url = inside.url("/", host="rebind.test")
        assert names("rebind.test", inside.port)[0][4][0] == PUBLIC
        reply = await get(client, url)

    assert isinstance(reply, Refusal)
    assert reply.reason is Reason.ADDRESS_FORBIDDEN
    assert inside.connections == 0


@pytest.mark.parametrize("order", [(INSIDE, PUBLIC), (PUBLIC, INSIDE)], ids=["first", "last"])
async def test_c37_of_a_mixed_answer_only_the_public_address_is_connected_to(
    order: tuple[str, str],
) -> None:
    async with (
        open_wire(serving(), address=PUBLIC) as public,
        open_wire(serving(), address=INSIDE, port=public.port) as inside,
        outside(*map(v4, order)) as client,
    ):
        reply = await get(client, public.url("/", host="multi.test"))

    assert isinstance(reply, Answer)
    assert (public.connections, inside.connections) == (1, 0)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param([v4("10.0.0.5")], id="a CNAME to an internal name"),
        pytest.param([v4("127.0.0.1")], id="nip.io"),
        pytest.param([v6("::1")], id="IPv6 loopback"),
        pytest.param([v6("::ffff:127.0.0.1")], id="mapped"),
        pytest.param([v6("64:ff9b::7f00:1")], id="translated"),
        pytest.param([v6("fe80::1"), v4("169.254.169.254")], id="both families"),
    ],
)
async def test_c37_a_name_that_leads_inside_is_refused(found: list[Found]) -> None:
    async with outside(*found) as client:
        reply = await get(client, "http://cname-internal.test/")

    assert isinstance(reply, Refusal)
    assert reply.reason is Reason.ADDRESS_FORBIDDEN


@pytest.mark.parametrize(
    "location",
    [v.redirect for v in VECTORS if v.expect == "block" and v.redirect]
    + [
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
        "http://192.168.0.1:8080/",
        "http://public.test:22/",
        "file:///etc/passwd",
        "data:text/xml,<rss/>",
        "javascript:alert(1)",
        "gopher://public.test/",
        "http://user:password@public.test/",
        "http://127.0.0.1\\@public.test/",
    ],
)
async def test_c37_a_redirect_is_judged_like_any_other_address(location: str) -> None:
    def found(host: str, port: int) -> Sequence[AddressInfo]:
        return v4(INSIDE if port == 22 else PUBLIC)(host, port)

    async with (
        open_wire(redirecting(location), address=PUBLIC) as public,
        outside(found) as client,
    ):
        reply = await get(client, public.url("/", host="public.test"))

    assert isinstance(reply, Refusal)
    assert reply.reason in {Reason.ADDRESS_FORBIDDEN, Reason.URL_INVALID}
    assert len(public.heads) == 1


async def test_c37_a_redirect_away_from_tls_is_followed_and_never_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = Authority(tmp_path, monkeypatch).server("public.test")
    async with open_wire(serving(), address=PUBLIC) as plain:
        end = plain.url("/", host="public.test")
        async with (
            open_wire(redirecting(end, 301), tls, address=PUBLIC) as secure,
            outside(v4(PUBLIC)) as client,
        ):
            reply = await get(client, secure.url("/", host="public.test"))

    assert isinstance(reply, Answer)
    assert (reply.url, reply.moved_to) == (end, None)


async def test_c37_a_form_is_never_sent_on_out_of_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls = Authority(tmp_path, monkeypatch).server("public.test")
    async with open_wire(serving(), address=PUBLIC) as plain:
        end = plain.url("/", host="public.test")
        async with (
            open_wire(redirecting(end, 307), tls, address=PUBLIC) as secure,
            outside(v4(PUBLIC)) as client,
        ):
            reply = await client.post_form(
                secure.url("/", host="public.test"),
                {"hub.secret": "s"},
                purpose="hub",
                admit=always,
            )

    assert isinstance(reply, Refusal)
    assert (reply.reason, plain.connections) == (Reason.HTTP_STATUS, 0)


async def test_c37_an_invitation_to_another_server_is_not_taken() -> None:
    invitation = b'Alt-Svc: h2=":%d"; ma=3600\r\n'
    async with open_wire(serving(), address=PUBLIC) as other:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + invitation % other.port + b"\r\n"
        async with (
            open_wire(serving(answer), address=PUBLIC) as public,
            outside(v4(PUBLIC)) as client,
        ):
            for _ in range(2):
                await get(client, public.url("/", host="public.test"))

    assert len(public.heads) == 2
    assert other.connections == 0


async def test_c37_no_password_of_this_machine_leaves_it(
    client: WebClient, origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "netrc"
    passwords.write_text("machine 127.0.0.1 login me password secret\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("NETRC", str(passwords))
    origin.serve("/a")

    await get(client, origin.url("/a"))

    assert "Authorization" not in origin.requests[0].headers


def test_c37_a_password_in_an_address_is_refused() -> None:
    with pytest.raises(UrlRefusedError):
        check_url("https://user:password@public.test/")
