"""A cluster of one machine: what controllers and a kubelet make of the objects in the API."""

import hashlib
import json
import threading
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from lab.api import Api, Key
from lab.chart import Manifest, load, name_of
from lab.kubelet import Place, Pod
from lab.network import Network
from lab.podman import PodmanError
from lab.statuses import deployment_status, job_status, pod_status

_LOOK_SECONDS = 0.2
_JOB_TRIES = 3
_ATTEMPTS_SECONDS = 1.0


class _Member(Pod):
    """A pod, the name of its Deployment or the uid of its Job, and which of its templates it came from."""

    owner: str
    template: str


class Cluster:
    """Runs what is in an API, from `start` to `stop`.

    Attributes
    ----------
    fewest_ready
        By Deployment: how many of its pods were ready at the worst moment of a rollout.
    killed
        Names of pods that did not end within their grace period.
    """

    def __init__(self, api: Api, name: str, namespace: str, folder: Path) -> None:
        self.api = api
        self.namespace = namespace
        self.fewest_ready: dict[str, int] = {}
        self.killed: list[str] = []
        self.problems: list[str] = []
        self._pods: dict[str, _Member] = {}
        self._begun: set[str] = set()
        self._numbers = count()
        self._network = Network(name, namespace, api.of_kind, lambda: list(self._pods.values()))
        self._place = Place(name, self._network.hosts, api.data, folder)
        self._running = True

    def start(self) -> None:
        self._network.open()
        threading.Thread(target=self._reconcile_for_ever, daemon=True).start()

    def stop(self) -> None:
        """End everything that is left, at once."""
        self._running = False
        time.sleep(2 * _LOOK_SECONDS)
        for pod in list(self._pods.values()):
            pod.stopping = True
            pod.remove()
        self._network.close()

    def apply(self, text: str) -> None:
        """Create what a file of manifests says."""
        for manifest in load(text):
            self.api.apply(manifest)

    def address(self, service: str) -> str:
        """Return the address of a Service."""
        return self._network.addresses[service]

    def pods(self, owner: str = "") -> list[Pod]:
        """Return the pods of a Deployment, or all, that are not being stopped."""
        return [
            pod
            for pod in list(self._pods.values())
            if not pod.stopping and owner in {"", pod.owner}
        ]

    def all_pods(self) -> list[Pod]:
        """Return every pod that is there, those that are being stopped included."""
        return list(self._pods.values())

    def scale(self, deployment: str, replicas: int) -> None:
        """Say how many pods a Deployment has from now on, as an autoscaler does."""
        (found,) = [each for each in self.api.of_kind("Deployment") if name_of(each) == deployment]
        self.api.apply({**found, "spec": {**found["spec"], "replicas": replicas}})

    def lose(self, pod: Pod) -> None:
        """End a pod without a word, as when its node loses power; another one takes its place."""
        pod.stopping = True
        pod.kill()
        pod.remove()
        self._pods.pop(pod.name, None)

    def is_settled(self) -> bool:
        """Whether every Deployment has as many pods as it wants, of its newest template, and ready."""
        return all(
            sum(pod.ready and pod.template == _template(each) for pod in self._members(each))
            == _wanted(each)
            == len(self._members(each))
            for each in self.api.of_kind("Deployment")
        )

    def until_settled(self, seconds: float = 120) -> None:
        deadline = time.monotonic() + seconds
        while not self.is_settled():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not settled: {self._unready()}")
            time.sleep(_LOOK_SECONDS)

    def targets(self) -> list[Manifest]:
        """Return whom the PodMonitors want read, the way Prometheus takes it from a file."""
        return [
            {
                "targets": [f"{pod.address}:{pod.port(endpoint['port'])}"],
                "labels": {
                    "namespace": self.namespace,
                    "pod": pod.name,
                    "component": pod.labels["app.kubernetes.io/component"],
                    "__metrics_path__": endpoint["path"],
                },
            }
            for monitor in self.api.of_kind("PodMonitor")
            for pod in self.pods()
            if pod.address
            and monitor["spec"]["selector"]["matchLabels"].items() <= pod.labels.items()
            and "restartPolicy" not in pod.spec
            for endpoint in monitor["spec"]["podMetricsEndpoints"]
        ]

    def _unready(self) -> dict[str, str]:
        return {pod.name: pod.logs()[-600:] for pod in self._pods.values() if not pod.ready}

    def _members(self, deployment: Manifest) -> list[_Member]:
        name = name_of(deployment)
        return [pod for pod in list(self._pods.values()) if pod.owner == name and not pod.stopping]

    def _reconcile_for_ever(self) -> None:
        while self._running:
            try:
                self._network.sync()
                self._reconcile()
            except (PodmanError, RuntimeError, LookupError) as error:
                self.problems.append(repr(error))
            time.sleep(_LOOK_SECONDS)

    def _reconcile(self) -> None:
        known = dict(self.api.objects)
        deployments = {key: each for key, each in known.items() if each["kind"] == "Deployment"}
        for key, deployment in deployments.items():
            self._roll(key, deployment)
        for key, manifest in known.items():
            if (
                manifest["kind"] in {"Job", "Pod"}
                and manifest["metadata"]["uid"] not in self._begun
            ):
                self._begun.add(manifest["metadata"]["uid"])
                _in_background(self._run_once, key, manifest)
        owners = {name_of(each) for each in deployments.values()} | {
            each["metadata"]["uid"] for each in known.values()
        }
        for pod in list(self._pods.values()):
            if pod.owner not in owners and not pod.stopping:
                self._end(pod)

    def _roll(self, key: Key, deployment: Manifest) -> None:
        """Take one step towards what a Deployment wants, and say how far it is."""
        pods, wanted = self._members(deployment), _wanted(deployment)
        new = [pod for pod in pods if pod.template == _template(deployment)]
        old = [pod for pod in pods if pod not in new]
        if old:
            name = name_of(deployment)
            ready = sum(pod.ready for pod in pods)
            self.fewest_ready[name] = min(ready, self.fewest_ready.get(name, ready))
        self._step(deployment, new, old, wanted)
        self.api.set_status(key, deployment_status(deployment, pods, new, wanted))

    def _step(
        self, deployment: Manifest, new: Sequence[_Member], old: Sequence[_Member], wanted: int
    ) -> None:
        useless = [pod for pod in old if not pod.ready]
        if len(new) < wanted and len(new) + len(old) <= wanted:
            self._begin(deployment)
        elif useless:
            self._end(useless[0])
        elif old and sum(pod.ready for pod in (*new, *old)) > wanted:
            self._end(old[0])
        elif len(new) > wanted:
            self._end(new[-1])

    def _begin(self, deployment: Manifest) -> None:
        template = deployment["spec"]["template"]
        name = f"{name_of(deployment)}-{_template(deployment)}-{next(self._numbers)}"
        pod = self._pod(name, template, name_of(deployment), _template(deployment))
        _in_background(self._start, pod)

    def _pod(self, name: str, pod: Manifest, owner: str, template: str = "") -> _Member:
        member = _Member(self._place, name, pod, changed=self._network.sync)
        member.owner, member.template = owner, template
        self._pods[name] = member
        return member

    def _start(self, pod: _Member) -> None:
        try:
            pod.start()
        except (PodmanError, LookupError) as error:
            # As a kubelet does: it is tried again, by making another one.
            self.problems.append(f"{pod.name}: {error}")
            pod.remove()
            time.sleep(_ATTEMPTS_SECONDS)
            self._pods.pop(pod.name, None)
        else:
            pod.supervise()

    def _end(self, pod: _Member) -> None:
        pod.stopping = True
        _in_background(self._stop, pod)

    def _stop(self, pod: _Member) -> None:
        try:
            pod.stop()
        except PodmanError as error:
            self.problems.append(f"{pod.name}: {error}")
            pod.remove()
        if pod.was_killed:
            self.killed.append(pod.name)
        self._pods.pop(pod.name, None)

    def _run_once(self, key: Key, manifest: Manifest) -> None:
        """Run a Job or a bare Pod to its end, and say how it ended."""
        is_job = manifest["kind"] == "Job"
        template = manifest["spec"]["template"] if is_job else manifest
        code = 1
        for attempt in range(_JOB_TRIES if is_job else 1):
            pod = self._pod(f"{name_of(manifest)}-{attempt}", template, manifest["metadata"]["uid"])
            code = self._run_pod(pod)
            if pod.stopping:
                return
            self._remove(pod)
            if code == 0:
                break
        self.api.set_status(key, job_status(code) if is_job else pod_status(code))

    def _run_pod(self, pod: _Member) -> int:
        problem = ""
        try:
            pod.start()
            if code := pod.wait():
                problem = f"exit {code}: {pod.logs()[-600:]}"
        except (PodmanError, LookupError) as error:
            problem, code = str(error), 1
        # One whose Job is gone was told to go: nobody waits for what it came to.
        if problem and not pod.stopping:
            self.problems.append(f"{pod.name}: {problem}")
        return code

    def _remove(self, pod: _Member) -> None:
        pod.stopping = True
        pod.remove()
        self._pods.pop(pod.name, None)


def _wanted(deployment: Manifest) -> int:
    replicas: int = deployment["spec"].get("replicas", 1)
    return replicas


def _template(deployment: Manifest) -> str:
    text = json.dumps(deployment["spec"]["template"], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def _in_background(work: object, *arguments: object) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()  # type: ignore[arg-type]
