"""Whether a container has started, is ready and is alive, asked the way its probes say."""

import http.client
import socket
import time
from contextlib import closing
from typing import Protocol

from lab.chart import Manifest


class Probed(Protocol):
    """What probes need of a pod."""

    address: str

    def port(self, port: str | int) -> int: ...

    def restart(self, container: Manifest) -> None: ...


class Probes:
    """Startup, then readiness and liveness, each in its period."""

    def __init__(self, pod: Probed, container: Manifest) -> None:
        self._pod = pod
        self._container = container
        self._begin()

    def look(self) -> bool:
        """Ask what is due; return whether the container is ready."""
        if not self._started:
            if self._fails("startupProbe"):
                self._restart()
            return False
        if self._fails("livenessProbe"):
            self._restart()
            return False
        self._fails("readinessProbe")
        return self._started and self._ready

    def _begin(self) -> None:
        self._started = "startupProbe" not in self._container
        self._ready = "readinessProbe" not in self._container
        self._failed: dict[str, int] = {}
        self._due: dict[str, float] = {}

    def _restart(self) -> None:
        self._pod.restart(self._container)
        self._begin()

    def _fails(self, name: str) -> bool:
        """Ask one probe if it is due; return whether it has failed often enough."""
        probe = self._container.get(name)
        now = time.monotonic()
        if probe is None or now < self._due.get(name, 0):
            return False
        self._due[name] = now + probe.get("periodSeconds", 10)
        if self._answers(probe):
            self._failed[name] = 0
            self._note(name, well=True)
            return False
        self._failed[name] = self._failed.get(name, 0) + 1
        if self._failed[name] < probe.get("failureThreshold", 3):
            return False
        self._note(name, well=False)
        return True

    def _note(self, name: str, *, well: bool) -> None:
        if name == "readinessProbe":
            self._ready = well
        elif name == "startupProbe":
            self._started = well

    def _answers(self, probe: Manifest) -> bool:
        seconds = probe.get("timeoutSeconds", 1)
        address = self._pod.address
        try:
            if "tcpSocket" in probe:
                port = self._pod.port(probe["tcpSocket"]["port"])
                socket.create_connection((address, port), seconds).close()
                return True
            asked = probe["httpGet"]
            port = self._pod.port(asked["port"])
            with closing(http.client.HTTPConnection(address, port, timeout=seconds)) as connection:
                connection.request("GET", asked["path"])
                return connection.getresponse().status < http.HTTPStatus.BAD_REQUEST
        except (OSError, http.client.HTTPException):
            return False
