"""The chart and the code say the same: settings, queues, secrets, addresses, times."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field
from pydantic_settings import BaseSettings

from feedmill.config import (
    DistillationSettings,
    FetchSettings,
    GatewaySettings,
    IngestionSettings,
    OrchestratorSettings,
    known_names,
    load,
)
from feedmill.contracts.queues import TaskQueue
from feedmill.web import addresses
from lab import chart_settings
from lab.chart import Manifest, containers_of, one, pod_of, render
from lab.chart_settings import NOT_VALUES, SCHEMA, settings_defaults, settings_schema
from support.charts import CHART, REQUIRED, changed, value_sets

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SERVICES = {
    "ingestion": IngestionSettings,
    "fetch": FetchSettings,
    "fetch-browser": FetchSettings,
    "distillation": DistillationSettings,
    "orchestrator": OrchestratorSettings,
    "gateway": GatewaySettings,
}
# What Temporal's own configuration reads from the environment, and workers of their version.
TEMPORAL = {
    "TEMPORAL_ADDRESS",
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_TLS",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_DEPLOYMENT_NAME",
    "TEMPORAL_WORKER_BUILD_ID",
}
SECRET = {
    "FEEDMILL_DATABASE_URL": "postgresql://u:p@h/d",
    "FEEDMILL_TOKEN": "t" * 20,
    "FEEDMILL_MODEL_API_KEY": "k",
    "FEEDMILL_PAYLOAD_KEYS": "a=" + "MTEx" * 10 + "MTE=",
}


def environment(manifests: list[Manifest], role: str) -> dict[str, str]:
    """Return what a role's process would find in its environment."""
    (container,) = containers_of(pod_of(one(manifests, "Deployment", role)) or {})
    found = dict(one(manifests, "ConfigMap", "settings")["data"])
    for variable in container["env"]:
        found[variable["name"]] = variable.get("value", SECRET.get(variable["name"], "secret"))
    return found


def variables(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in manifests:
        for container in containers_of(pod_of(manifest) or {"spec": {"containers": []}}):
            yield from container.get("env", [])


def test_every_setting_is_a_value_with_the_default_that_the_code_has() -> None:
    assert VALUES["settings"] == settings_defaults()


def test_the_schema_says_of_settings_what_the_code_says() -> None:
    schema = json.loads(SCHEMA.read_text())["properties"]["settings"]

    assert schema == settings_schema(), "run `make chart-settings`"


class Odd(BaseSettings):
    """One of each kind of setting."""

    ceiling: Decimal | None = Field(default=None, ge=0)
    pieces: int | None = None
    folder: Path | None = None
    ladder: tuple[str, ...] = ("extractive",)
    ratio: float = Field(default=0.5, gt=0, le=1)
    thorough: bool = False


def test_every_kind_of_setting_can_be_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chart_settings, "ALL_SETTINGS", (Odd,))

    assert settings_schema()["properties"] == {
        "ceiling": {"minimum": 0, "type": ["number", "string"]},
        "folder": {"type": "string"},
        "ladder": {"type": "array", "items": {"type": "string"}},
        "pieces": {"type": ["integer", "string"]},
        "ratio": {"exclusiveMinimum": 0, "maximum": 1, "type": "number"},
        "thorough": {"type": "boolean"},
    }
    assert settings_defaults() == {
        "ceiling": "",
        "pieces": "",
        "folder": "",
        "ladder": ["extractive"],
        "ratio": 0.5,
        "thorough": False,
    }


def test_what_is_no_value_is_a_setting_all_the_same() -> None:
    assert {f"FEEDMILL_{name}".upper() for name in NOT_VALUES} <= known_names()


@pytest.mark.parametrize("role", SERVICES)
def test_a_process_takes_what_the_chart_tells_it(
    role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = environment(render(value_sets()["keda"]), role)
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    settings = load(SERVICES[role], told)

    assert settings.telemetry_host == "0.0.0.0"
    assert settings.drain_seconds == {"distillation": 90, "fetch-browser": 60}.get(role, 25)


def test_values_reach_the_process_as_they_are_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    meant = {
        "hostGroups": ["substack.com", "medium.com"],
        "hostExceptions": ["rsshub.lan=0/8"],
        "allowedNetworks": ["10.0.0.0/8", "fd00::/8"],
        "pollIntervalSeconds": 2_000_000,
        "hostSpacingSeconds": 0.25,
        "publicUrl": "https://feeds.example.com",
    }
    told = environment(render(changed(REQUIRED, {"settings": meant})), "ingestion")
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    settings = load(IngestionSettings, told)

    assert settings.host_groups == ("substack.com", "medium.com")
    assert settings.host_exceptions[0].in_flight == 8
    assert [str(network) for network in settings.allowed_networks] == ["10.0.0.0/8", "fd00::/8"]
    assert settings.poll_interval_seconds == 2_000_000
    assert settings.host_spacing_seconds == 0.25
    assert str(settings.public_url) == "https://feeds.example.com/"


@pytest.mark.parametrize("name", value_sets())
def test_only_what_somebody_reads_is_set(name: str) -> None:
    manifests = render(value_sets()[name])

    named = {variable["name"] for variable in variables(manifests)}
    named |= set(one(manifests, "ConfigMap", "settings")["data"])
    assert named <= known_names() | TEMPORAL


@pytest.mark.parametrize("name", value_sets())
def test_secrets_are_only_referred_to(name: str) -> None:
    secret = {"FEEDMILL_DATABASE_URL", "FEEDMILL_TOKEN", "FEEDMILL_MODEL_API_KEY"}
    given = [v for v in variables(render(value_sets()[name])) if v["name"] in secret]

    assert given
    assert all(set(v) == {"name", "valueFrom"} for v in given)


def test_only_the_gateway_knows_the_token_and_only_distillation_the_model_s_key() -> None:
    manifests = render(value_sets()["keda"])

    knows = {
        role: {name for name in environment(manifests, role) if name in SECRET} for role in SERVICES
    }
    database = {"FEEDMILL_DATABASE_URL"}
    assert knows == {
        **dict.fromkeys(SERVICES, database),
        "gateway": database | {"FEEDMILL_TOKEN"},
        "distillation": database | {"FEEDMILL_MODEL_API_KEY"},
    }


def test_pools_serve_the_queues_that_the_contracts_name() -> None:
    queues = {name: worker["queue"] for name, worker in VALUES["workers"].items()}

    assert queues == {queue.service: queue.value for queue in TaskQueue}
    assert VALUES["workers"]["orchestrator"]["queueType"] == "workflow"


def test_the_cluster_forbids_the_addresses_that_the_code_forbids() -> None:
    policy = VALUES["networkPolicy"]

    assert set(policy["forbidden4"]) == {str(network) for network in addresses._FORBIDDEN_V4}
    assert policy["public6"] == str(addresses._PUBLIC_V6)
    # Tunnels to IPv4 lie in public space: the code looks inside them, a policy cannot.
    tunnels = {str(addresses._6TO4)}
    assert set(policy["forbidden6"]) == {str(n) for n in addresses._FORBIDDEN_V6} | tunnels
    assert set(policy["internetPorts"]) <= addresses.PORTS


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param({}, {}, id="plain"),
        pytest.param(
            {"versioning": {"enabled": True}},
            {
                "TEMPORAL_DEPLOYMENT_NAME": "feeds/rel-feedmill-orchestrator",
                "TEMPORAL_WORKER_BUILD_ID": "0.1.0",
            },
            id="by the tag",
        ),
        pytest.param(
            {
                "versioning": {"enabled": True},
                "workers": {"orchestrator": {"digest": "sha256:" + "ab" * 32}},
            },
            {
                "TEMPORAL_DEPLOYMENT_NAME": "feeds/rel-feedmill-orchestrator",
                "TEMPORAL_WORKER_BUILD_ID": "abababababababab",
            },
            id="by the digest",
        ),
    ],
)
def test_workers_are_told_their_version_if_they_have_one(
    changes: dict[str, Any], told: dict[str, str]
) -> None:
    manifests = render(changed(REQUIRED, changes))
    found = environment(manifests, "orchestrator")

    assert {name: value for name, value in found.items() if name in told} == told
    assert ("TEMPORAL_WORKER_BUILD_ID" in found) is bool(told)
    # Whoever has no plans has no version.
    assert "TEMPORAL_WORKER_BUILD_ID" not in environment(manifests, "fetch")


def test_the_controller_tells_them_where_it_is_there() -> None:
    manifests = render(value_sets()["cloud"])

    names = {variable["name"] for variable in variables(manifests)}
    assert not names & {"TEMPORAL_DEPLOYMENT_NAME", "TEMPORAL_WORKER_BUILD_ID"}
    deployment = one(manifests, "WorkerDeployment", "orchestrator")
    assert deployment["spec"]["workerOptions"] == {
        "connectionRef": {"name": "rel-feedmill-temporal"},
        "temporalNamespace": "feeds.a1b2c",
    }
