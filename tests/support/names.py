"""Names that lead where a test wants them."""

import socket
from collections.abc import Callable, Sequence

from feedmill.web.names import AddressInfo

Found = Callable[[str, int], Sequence[AddressInfo]]


class Names:
    """What a name server says: the same to everybody, or one thing after the other.

    Parameters
    ----------
    found
        Addresses, all of them in one answer; or an error.
    """

    def __init__(self, *found: Found | Exception) -> None:
        self._found = found
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> Sequence[AddressInfo]:
        self.asked.append(host)
        answer: list[AddressInfo] = []
        for each in self._found:
            if isinstance(each, Exception):
                raise each
            answer += each(host, port)
        return answer


def v4(address: str) -> Found:
    def found(_: str, port: int) -> Sequence[AddressInfo]:
        kind, protocol = socket.SOCK_STREAM, socket.IPPROTO_TCP
        return [(socket.AF_INET, kind, protocol, "", (address, port))]

    return found


def v6(address: str) -> Found:
    def found(_: str, port: int) -> Sequence[AddressInfo]:
        kind, protocol = socket.SOCK_STREAM, socket.IPPROTO_TCP
        return [(socket.AF_INET6, kind, protocol, "", (address, port, 0, 0))]

    return found
