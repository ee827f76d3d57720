"""The chart with five sets of values, held against Kubernetes, against itself and against our rules."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lab.chart import Manifest, complaints, containers_of, name_of, one, pod_of, refusal, render
from lab.pods import pod_problems
from lab.references import reference_problems
from lab.schemas import CRD_FOLDER, extension_problems, kubernetes_problems
from support.charts import REQUIRED, SECRETS, changed, value_sets

SETS = value_sets()
ROLES = ("ingestion", "fetch", "distillation", "orchestrator", "gateway")
with_each_set = pytest.mark.parametrize("name", SETS)


@pytest.fixture(scope="module")
def rendered() -> dict[str, list[Manifest]]:
    return {name: render(values) for name, values in SETS.items()}


def test_there_are_the_five_sets() -> None:
    assert set(SETS) == {"default", "minimal", "keda", "hpa", "cloud"}


@with_each_set
def test_helm_has_nothing_against_it(name: str) -> None:
    assert complaints(SETS[name]) == []


@with_each_set
def test_kubernetes_would_take_it(name: str, rendered: dict[str, list[Manifest]]) -> None:
    assert kubernetes_problems(rendered[name]) == []


@with_each_set
def test_extensions_would_take_it(name: str, rendered: dict[str, list[Manifest]]) -> None:
    if not CRD_FOLDER.is_dir():
        pytest.skip(f"NOT CHECKED: no CRD schemas in {CRD_FOLDER}; set FEEDMILL_CRD_SCHEMAS")

    assert extension_problems(rendered[name]) == []


@with_each_set
def test_its_pods_keep_our_rules(name: str, rendered: dict[str, list[Manifest]]) -> None:
    assert pod_problems(rendered[name]) == []


@with_each_set
def test_its_objects_fit_together(name: str, rendered: dict[str, list[Manifest]]) -> None:
    assert reference_problems(rendered[name], secrets=SECRETS) == []


@with_each_set
def test_no_hook_but_the_test_is_needed(name: str, rendered: dict[str, list[Manifest]]) -> None:
    hooks = [
        hook
        for manifest in rendered[name]
        if (hook := manifest["metadata"].get("annotations", {}).get("helm.sh/hook"))
    ]

    assert hooks == ["test"]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        pytest.param("default", {"Deployment": 5, "ServiceAccount": 5, "Job": 1}, id="default"),
        pytest.param("minimal", {"Deployment": 5, "NetworkPolicy": 0}, id="minimal"),
        pytest.param(
            "keda",
            {"ScaledObject": 5, "HorizontalPodAutoscaler": 1, "TriggerAuthentication": 1},
            id="keda",
        ),
        pytest.param(
            "hpa",
            {"HorizontalPodAutoscaler": 4, "ScaledObject": 0, "HTTPRoute": 1, "ServiceMonitor": 1},
            id="hpa",
        ),
        pytest.param(
            "cloud",
            {"WorkerDeployment": 1, "Deployment": 4, "Connection": 1, "ScaledObject": 2},
            id="cloud",
        ),
    ],
)
def test_each_set_renders_what_it_is_about(
    name: str, kinds: dict[str, int], rendered: dict[str, list[Manifest]]
) -> None:
    found = Counter(manifest["kind"] for manifest in rendered[name])

    assert {kind: found[kind] for kind in kinds} == kinds


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"temporal": {"address": ""}}, "temporal.address is not set"),
        ({"database": {"existingSecret": ""}}, "database.existingSecret is not set"),
        ({"gateway": {"token": {"existingSecret": ""}}}, "gateway.token.existingSecret is not set"),
        ({"temporal": {"tls": {"existingSecret": "x"}}}, "temporal.tls.enabled is not"),
        ({"gateway": {"ingress": {"enabled": True}}}, "gateway.ingress.host is not set"),
        ({"gateway": {"route": {"enabled": True}}}, "gateway.route.parentRefs is empty"),
        ({"settings": {"modelName": "qwen3"}}, "belong together"),
        ({"settings": {"browser": True}}, "workers.fetch-browser.enabled belong together"),
        ({"workers": {"fetch-browser": {"enabled": True}}}, "settings.browser and"),
        (
            {"workers": {"fetch": {"autoscaling": {"minReplicas": 9}}}},
            "fetch: autoscaling.minReplicas is more",
        ),
        ({"workers": {"fetch": {"autoscaling": {"mode": "cpu"}}}}, "shows in its backlog"),
        ({"gateway": {"autoscaling": {"mode": "keda"}}}, "has no queue to scale by"),
        (
            {"workers": {"orchestrator": {"autoscaling": {"mode": "keda", "minReplicas": 0}}}},
            "minReplicas must be 1 or more",
        ),
        ({"image": {"tag": "latest"}}, "tag"),
        ({"workers": {"fetch": {"replica": 2}}}, "replica"),
        ({"workers": {"digest": {}}}, "digest"),
        ({"settings": {"hostInFlight": 0}}, "hostInFlight"),
        ({"settings": {"hostSpacing": 1}}, "hostSpacing"),
        ({"workers": {"fetch": {"digest": "sha256:short"}}}, "digest"),
    ],
    ids=str,
)
def test_values_that_would_not_work_are_refused(changes: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal(changed(REQUIRED, changes))


def test_what_comes_after_an_installation_says_where_the_page_is() -> None:
    (default,) = render(SETS["default"], notes=True)
    (keda,) = render(SETS["keda"], notes=True)

    assert "port-forward svc/rel-feedmill-gateway" in default["text"]
    assert "No language model is named" in default["text"]
    assert "https://feedmill.example.com/" in keda["text"]
    assert "No language model is named" not in keda["text"]


def test_a_pod_restarts_when_its_settings_change_and_not_otherwise() -> None:
    def templates(changes: dict[str, Any]) -> dict[str, Any]:
        return {
            name_of(each): pod_of(each)
            for each in render(changed(REQUIRED, changes))
            if each["kind"] == "Deployment"
        }

    before = templates({})

    after = templates({"settings": {"hostInFlight": 2}})
    assert [name for name in before if before[name] == after[name]] == []
    assert before == templates({"gateway": {"replicas": 7}, "monitoring": {"rules": True}})


def test_a_job_that_differs_has_another_name() -> None:
    def job(changes: dict[str, Any]) -> str:
        return name_of(one(render(changed(REQUIRED, changes)), "Job"))

    names = {job({}), job({"image": {"tag": "0.2.0"}}), job({"prepare": {"makeNamespace": True}})}

    assert len(names) == 3
    assert job({}) == job({"gateway": {"replicas": 9}})


def test_a_digest_wins_over_the_tag() -> None:
    digest = "sha256:" + "0" * 64
    manifests = render(changed(REQUIRED, {"workers": {"fetch": {"digest": digest}}}))

    images = {
        name: containers_of(pod_of(one(manifests, "Deployment", name)) or {})[0]["image"]
        for name in ("fetch", "ingestion")
    }
    assert images == {
        "fetch": f"ghcr.io/feedmill/feedmill-fetch@{digest}",
        "ingestion": "ghcr.io/feedmill/feedmill-ingestion:0.1.0",
    }


def test_files_that_settings_name_can_be_mounted() -> None:
    rules = {
        "volumes": [{"name": "rules", "configMap": {"name": "rel-rules"}}],
        "volumeMounts": [{"name": "rules", "mountPath": "/etc/feedmill/rules", "readOnly": True}],
    }
    extra = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "rel-rules", "namespace": "feeds"},
    }
    manifests = render(changed(REQUIRED, {"workers": {"fetch": rules}, "extraObjects": [extra]}))

    assert (kubernetes_problems(manifests), pod_problems(manifests)) == ([], [])
    assert reference_problems(manifests, secrets=SECRETS) == []
    for role, mounted in (("fetch", ["tmp", "rules"]), ("ingestion", ["tmp"])):
        spec = (pod_of(one(manifests, "Deployment", role)) or {})["spec"]
        assert [volume["name"] for volume in spec["volumes"]] == mounted
        assert [each["name"] for each in spec["containers"][0]["volumeMounts"]] == mounted


def test_long_release_names_still_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.chart.RELEASE", "a-release-with-quite-a-long-name-of-its-own"[:53])

    assert reference_problems(render(SETS["cloud"]), secrets=SECRETS) == []


def test_a_role_that_is_not_wanted_leaves_nothing_behind() -> None:
    unwanted = {"enabled": False}
    manifests = render(
        changed(REQUIRED, {"workers": {"distillation": unwanted}, "gateway": unwanted})
    )

    for role in ("distillation", "gateway"):
        assert [name_of(each) for each in manifests if f"rel-feedmill-{role}" in str(each)] == []
    assert reference_problems(manifests, secrets=SECRETS) == []


def test_what_else_is_wanted_is_rendered_with_the_release_s_names() -> None:
    extra = one(render(SETS["cloud"]), "ConfigMap", "extra")

    assert extra["metadata"] == {"name": "rel-extra", "namespace": "feeds"}
    assert extra["data"] == {"said": "feeds.a1b2c"}


def test_the_package_leaves_out_what_only_tests_read() -> None:
    ignored = (Path(__file__).parents[2] / "deploy/k8s/feedmill/.helmignore").read_text().split()

    assert ignored == ["*.test.yaml", "ci/"]
