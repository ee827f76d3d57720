"""One pod, run by podman the way a kubelet would: environment, volumes, confinement, probes, end."""

import re
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.chart import CHART, Manifest
from lab.podman import LABEL, inspect, podman, try_podman
from lab.probes import Probes

_UNITS = {"": 1, "m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_KILLED = 137
_LOOK_SECONDS = 0.1

Lookup = Callable[[str, str], Mapping[str, str]]
"""Returns the data of a ConfigMap or Secret by its kind and name."""


@dataclass(frozen=True)
class Place:
    """Where pods run: their network, the names they know, and a folder for their volumes."""

    network: str
    hosts: Callable[[], Mapping[str, str]]
    lookup: Lookup
    folder: Path


def quantity(text: str) -> float:
    """Return the number that a quantity like `512Mi` or `100m` is."""
    found = re.fullmatch(r"([\d.]+)(m|Ki|Mi|Gi)?", str(text))
    if found is None:
        raise ValueError(f"{text!r} is no quantity that the lab knows")
    return float(found[1]) * _UNITS[found[2] or ""]


def _seccomp(security: Manifest) -> list[str]:
    # What a node has in its folder of profiles lies beside the chart.
    profile = security.get("seccompProfile", {}).get("localhostProfile")
    return [f"--security-opt=seccomp={CHART.parent / Path(profile).name}"] if profile else []


class Pod:
    """Runs from `start` to `stop`.

    Attributes
    ----------
    ready
        Whether its probes say so; a container without probes is ready once it runs.
    exit_codes
        How its containers ended, once it was stopped.
    """

    def __init__(
        self, place: Place, name: str, pod: Manifest, *, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self.labels: dict[str, str] = pod["metadata"].get("labels", {})
        self.spec: dict[str, Any] = pod["spec"]
        self.address = ""
        self.ready = False
        self.stopping = False
        self.restarts = 0
        self.exit_codes: dict[str, int] = {}
        self._place = place
        self._changed = changed

    def start(self) -> None:
        """Put it on the network, let `changed` know, and only then run it."""
        hosts = [f"--add-host={name}:{ip}" for name, ip in self._place.hosts().items()]
        podman(
            *("pod", "create", "--name", self.name, "--hostname", self.name[:63]),
            *("--network", self._place.network, "--label", LABEL, "--share", "net,uts,ipc"),
            *hosts,
        )
        podman("pod", "start", self.name)
        infra = inspect("container", inspect("pod", self.name)["InfraContainerID"])
        self.address = infra["NetworkSettings"]["Networks"][self._place.network]["IPAddress"]
        self._changed()
        for container in self.spec["containers"]:
            self._run(container)

    def supervise(self) -> None:
        """Ask its probes until it is stopped, as a thread of its own."""
        probes = [Probes(self, container) for container in self.spec["containers"]]
        threading.Thread(target=self._watch, args=(probes,), daemon=True).start()

    def wait(self, seconds: float = 300) -> int:
        """Wait until its only container has ended, and return how."""
        (container,) = self.spec["containers"]
        return int(podman("wait", self.container(container), seconds=seconds).split()[0])

    def stop(self) -> None:
        """preStop, SIGTERM, and SIGKILL once its grace period is over; then nothing is left of it."""
        self.stopping, self.ready = True, False
        self._changed()
        deadline = time.monotonic() + self.spec.get("terminationGracePeriodSeconds", 30)
        for container in self.spec["containers"]:
            before = container.get("lifecycle", {}).get("preStop", {}).get("exec")
            if before:
                try_podman("exec", self.container(container), *before["command"])
            left = max(1, int(deadline - time.monotonic()))
            try_podman("stop", "--time", left, self.container(container), seconds=left + 30)
            state = inspect("container", self.container(container))["State"]
            self.exit_codes[container["name"]] = state["ExitCode"]
        self.remove()

    def remove(self) -> None:
        """Leave nothing of it, whatever it does."""
        # No rule may be about an address that the next pod is given.
        self.address = ""
        self._changed()
        try_podman("pod", "rm", "--force", "--time", 1, self.name)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def was_killed(self) -> bool:
        """Whether a container of it did not end by itself in time."""
        return _KILLED in self.exit_codes.values()

    def kill(self) -> None:
        """End its processes without a warning, as a node does that loses its power."""
        for container in self.spec["containers"]:
            podman("kill", "--signal", "KILL", self.container(container))

    def exec(self, *command: str) -> tuple[int, str]:
        """Run something inside it; return its exit code and what it printed."""
        return try_podman("exec", self.container(self.spec["containers"][0]), *command)

    def logs(self) -> str:
        return "".join(
            try_podman("logs", self.container(container))[1]
            for container in self.spec["containers"]
        )

    def port(self, port: str | int) -> int:
        """Return the number of a port that a container of it names."""
        named = {
            each["name"]: each["containerPort"]
            for container in self.spec["containers"]
            for each in container.get("ports", [])
        }
        return int(named.get(port, port))

    def container(self, container: Manifest) -> str:
        return f"{self.name}_{container['name']}"

    def environment(self, container: Manifest) -> dict[str, str]:
        """Return what a container finds in its environment."""
        found: dict[str, str] = {}
        for source in container.get("envFrom", []):
            found |= self._place.lookup("ConfigMap", source["configMapRef"]["name"])
        for variable in container.get("env", []):
            secret = variable.get("valueFrom", {}).get("secretKeyRef")
            found[variable["name"]] = (
                self._place.lookup("Secret", secret["name"])[secret["key"]]
                if secret
                else variable["value"]
            )
        return found

    def restart(self, container: Manifest) -> None:
        self.restarts += 1
        try_podman("restart", "--time", 5, self.container(container))

    def _run(self, container: Manifest) -> None:
        environment = self.environment(container)
        command = container.get("command", [])
        restart = "no" if self.spec.get("restartPolicy") == "Never" else "always"
        podman(
            *("run", "--detach", "--pod", self.name, "--name", self.container(container)),
            *("--pull", "never", "--restart", restart, "--label", LABEL, "--no-healthcheck"),
            *self._confinement(container),
            *self._volumes(container),
            *(f"--env={name}" for name in environment),
            *(("--entrypoint", command[0]) if command else ()),
            container["image"],
            *command[1:],
            *container.get("args", []),
            env=environment,
        )

    def _confinement(self, container: Manifest) -> list[str]:
        pod, own = self.spec["securityContext"], container["securityContext"]
        limits = container.get("resources", {}).get("limits", {})
        return [
            f"--user={pod['runAsUser']}:{pod['runAsGroup']}",
            f"--group-add={pod['fsGroup']}",
            *(f"--cap-drop={name}" for name in own["capabilities"]["drop"]),
            *(["--security-opt=no-new-privileges"] if not own["allowPrivilegeEscalation"] else []),
            *_seccomp(own),
            *(["--read-only", "--read-only-tmpfs=false"] if own["readOnlyRootFilesystem"] else []),
            *([f"--memory={int(quantity(limits['memory']))}"] if "memory" in limits else []),
        ]

    def _volumes(self, container: Manifest) -> list[str]:
        volumes = {volume["name"]: volume for volume in self.spec.get("volumes", [])}
        return [
            self._volume(volumes[mount["name"]], mount["mountPath"])
            for mount in container.get("volumeMounts", [])
        ]

    def _volume(self, volume: Manifest, path: str) -> str:
        folder = self._folder / volume["name"]
        if "configMap" in volume:
            return f"--volume={self._filled(folder, volume['configMap']['name'])}:{path}:ro"
        empty = volume["emptyDir"]
        size = int(quantity(empty["sizeLimit"]))
        if empty.get("medium") == "Memory":
            return f"--tmpfs={path}:rw,nosuid,nodev,mode=1777,size={size}"
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        return f"--volume={folder}:{path}:rw"

    def _filled(self, folder: Path, config_map: str) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in self._place.lookup("ConfigMap", config_map).items():
            (folder / name).write_text(text)
        return folder

    @property
    def _folder(self) -> Path:
        return self._place.folder / self.name

    def _watch(self, probes: list[Probes]) -> None:
        while not self.stopping:
            looks = [each.look() for each in probes]
            ready = all(looks)
            if ready != self.ready and not self.stopping:
                self.ready = ready
                self._changed()
            time.sleep(_LOOK_SECONDS)
