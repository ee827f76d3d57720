"""The chart, rendered and linted by Helm's own engine; no cluster is asked."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart, HelmError, values_from_yaml
from helm_python.chart import lint

CHART = Path(__file__).parents[1] / "k8s/feedmill"
RELEASE = "rel"
NAMESPACE = "feeds"
# Any version that the chart allows.
_KUBERNETES = "v1.34.0"
_WARNING = 2

Manifest = dict[str, Any]


class _Strict(yaml.SafeLoader):
    """YAML in which a key stands once: the second one would silently win."""


def _mapping(loader: _Strict, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key) for key, _ in node.value]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise yaml.constructor.ConstructorError(None, None, f"twice: {twice}", node.start_mark)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def value_sets() -> dict[str, dict[str, Any]]:
    """Return the values of each set in the chart's `ci` folder, by its name."""
    return {
        path.name.removesuffix("-values.yaml"): values_from_yaml(path.read_text())
        for path in sorted((CHART / "ci").glob("*-values.yaml"))
    }


def render(values: Mapping[str, Any], *, notes: bool = False) -> list[Manifest]:
    """Return every object that a release with these values consists of, hooks included.

    Parameters
    ----------
    notes
        Return what Helm says after the installation instead, as the text of one object.

    Raises
    ------
    helm_python.HelmRenderError
        The chart refuses the values, and says why.
    """
    with Chart.load(CHART) as chart:
        texts = chart.render(
            dict(values), name=RELEASE, namespace=NAMESPACE, revision=1, is_install=True
        )
    if notes:
        return [{"text": text} for path, text in texts.items() if path.endswith("NOTES.txt")]
    return [
        manifest
        for path, text in sorted(texts.items())
        if not path.endswith("NOTES.txt")
        for manifest in load(text)
    ]


def load(text: str) -> Iterator[Manifest]:
    """Read manifests from YAML, and refuse keys that stand twice."""
    # The loader is PyYAML's safe one, but for what it refuses.
    return (each for each in yaml.load_all(text, _Strict) if each)


def complaints(values: Mapping[str, Any]) -> list[str]:
    """Return what `helm lint --strict` has against the chart with these values."""
    report = lint(CHART, dict(values), strict=True, namespace=NAMESPACE, kube_version=_KUBERNETES)
    messages = [
        f"{message['path']}: {message['error']}"
        for message in report["messages"]
        if message["severity"] >= _WARNING
    ]
    return messages + [str(error) for error in report["errors"]]


def refusal(values: Mapping[str, Any]) -> str:
    """Return why the chart does not install with these values; nothing if it would.

    Helm's linter lets `fail` pass, and its renderer the schema.
    """
    try:
        render(values)
    except HelmError as error:
        return str(error)
    return "\n".join(complaints(values))


def one(manifests: list[Manifest], kind: str, name: str = "") -> Manifest:
    """Return the only object of a kind whose name ends so."""
    (found,) = [each for each in manifests if each["kind"] == kind and name_of(each).endswith(name)]
    return found


def name_of(manifest: Manifest) -> str:
    return str(manifest["metadata"]["name"])


def pod_of(manifest: Manifest) -> Manifest | None:
    """Return the pod that an object makes, as `metadata` and `spec`; None if it makes none."""
    if manifest["kind"] == "Pod":
        return manifest
    template = manifest.get("spec", {}).get("template", {})
    if "containers" not in template.get("spec", {}):
        return None
    return {"metadata": template.get("metadata", {}), "spec": template["spec"]}


def containers_of(pod: Manifest) -> list[Manifest]:
    """Return the containers of a pod, those that run first included."""
    return [*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]]
