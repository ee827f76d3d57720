"""What the API of the lab says about itself: its groups, their kinds, and how they may be asked."""

from collections.abc import Iterator

from lab.chart import Manifest

GROUPS: dict[str, dict[str, str]] = {
    "v1": {
        "configmaps": "ConfigMap",
        "namespaces": "Namespace",
        "pods": "Pod",
        "secrets": "Secret",
        "serviceaccounts": "ServiceAccount",
        "services": "Service",
    },
    # Helm looks for the second to see how the first is doing.
    "apps/v1": {"deployments": "Deployment", "replicasets": "ReplicaSet"},
    "autoscaling/v2": {"horizontalpodautoscalers": "HorizontalPodAutoscaler"},
    "batch/v1": {"jobs": "Job"},
    "keda.sh/v1alpha1": {
        "scaledobjects": "ScaledObject",
        "triggerauthentications": "TriggerAuthentication",
    },
    "monitoring.coreos.com/v1": {
        "podmonitors": "PodMonitor",
        "prometheusrules": "PrometheusRule",
    },
    "networking.k8s.io/v1": {"ingresses": "Ingress", "networkpolicies": "NetworkPolicy"},
    "policy/v1": {"poddisruptionbudgets": "PodDisruptionBudget"},
}
_EVERYWHERE = frozenset({"namespaces"})


def described(parts: list[str]) -> Manifest | None:
    """Return what the API says about itself, if that is what is asked."""
    match parts:
        case ["version"]:
            said = {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}
        case ["api"]:
            said = {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            said = {"kind": "APIGroupList", "apiVersion": "v1", "groups": list(_named_groups())}
        case ["openapi", "v3"]:
            said = {"paths": {_path(group): _served_at(group) for group in GROUPS}}
        case ["openapi", "v3", root, *group]:
            said = _openapi(root, "/".join(group))
        case ["api", "v1"]:
            said = _resources("v1")
        case ["apis", group, version] if f"{group}/{version}" in GROUPS:
            said = _resources(f"{group}/{version}")
        case _:
            return None
    return said


def _served_at(group: str) -> Manifest:
    return {"serverRelativeURL": f"/openapi/v3/{_path(group)}?hash=0"}


def _named_groups() -> Iterator[Manifest]:
    for group in GROUPS:
        name, _, version = group.rpartition("/")
        if name:
            known = {"groupVersion": group, "version": version}
            yield {"name": name, "versions": [known], "preferredVersion": known}


def _path(group: str) -> str:
    return f"api/{group}" if group == "v1" else f"apis/{group}"


def _resources(group: str) -> Manifest:
    verbs = ["create", "delete", "get", "list", "patch", "update", "watch"]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group,
        "resources": [
            {
                "name": plural,
                "singularName": kind.lower(),
                "namespaced": plural not in _EVERYWHERE,
                "kind": kind,
                "verbs": verbs,
            }
            for plural, kind in GROUPS[group].items()
        ],
    }


def _openapi(root: str, group: str) -> Manifest:
    """Return just enough for a client to see that fields can be validated."""
    name, _, version = group.rpartition("/")
    parameter = {
        "name": "fieldValidation",
        "in": "query",
        "schema": {"type": "string", "uniqueItems": True},
    }
    paths = {
        f"/{root}/{group}/namespaces/{{namespace}}/{plural}/{{name}}": {
            "patch": {
                "x-kubernetes-group-version-kind": {
                    "group": name,
                    "version": version,
                    "kind": kind,
                },
                "x-kubernetes-action": "patch",
                "parameters": [parameter],
                "responses": {},
            }
        }
        for plural, kind in GROUPS[group].items()
    }
    info = {"title": "lab", "version": "v1.34.0"}
    return {"openapi": "3.0.0", "info": info, "paths": paths}
