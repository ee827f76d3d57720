"""Which loopback port each part listens on."""

import itertools
import socket
from collections.abc import Callable, Mapping

from feedmill.errors import SettingsError

GATEWAY = "gateway"
POSTGRES = "postgres"
TEMPORAL = "temporal"
TEMPORAL_HTTP = "temporal-http"
TEMPORAL_METRICS = "temporal-metrics"
TEMPORAL_UI = "temporal-ui"

USUAL: Mapping[str, int] = {
    GATEWAY: 8420,
    POSTGRES: 5433,
    TEMPORAL: 7233,
    TEMPORAL_HTTP: 7243,
    TEMPORAL_UI: 8233,
    TEMPORAL_METRICS: 9406,
    "ingestion-telemetry": 9401,
    "fetch-telemetry": 9402,
    "distillation-telemetry": 9403,
    "orchestrator-telemetry": 9404,
    "gateway-telemetry": 9405,
    "fetch-browser-telemetry": 9407,
}

# From 32768 on the kernel hands ports out by itself, so one of those may be gone when its part starts.
_FIRST_EPHEMERAL = 32_768
# How far the ports of two fleets are apart: no multiple of it leads from one usual port to another.
_APART = 520
# Keeps last digits, and so neighbours in their order: 9401 becomes 9411.
_STEP = 10


def choose_ports(
    *,
    former: Mapping[str, int],
    asked: Mapping[str, int],
    is_free: Callable[[int], bool],
    fleet_number: int = 0,
) -> dict[str, int]:
    """Give every part a port of its own.

    Parameters
    ----------
    former
        What the parts had last time: kept where still free, so that bookmarks go on working.
    asked
        What a setting names; no other port will do.
    is_free
        Whether nobody listens on a port.
    fleet_number
        Fleets with different numbers share no usual port. Those with the same may take each other's:
        a part that is just being started again listens on none.

    Raises
    ------
    SettingsError
        A port that was asked for is taken.
    """
    for name, port in asked.items():
        if not is_free(port):
            raise SettingsError(f"FEEDMILL_{name.upper()}_PORT: somebody listens on {port} already")
    chosen = dict(asked)
    for name, usual in USUAL.items():
        if name not in chosen:
            chosen[name] = _choose(usual + _APART * fleet_number, former.get(name), chosen, is_free)
    return chosen


def _choose(
    usual: int, former: int | None, taken: Mapping[str, int], is_free: Callable[[int], bool]
) -> int:
    candidates = itertools.chain([former or usual], range(usual, _FIRST_EPHEMERAL, _STEP))
    return next(port for port in candidates if port not in taken.values() and is_free(port))


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        # As servers do it: a connection that still lingers there is no obstacle, a listener is.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
