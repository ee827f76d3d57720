"""Every metric is looked at, everything looked at is exported, and every alert leads to a page."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from feedmill.telemetry import metrics
from lab import metrics as known
from lab.chart import CHART, one, render
from lab.dashboards import rendered
from lab.metrics import BORROWED, alerts, exported, names_in, records, used, uses
from support.charts import REQUIRED, changed, value_sets

RUNBOOKS = Path(__file__).parents[2] / "docs/runbooks.md"
RULE_TESTS = CHART / "rules/feedmill.rules.test.yaml"
# What Prometheus adds to everything that it reads from a pod.
TARGET_LABELS = {"namespace", "pod", "component", "le"}

DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in (CHART / "dashboards").glob("*.json")
}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]


def test_every_metric_that_we_export_is_looked_at() -> None:
    assert exported() - used() == set(), "see CONTRIBUTING: a metric"


def test_everything_that_is_looked_at_is_exported() -> None:
    assert used() - exported() - set(records()) - BORROWED == set()


def test_every_rule_is_looked_at() -> None:
    assert set(records()) - used() == set()


def test_nothing_is_borrowed_for_nothing() -> None:
    assert BORROWED - used() == set()


def test_a_metric_that_nobody_looks_at_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    forgotten = Counter("feedmill_forgotten_total", "Looked at by nobody.", registry=None)
    monkeypatch.setattr(metrics, "FORGOTTEN", forgotten, raising=False)

    assert exported() - used() == {"feedmill_forgotten_total"}


def test_an_expression_about_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(metrics, "EVENT_LISTENERS")

    assert used() - exported() - set(records()) - BORROWED == {"feedmill_event_listeners"}


@pytest.mark.parametrize(
    ("expr", "names"),
    [
        ("rate(feedmill_x_seconds_bucket[5m])", {"feedmill_x_seconds"}),
        ("feedmill:y:ratio / feedmill_z_total", {"feedmill:y:ratio", "feedmill_z_total"}),
        ('temporal_a{task_queue="feedmill_b"}', {"temporal_a"}),
        ("sum by (namespace) (up)", set()),
    ],
)
def test_names_are_found_in_expressions(expr: str, names: set[str]) -> None:
    assert names_in(expr) == names


def test_dashboards_are_what_their_tables_say() -> None:
    committed = {path.name: path.read_text() for path in (CHART / "dashboards").glob("*.json")}

    assert committed == rendered(), "run `make dashboards`"


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    for target in panel["targets"]:
        assert '{namespace=~"$namespace"' in target["expr"]
        # Every label that a legend names is one that is left.
        for label in re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]):
            assert re.search(rf"\b{label}\b", target["expr"]) or ":" in target["expr"]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_lie_side_by_side(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells


def test_what_rates_are_broken_down_by_are_labels_of_the_metric() -> None:
    labels = {
        metric._name: set(metric._labelnames)
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
    }
    asked = re.compile(
        r"by \(([\w, ]+)\) \((?:rate|increase)\((feedmill_\w+?)(?:_total|_bucket|_count|_sum)?[{\[]"
    )

    found = [each for use in uses() for each in asked.findall(use.expr)]

    assert len(found) > 20
    for by, name in found:
        assert set(by.replace(" ", "").split(",")) <= labels[name] | TARGET_LABELS, (by, name)


def test_quantiles_and_objectives_are_read_at_bounds_that_buckets_have() -> None:
    bounds = {f"{float(bound):g}" for bound in (*metrics.READABLE_SECONDS, *metrics.WORK_SECONDS)}

    asked = {le for use in uses() for le in re.findall(r'le=~"(\d+)', use.expr)}

    assert asked == {"900", "93600"}
    assert asked <= bounds


@pytest.mark.parametrize("name", alerts())
def test_an_alert_says_what_is_wrong_and_where_to_read_on(name: str) -> None:
    alert = alerts()[name]

    assert alert["labels"]["severity"] in {"critical", "warning"}
    assert alert["annotations"]["summary"].endswith(".")
    assert alert["annotations"]["runbook_url"].endswith(f"docs/runbooks.md#{name.lower()}")


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    sections = re.findall(r"^## (Feedmill\w+)$", RUNBOOKS.read_text(), re.MULTILINE)

    assert sorted(sections) == sorted(alerts())


def test_every_alert_has_been_seen_to_fire() -> None:
    tests = yaml.safe_load(RULE_TESTS.read_text())["tests"]

    fired = {
        case["alertname"]
        for test in tests
        for case in test.get("alert_rule_test", [])
        if case["exp_alerts"]
    }
    assert fired == set(alerts())


def test_runbooks_may_be_somewhere_else() -> None:
    values = {"monitoring": {"rules": True, "runbooks": "https://wiki.example/feeds"}}
    rule = one(render(changed(REQUIRED, values)), "PrometheusRule")

    links = {
        each["annotations"]["runbook_url"]
        for group in rule["spec"]["groups"]
        for each in group["rules"]
        if "alert" in each
    }
    assert "https://wiki.example/feeds#feedmilldown" in links
    assert all(link.startswith("https://wiki.example/feeds#feedmill") for link in links)


def test_the_chart_ships_every_dashboard_and_rule() -> None:
    manifests = render(value_sets()["keda"])

    shipped = {
        key
        for manifest in manifests
        if manifest["kind"] == "ConfigMap"
        and manifest["metadata"]["labels"].get("grafana_dashboard") == "1"
        for key in manifest["data"]
    }
    assert shipped == {f"feedmill-{name}" for name in rendered()}
    rules = one(manifests, "PrometheusRule")["spec"]["groups"]
    assert sum(len(group["rules"]) for group in rules) == len(records()) + len(alerts())


def test_what_an_hpa_scales_by_is_served_by_the_adapter() -> None:
    manifests = render(value_sets()["hpa"])

    wanted = {
        metric["external"]["metric"]["name"]
        for manifest in manifests
        if manifest["kind"] == "HorizontalPodAutoscaler"
        for metric in manifest["spec"]["metrics"]
    }
    assert wanted == known.adapted()
