"""What we ask of every pod: the restricted Pod Security Standard, and more of our own."""

import re
from collections.abc import Iterable, Iterator

from lab.chart import Manifest, containers_of, name_of, pod_of

_VOLUMES = frozenset({"configMap", "downwardAPI", "emptyDir", "projected", "secret"})
# Unless a container says something else, it has its pod's.
_SECCOMP = frozenset({None, "RuntimeDefault", "Localhost"})
_SERVES = frozenset({"Deployment", "WorkerDeployment", "StatefulSet"})
_PINNED = re.compile(r"[^/]+(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})")
_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")


def pod_problems(manifests: Iterable[Manifest]) -> list[str]:
    """Return what is wrong with the pods that these objects make."""
    return [
        f"{manifest['kind']}/{name_of(manifest)}: {problem}"
        for manifest in manifests
        if (pod := pod_of(manifest)) is not None
        for problem in (
            *_of_pod(pod),
            *_of_containers(pod),
            *(_of_probes(pod) if manifest["kind"] in _SERVES else ()),
        )
    ]


def _of_pod(pod: Manifest) -> Iterator[str]:
    spec = pod["spec"]
    security = spec.get("securityContext", {})
    if not security.get("runAsNonRoot") or not security.get("runAsUser"):
        yield "may run as root"
    if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if any(spec.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares a namespace of the host"
    if spec.get("automountServiceAccountToken") is not False:
        yield "gets a token for the API that it never uses"
    if spec.get("enableServiceLinks") is not False:
        yield "gets a variable for every Service"
    for volume in spec.get("volumes", []):
        kind = next(iter(set(volume) - {"name"}))
        if kind not in _VOLUMES:
            yield f"volume {volume['name']} is a {kind}"
        if kind == "emptyDir" and not volume[kind].get("sizeLimit"):
            yield f"volume {volume['name']} has no limit"


def _of_containers(pod: Manifest) -> Iterator[str]:
    for container in containers_of(pod):
        name = container["name"]
        security = container.get("securityContext", {})
        if security.get("allowPrivilegeEscalation") is not False:
            yield f"{name}: may gain privileges"
        if security.get("capabilities", {}) != {"drop": ["ALL"]}:
            yield f"{name}: has capabilities"
        if security.get("seccompProfile", {}).get("type") not in _SECCOMP:
            yield f"{name}: no seccomp profile"
        if security.get("readOnlyRootFilesystem") is not True:
            yield f"{name}: may write to its root"
        if not _PINNED.fullmatch(container["image"].rsplit("/", 1)[-1]):
            yield f"{name}: image {container['image']} is not pinned"
        yield from (f"{name}: {problem}" for problem in _of_resources(container))


def _of_resources(container: Manifest) -> Iterator[str]:
    resources = container.get("resources", {})
    for kind, resource in (("requests", "cpu"), ("requests", "memory"), ("limits", "memory")):
        if resource not in resources.get(kind, {}):
            yield f"no {resource} in {kind}"
    if "cpu" in resources.get("limits", {}):
        yield "a CPU limit, which makes pollers late"


def _of_probes(pod: Manifest) -> Iterator[str]:
    for container in pod["spec"]["containers"]:
        name = container["name"]
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in _PROBES:
            asked = container.get(probe, {}).get("httpGet", {})
            if not asked:
                yield f"{name}: no {probe}"
            elif asked["port"] not in ports:
                yield f"{name}: {probe} asks at {asked['port']}, which is no port of it"
            elif (asked["path"] == "/readyz") != (probe == "readinessProbe"):
                yield f"{name}: {probe} asks {asked['path']}"
        yield from (f"{name}: {problem}" for problem in _of_grace(pod, container))


def _of_grace(pod: Manifest, container: Manifest) -> Iterator[str]:
    drain = next(
        (int(v["value"]) for v in container["env"] if v["name"] == "FEEDMILL_DRAIN_SECONDS"), None
    )
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", "00")
    if drain is None:
        yield "is not told how long it drains"
    # A process ends itself five seconds after its drain.
    elif pod["spec"].get("terminationGracePeriodSeconds", 30) <= drain + int(sleep[-1]) + 5:
        yield "is killed before it has drained"
