"""The checks of `test_chart` notice what they are there for: one mutation each."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from lab.chart import Manifest, load, one, pod_of, render
from lab.pods import pod_problems
from lab.references import reference_problems
from lab.schemas import CRD_FOLDER, extension_problems, kubernetes_problems
from support.charts import SECRETS, value_sets

Mutation = Callable[[list[Manifest]], object]


@cache
def _rendered(name: str) -> list[Manifest]:
    return render(value_sets()[name])


def mutated(name: str, mutation: Mutation) -> list[Manifest]:
    manifests = copy.deepcopy(_rendered(name))
    mutation(manifests)
    return manifests


def spec(kind: str, name: str = "") -> Callable[[list[Manifest]], Manifest]:
    return lambda manifests: one(manifests, kind, name)["spec"]


def container(manifests: list[Manifest], name: str = "fetch", kind: str = "Deployment") -> Any:
    return (pod_of(one(manifests, kind, name)) or {})["spec"]["containers"][0]


def pod_spec(manifests: list[Manifest], name: str = "fetch") -> Any:
    return (pod_of(one(manifests, "Deployment", name)) or {})["spec"]


@pytest.mark.parametrize(
    ("name", "mutation"),
    [
        ("keda", lambda m: spec("Deployment", "fetch")(m).update(replica=1)),
        ("keda", lambda m: container(m)["readinessProbe"].update(periodSecond=1)),
        ("keda", lambda m: spec("Service", "gateway")(m)["ports"][0].update(port="80")),
        ("keda", lambda m: container(m)["resources"]["requests"].update(cpu=True)),
        ("keda", lambda m: spec("NetworkPolicy", "fetch-out")(m)["egress"][0].update(too=[])),
        ("keda", lambda m: spec("PodDisruptionBudget", "fetch")(m).update(maxUnavailble=1)),
        ("keda", lambda m: spec("Job")(m).pop("template")),
        ("keda", lambda m: one(m, "ConfigMap", "settings")["data"].update(FEEDMILL_X=1)),
        ("hpa", lambda m: spec("HorizontalPodAutoscaler", "fetch")(m).pop("maxReplicas")),
        ("cloud", lambda m: container(m, "orchestrator", "WorkerDeployment").update(commands=[])),
        (
            "cloud",
            lambda m: spec("WorkerResourceTemplate", "orchestrator-disruption")(m)["template"][
                "spec"
            ].update(least=1),
        ),
    ],
)
def test_what_kubernetes_would_refuse_is_noticed(name: str, mutation: Mutation) -> None:
    assert kubernetes_problems(mutated(name, mutation))


@pytest.mark.skipif(not CRD_FOLDER.is_dir(), reason="NOT CHECKED: no CRD schemas")
@pytest.mark.parametrize(
    ("name", "mutation"),
    [
        ("keda", lambda m: spec("ScaledObject", "fetch")(m).update(minReplica=0)),
        (
            "keda",
            lambda m: spec("ScaledObject", "fetch")(m)["triggers"][0]["metadata"].update(
                targetQueueSize=5
            ),
        ),
        ("keda", lambda m: spec("TriggerAuthentication")(m)["secretTargetRef"][0].pop("name")),
        ("keda", lambda m: spec("PodMonitor")(m)["podMetricsEndpoints"][0].update(every="1s")),
        ("keda", lambda m: spec("PodMonitor")(m)["podMetricsEndpoints"][0].update(interval="now")),
        ("keda", lambda m: spec("PrometheusRule")(m).update(group=[])),
        ("hpa", lambda m: spec("ServiceMonitor")(m).pop("selector")),
        ("hpa", lambda m: spec("HTTPRoute")(m)["rules"][0].update(backends=[])),
        ("cloud", lambda m: spec("WorkerDeployment", "orchestrator")(m).update(rollouts={})),
        (
            "cloud",
            lambda m: spec("WorkerDeployment", "orchestrator")(m)["rollout"].update(strategy="Go"),
        ),
        ("cloud", lambda m: spec("WorkerDeployment", "orchestrator")(m).pop("sunset")),
        ("cloud", lambda m: spec("Connection")(m).update(hostPort="nowhere")),
        (
            "cloud",
            lambda m: spec("WorkerResourceTemplate", "orchestrator-scaling")(m)["template"][
                "spec"
            ].update(trigger=[]),
        ),
    ],
)
def test_what_an_extension_would_refuse_is_noticed(name: str, mutation: Mutation) -> None:
    assert extension_problems(mutated(name, mutation))


@pytest.mark.parametrize(
    "mutation",
    [
        lambda m: pod_spec(m)["securityContext"].update(runAsUser=0),
        lambda m: pod_spec(m)["securityContext"].pop("runAsNonRoot"),
        lambda m: pod_spec(m)["securityContext"].pop("seccompProfile"),
        lambda m: pod_spec(m).update(hostNetwork=True),
        lambda m: pod_spec(m).pop("automountServiceAccountToken"),
        lambda m: pod_spec(m).pop("enableServiceLinks"),
        lambda m: pod_spec(m)["volumes"][0].update(emptyDir={}),
        lambda m: pod_spec(m)["volumes"].append({"name": "host", "hostPath": {"path": "/"}}),
        lambda m: container(m)["securityContext"].pop("capabilities"),
        lambda m: container(m)["securityContext"].update(seccompProfile={"type": "Unconfined"}),
        lambda m: container(m)["securityContext"].pop("readOnlyRootFilesystem"),
        lambda m: container(m)["securityContext"].update(allowPrivilegeEscalation=True),
        lambda m: container(m).update(image="ghcr.io/feedmill/feedmill-fetch:latest"),
        lambda m: container(m).update(image="ghcr.io:5000/feedmill/feedmill-fetch"),
        lambda m: container(m)["resources"].pop("limits"),
        lambda m: container(m)["resources"]["limits"].update(cpu="1"),
        lambda m: container(m).pop("livenessProbe"),
        lambda m: container(m)["livenessProbe"]["httpGet"].update(path="/readyz"),
        lambda m: container(m)["readinessProbe"]["httpGet"].update(port="http"),
        lambda m: pod_spec(m).update(terminationGracePeriodSeconds=30),
        lambda m: pod_spec(m, "gateway").update(terminationGracePeriodSeconds=35),
        lambda m: container(m)["env"].clear(),
    ],
)
def test_a_pod_that_breaks_our_rules_is_noticed(mutation: Mutation) -> None:
    assert pod_problems(mutated("keda", mutation))


@pytest.mark.parametrize(
    "mutation",
    [
        lambda m: m.append(m[0]),
        lambda m: m.append({**m[0], "kind": "Secret"}),
        lambda m: m[0]["metadata"].update(name="x" * 60),
        lambda m: m[0]["metadata"].pop("namespace"),
        lambda m: m[0]["metadata"]["labels"].update(odd="not a label"),
        lambda m: m.remove(one(m, "ServiceAccount", "fetch")),
        lambda m: m.remove(one(m, "ConfigMap", "settings")),
        lambda m: container(m)["env"].append(
            {"name": "X", "valueFrom": {"secretKeyRef": {"name": "gone", "key": "k"}}}
        ),
        lambda m: container(m)["env"].append({"name": "FEEDMILL_TELEMETRY_PORT", "value": "1"}),
        lambda m: container(m)["volumeMounts"].append({"name": "gone", "mountPath": "/x"}),
        lambda m: pod_spec(m)["volumes"].append({"name": "g", "secret": {"secretName": "gone"}}),
        lambda m: spec("Deployment", "fetch")(m)["template"]["metadata"]["labels"].clear(),
        lambda m: spec("Service", "gateway")(m)["selector"].update(component="x"),
        lambda m: spec("Service", "gateway")(m)["ports"][0].update(targetPort="web"),
        lambda m: spec("PodMonitor")(m)["podMetricsEndpoints"][0].update(port="metrics"),
        lambda m: spec("NetworkPolicy", "gateway")(m)["ingress"][0]["ports"][0].update(port="web"),
        lambda m: spec("NetworkPolicy", "fetch-out")(m)["podSelector"]["matchLabels"].update(a="b"),
        lambda m: spec("PodDisruptionBudget", "fetch")(m)["selector"]["matchLabels"].update(a="b"),
        lambda m: spec("ScaledObject", "fetch")(m)["scaleTargetRef"].update(name="gone"),
        lambda m: spec("ScaledObject", "fetch")(m).update(minReplicaCount=99),
        lambda m: spec("Deployment", "fetch")(m).update(replicas=3),
    ],
)
def test_what_does_not_fit_together_is_noticed(mutation: Mutation) -> None:
    assert reference_problems(mutated("keda", mutation), secrets=SECRETS)


def test_a_key_that_stands_twice_is_noticed() -> None:
    with pytest.raises(Exception, match="twice"):
        list(load("kind: A\nkind: B\n"))
