"""Which addresses may be asked: judged once as text, and again for every address connected to.

`ipaddress.is_global` is no judge: depending on Python's release it calls metadata services, NAT64 of
loopback and multicast global. The lists here are explicit, from the IANA special-purpose registries
and the clouds' own metadata addresses.
"""

import re
from collections.abc import Sequence
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv6Address,
    ip_address,
    ip_network,
)
from urllib.parse import quote, urlsplit

import idna

from feedmill.config import Network
from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason

Address = IPv4Address | IPv6Address

# The web, and what people put in front of it. Anything else is somebody's mail, shell or database.
PORTS = frozenset({80, 443, 8080, 8443})

_LAST_PORT = 65_535
_DEFAULT_PORTS = {"http": 80, "https": 443}

_FORBIDDEN_V4 = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's wire server: inside public space, reachable from every VM.
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_PUBLIC_V6 = ip_network("2000::/3")
_FORBIDDEN_V6 = tuple(
    ip_network(network)
    # Only what lies inside 2000::/3; everything outside it is forbidden anyway.
    for network in ("2001::/23", "2001:db8::/32", "3fff::/20")
)
# A translator on the way would carry these to the IPv4 address inside them.
_NAT64 = ip_network("64:ff9b::/96")
_6TO4 = ip_network("2002::/16")

# Names that public DNS never answers (RFC 6761, 6762, 8375 and ICANN's `.internal`).
_PRIVATE_NAMES = ("localhost", "localdomain", "local", "internal", "home.arpa")

# Controls, space, backslash (which browsers read as a slash) and halves of characters.
_FORBIDDEN_CHARACTERS = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ud800-\udfff]")
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[^\[\]@:/?#]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<rest>[/?][^#]*)?"
    r"(?:#.*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_HOST_CHARACTERS = 253
_V4_PARTS = 4
_BYTE = 256
_PRINTABLE = "".join(chr(code) for code in range(0x21, 0x7F))


def check_url(url: str, allowed_networks: Sequence[Network] = ()) -> str:
    """Return `url` the way it is asked for, if it may be asked for at all.

    Scheme and host become lower case, the host ASCII, a default port and the fragment go; path and
    query stay as they are, byte for byte. A name is judged again by the address it leads to, when
    the connection is made.

    Parameters
    ----------
    allowed_networks
        Private networks that may be asked after all, on any port.

    Raises
    ------
    UrlRefusedError
        `reason` is URL_INVALID or ADDRESS_FORBIDDEN.
    """
    if _FORBIDDEN_CHARACTERS.search(url):
        raise _invalid("contains a space, a backslash or a control character")
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _invalid("is not http(s)://host/…, without user or password")
    scheme = parts["scheme"].lower()
    host = _normal_host(parts["host"])
    default_port = _DEFAULT_PORTS[scheme]
    port = int(parts["port"]) if parts["port"] else default_port
    if not 0 < port <= _LAST_PORT:
        raise _invalid("names a port that does not exist")
    _check_host(host, port, allowed_networks)
    shown_host = f"[{host}]" if ":" in host else host
    shown_port = "" if port == default_port else f":{port}"
    return f"{scheme}://{shown_host}{shown_port}{_rest(parts['rest'])}"


def may_connect(address: str, port: int, allowed_networks: Sequence[Network] = ()) -> bool:
    """Tell whether a connection to this address and port may be opened."""
    parsed = ip_address(address)
    if _lies_within(parsed, allowed_networks):
        return True
    return port in PORTS and not is_forbidden(parsed)


def is_forbidden(address: Address, allowed_networks: Sequence[Network] = ()) -> bool:
    """Tell whether an address is private, reserved or a way around being so.

    IPv6 addresses that stand for an IPv4 one (mapped, NAT64, 6to4) are judged by that one.
    """
    if _lies_within(address, allowed_networks):
        return False
    inner = _inner(address)
    if isinstance(inner, IPv4Address):
        return any(inner in network for network in _FORBIDDEN_V4)
    return inner not in _PUBLIC_V6 or any(inner in network for network in _FORBIDDEN_V6)


def literal_address(host: str) -> Address | None:
    """Return the address a host spells, None if it is a name. Hosts as `check_url` returns them."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        return None


def _lies_within(address: Address, networks: Sequence[Network]) -> bool:
    inner = _inner(address)
    return any(address in network or inner in network for network in networks)


def _inner(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _6TO4:
        return IPv4Address((int(address) >> 80) & 0xFFFF_FFFF)
    return address


def _check_host(host: str, port: int, allowed_networks: Sequence[Network]) -> None:
    address = literal_address(host)
    if address is None:
        # Whether a name leads into an allowed network shows when it is connected to.
        allowed = bool(allowed_networks) or (port in PORTS and not _is_private_name(host))
    else:
        allowed = may_connect(str(address), port, allowed_networks)
    if not allowed:
        raise UrlRefusedError(
            f"{host} port {port} is private or reserved", reason=Reason.ADDRESS_FORBIDDEN
        )


def _is_private_name(host: str) -> bool:
    return any(host == name or host.endswith(f".{name}") for name in _PRIVATE_NAMES)


def _normal_host(host: str) -> str:
    if host.startswith("["):
        return _v6(host[1:-1])
    name = _ascii(host).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _HOST_CHARACTERS or not all(_LABEL.fullmatch(label) for label in labels):
        raise _invalid("names no host that could exist")
    # Resolvers read `127.1`, `0x7f.1` and `2130706433` as addresses, so we do too.
    return _v4(labels) if _NUMBER.fullmatch(labels[-1]) else name


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise _invalid("names no host that could exist") from error


def _v6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except AddressValueError as error:
        raise _invalid("is no IPv6 address") from error


def _v4(labels: Sequence[str]) -> str:
    if len(labels) > _V4_PARTS:
        raise _invalid("is no IPv4 address")
    try:
        *leading, last = [_number(label) for label in labels]
        # The last part fills all bytes that the others leave.
        if any(part >= _BYTE for part in leading) or last >= _BYTE ** (_V4_PARTS - len(leading)):
            raise _invalid("is no IPv4 address")
    except ValueError as error:
        raise _invalid("is no IPv4 address") from error
    shifted = sum(part << (24 - 8 * index) for index, part in enumerate(leading))
    return str(IPv4Address(shifted + last))


def _number(label: str) -> int:
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") and len(label) > 1 else 10)


def _rest(rest: str | None) -> str:
    if not rest:
        return "/"
    path = rest if rest.startswith("/") else f"/{rest}"
    return path if path.isascii() else quote(path, safe=_PRINTABLE)


def _invalid(problem: str) -> UrlRefusedError:
    return UrlRefusedError(f"the address {problem}", reason=Reason.URL_INVALID)


def host_of(url: str) -> str:
    """Return the name under which requests to a URL's host are spaced.

    Ports of a named host are one site. A bare address is a machine, often with several unrelated
    servers on it (an intranet, a laptop), so its port counts. URLs as `check_url` returns them.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").removesuffix(".")
    if literal_address(host) is None or parts.port is None:
        return host
    return f"{host}:{parts.port}"
