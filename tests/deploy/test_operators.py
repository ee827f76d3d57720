"""What the chart gives those who look into the fleet: traces, and payloads that are encrypted."""

from typing import Any

import pytest

from lab.chart import Manifest, containers_of, one, pod_of, refusal, render
from support.charts import REQUIRED, changed

ROLES = ("ingestion", "fetch", "distillation", "orchestrator", "gateway")
KEYS = {"temporal": {"payloadKeys": {"existingSecret": "feedmill-payload-keys"}}}
CODEC = {"gateway": {"codecToken": {"existingSecret": "feedmill-codec"}}}


def variables(manifests: list[Manifest], role: str) -> dict[str, Any]:
    (container,) = containers_of(pod_of(one(manifests, "Deployment", role)) or {})
    return {each["name"]: each for each in container["env"]}


def egress(manifests: list[Manifest]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = one(manifests, "NetworkPolicy", "all")["spec"]["egress"]
    return found


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        pytest.param("http://collector.monitoring:4318", 4318, id="named"),
        pytest.param("http://10.0.0.5", 80, id="http"),
        pytest.param("https://otlp.example/tenant", 443, id="https"),
        pytest.param("https://otlp.example:8443/tenant", 8443, id="with a path"),
    ],
)
def test_the_collector_of_traces_can_be_reached_and_nothing_more(endpoint: str, port: int) -> None:
    before = egress(render(REQUIRED))
    to = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    values = changed(REQUIRED, {"settings": {"tracingEndpoint": endpoint}})
    manifests = render(changed(values, {"networkPolicy": {"tracingTo": to}}))

    assert one(manifests, "ConfigMap", "settings")["data"]["FEEDMILL_TRACING_ENDPOINT"] == endpoint
    assert egress(render(values)) == [*before, {"ports": [{"port": port, "protocol": "TCP"}]}]
    assert egress(manifests)[-1] == {"ports": [{"port": port, "protocol": "TCP"}], "to": to}


def test_every_process_has_what_the_collector_wants() -> None:
    manifests = render(
        changed(
            REQUIRED,
            {
                "settings": {"tracingEndpoint": "https://otlp.example"},
                "tracing": {"existingSecret": "feedmill-collector"},
            },
        )
    )

    for role in ROLES:
        named = variables(manifests, role)["OTEL_EXPORTER_OTLP_HEADERS"]["valueFrom"]
        assert named == {"secretKeyRef": {"name": "feedmill-collector", "key": "headers"}}


def test_only_the_gateway_has_the_operators_token() -> None:
    manifests = render(
        changed(
            changed(changed(REQUIRED, KEYS), CODEC), {"settings": {"codecOrigins": ["https://t"]}}
        )
    )

    having = [role for role in ROLES if "FEEDMILL_CODEC_TOKEN" in variables(manifests, role)]
    assert having == ["gateway"]
    token = variables(manifests, "gateway")["FEEDMILL_CODEC_TOKEN"]["valueFrom"]
    assert token == {"secretKeyRef": {"name": "feedmill-codec", "key": "codec-token"}}
    settings = one(manifests, "ConfigMap", "settings")["data"]
    assert settings["FEEDMILL_CODEC_ORIGINS"] == "https://t"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param(CODEC, "temporal.payloadKeys.existingSecret is not", id="nothing to decrypt"),
        pytest.param(
            {"settings": {"codecOrigins": ["https://t"]}},
            "codecToken.existingSecret",
            id="no token",
        ),
        pytest.param(
            {"tracing": {"existingSecret": "x"}}, "tracingEndpoint is not", id="no collector"
        ),
    ],
)
def test_what_would_do_nothing_is_refused(values: dict[str, Any], words: str) -> None:
    assert words in (refusal(changed(REQUIRED, values)) or "")
