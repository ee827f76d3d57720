"""Manifests against the schemas of Kubernetes and of what extends it, unknown fields refused."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource

from lab.chart import Manifest, name_of, pod_of

# The oldest that the chart's API versions allow, one that is common, and the newest there is.
KUBERNETES = ("1.31", "1.34", "1.37")
CRD_FOLDER = Path(
    os.environ.get("FEEDMILL_CRD_SCHEMAS", Path(__file__).parents[3] / "shared/deploy-lab/schemas")
)

_OURS = ("v1", "apps/v1", "batch/v1", "policy/v1", "autoscaling/v2", "networking.k8s.io/v1")


def kubernetes_problems(manifests: Iterable[Manifest]) -> list[str]:
    """Return what Kubernetes's own schemas have against its own kinds, in several versions."""
    return [
        problem
        for manifest in _with_inner(manifests)
        if manifest["apiVersion"] in _OURS
        for version in KUBERNETES
        for problem in _in_version(manifest, version)
    ]


def extension_problems(manifests: Iterable[Manifest], schemas: Path = CRD_FOLDER) -> list[str]:
    """Return what the schemas in a folder have against all other kinds."""
    return [
        f"{manifest['kind']}/{name_of(manifest)}: {'.'.join(map(str, error.path))}: {error.message}"
        for manifest in _with_inner(manifests)
        if manifest["apiVersion"] not in _OURS
        for error in _validator(schemas, manifest).iter_errors(manifest)
    ]


def _with_inner(manifests: Iterable[Manifest]) -> Iterator[Manifest]:
    """Yield each object, and what others make of it: checked as if it were rendered itself."""
    for manifest in manifests:
        yield manifest
        if manifest["kind"] == "WorkerDeployment":
            yield {
                "apiVersion": "v1",
                "kind": "PodTemplate",
                "metadata": {"name": name_of(manifest)},
                "template": pod_of(manifest),
            }
        if manifest["kind"] == "WorkerResourceTemplate":
            yield _as_the_controller_makes_it(manifest)


def _as_the_controller_makes_it(manifest: Manifest) -> Manifest:
    inner: Manifest = json.loads(json.dumps(manifest["spec"]["template"]))
    inner["metadata"] = {"name": name_of(manifest)}
    if inner["spec"].get("scaleTargetRef") == {}:
        inner["spec"]["scaleTargetRef"] = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": manifest["spec"]["workerDeploymentRef"]["name"],
        }
    return inner


def _in_version(manifest: Manifest, version: str) -> Iterator[str]:
    for error in _kubernetes_schema(version, manifest["apiVersion"], manifest["kind"]).iter_errors(
        manifest
    ):
        where = ".".join(map(str, error.path))
        yield f"{manifest['kind']}/{name_of(manifest)} ({version}): {where}: {error.message}"


# The package reads all definitions anew for each object; here they are read once.
@cache
def _kubernetes_schema(
    version: str, api_version: str, kind: str
) -> jsonschema.Draft202012Validator:
    # networking.k8s.io/v1 is networking-v1 in the name of a file.
    group = re.sub(r"^([^./]*)(?:\.[^/]*)?/", r"\1-", api_version)
    name = f"{kind.lower()}-{group}.json"
    schema = json.loads((_folder(version) / name).read_text())
    return jsonschema.Draft202012Validator(schema, registry=_definitions(version))


@cache
def _definitions(version: str) -> Registry[Any]:
    definitions = json.loads((_folder(version) / "_definitions.json").read_text())
    return Resource.from_contents(definitions) @ Registry()


@cache
def _folder(version: str) -> Path:
    schemas = Path(str(files("kubernetes_validate"))) / "kubernetes-json-schema"
    (found,) = schemas.glob(f"v{version}.*-local-strict")
    return found


@cache
def _schema(folder: Path, group: str, version: str, kind: str) -> jsonschema.Draft202012Validator:
    schema = json.loads((folder / f"{group}_{kind.lower()}_{version}.json").read_text())
    _refuse_unknown(schema)
    schema["properties"]["metadata"] = {"type": "object"}
    for name in ("apiVersion", "kind"):
        schema["properties"].setdefault(name, {"type": "string"})
    return jsonschema.Draft202012Validator(schema)


def _validator(folder: Path, manifest: Manifest) -> jsonschema.Draft202012Validator:
    group, version = manifest["apiVersion"].split("/")
    return _schema(folder, group, version, manifest["kind"])


def _refuse_unknown(schema: Any) -> None:
    """Make a schema refuse what it does not name, as an API server does that is asked to be strict."""
    if isinstance(schema, dict):
        if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
        for value in schema.values():
            _refuse_unknown(value)
    elif isinstance(schema, list):
        for value in schema:
            _refuse_unknown(value)
