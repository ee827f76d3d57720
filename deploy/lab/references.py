"""What manifests say of one another: names that exist, selectors that select, bounds that fit."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lab.chart import Manifest, containers_of, name_of, pod_of

_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?")
# What makes pods puts a hash behind its name, and pods get another.
_MAKER_CHARACTERS = 47
_SCALERS = ("ScaledObject", "HorizontalPodAutoscaler")


def reference_problems(manifests: Sequence[Manifest], *, secrets: Iterable[str] = ()) -> list[str]:
    """Return what does not fit together in one release.

    Parameters
    ----------
    secrets
        Names of Secrets that somebody else makes. None is the chart's own.
    """
    known = {(each["kind"], name_of(each)) for each in manifests}
    known |= {("Secret", name) for name in secrets}
    return [
        *_of_the_set(manifests),
        *(
            f"{manifest['kind']}/{name_of(manifest)}: {problem}"
            for manifest in manifests
            for problem in (
                *_of_head(manifest),
                *_of_needs(manifest, known),
                *_of_selectors(manifest, manifests),
                *_of_scaling(manifest, manifests),
            )
        ),
    ]


def _of_the_set(manifests: Sequence[Manifest]) -> Iterator[str]:
    counted = Counter((each["apiVersion"], each["kind"], name_of(each)) for each in manifests)
    yield from (f"rendered twice: {which}" for which, times in counted.items() if times > 1)
    if any(each["kind"] == "Secret" for each in manifests):
        yield "renders a Secret"


def _of_head(manifest: Manifest) -> Iterator[str]:
    metadata = manifest["metadata"]
    if not _NAME.fullmatch(metadata["name"]):
        yield "a name that is too long or no name"
    if pod_of(manifest) is not None and len(metadata["name"]) > _MAKER_CHARACTERS:
        yield "a name too long for its pods"
    if not metadata.get("namespace"):
        yield "no namespace"
    for key, value in metadata.get("labels", {}).items():
        if not _LABEL.fullmatch(str(value)):
            yield f"label {key} cannot be {value!r}"


def _of_needs(manifest: Manifest, known: set[tuple[str, str]]) -> Iterator[str]:
    pod = pod_of(manifest)
    if pod is None:
        return
    for kind, name in _needs(pod):
        if (kind, name) not in known:
            yield f"needs {kind} {name}, which is not there"
    volumes = {volume["name"] for volume in pod["spec"].get("volumes", [])}
    for container in containers_of(pod):
        if lost := {mount["name"] for mount in container.get("volumeMounts", [])} - volumes:
            yield f"mounts {sorted(lost)}, which are no volumes"
        names = Counter(variable["name"] for variable in container.get("env", []))
        if twice := [name for name, times in names.items() if times > 1]:
            yield f"sets {twice} twice"


def _needs(pod: Manifest) -> Iterator[tuple[str, str]]:
    if account := pod["spec"].get("serviceAccountName"):
        yield "ServiceAccount", account
    for volume in pod["spec"].get("volumes", []):
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
    for container in containers_of(pod):
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"]
        for variable in container.get("env", []):
            if secret := variable.get("valueFrom", {}).get("secretKeyRef"):
                yield "Secret", secret["name"]


def _of_selectors(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    spec, kind = manifest.get("spec", {}), manifest["kind"]
    if kind == "Deployment":
        labels = spec["template"]["metadata"]["labels"]
        if not spec["selector"]["matchLabels"].items() <= labels.items():
            yield "does not select its own pods"
    wanted = _selected_by(manifest)
    if wanted is None:
        return
    selected = [pod for pod in _pods(manifests) if wanted.items() <= _labels(pod).items()]
    if not selected:
        yield f"selects no pod: {wanted}"
    ports = {port["name"] for pod in selected for port in _ports(pod)}
    for name in _ports_wanted(manifest):
        if name not in ports:
            yield f"port {name} is on no pod that it selects"


def _selected_by(manifest: Manifest) -> dict[str, str] | None:
    """Return the labels of the pods that an object is about; None if it is about none."""
    spec = manifest.get("spec", {})
    found: dict[str, str] | None = None
    if manifest["kind"] == "Service":
        found = spec.get("selector")
    elif manifest["kind"] in {"PodDisruptionBudget", "PodMonitor"}:
        found = spec["selector"]["matchLabels"]
    elif manifest["kind"] == "NetworkPolicy":
        found = spec["podSelector"].get("matchLabels")
    return found


def _ports_wanted(manifest: Manifest) -> Iterator[str]:
    spec = manifest["spec"]
    rules = [
        *spec.get("ports", []),
        *spec.get("podMetricsEndpoints", []),
        *(port for rule in spec.get("ingress", []) for port in rule.get("ports", [])),
    ]
    for rule in rules:
        port = rule.get("targetPort", rule.get("port"))
        if isinstance(port, str):
            yield port


def _of_scaling(manifest: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    if manifest["kind"] not in _SCALERS:
        return
    spec = manifest["spec"]
    target = [
        each
        for each in manifests
        if each["kind"] == "Deployment" and name_of(each) == spec["scaleTargetRef"]["name"]
    ]
    if not target:
        yield f"scales {spec['scaleTargetRef']['name']}, which is not there"
    elif "replicas" in target[0]["spec"]:
        yield "scales what says itself how many it is"
    least = spec.get("minReplicaCount", spec.get("minReplicas"))
    most = spec.get("maxReplicaCount", spec.get("maxReplicas"))
    if least > most:
        yield "wants at least more than at most"


def _pods(manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    return (pod for each in manifests if (pod := pod_of(each)) is not None)


def _labels(pod: Manifest) -> dict[str, str]:
    labels: dict[str, str] = pod["metadata"].get("labels", {})
    return labels


def _ports(pod: Manifest) -> Iterator[Manifest]:
    return (port for container in containers_of(pod) for port in container.get("ports", []))
