"""Who exports what, and who reads it: code on one side, dashboards, rules and scalers on the other."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml
from prometheus_client.metrics import MetricWrapperBase

from feedmill.telemetry import metrics
from lab.chart import CHART

RULES = CHART / "rules/feedmill.rules.yaml"
ADAPTER = CHART.parent / "prometheus-adapter.yaml"

# What others export and we read: the SDK's core and the Prometheus client.
BORROWED = frozenset(
    {
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "temporal_activity_schedule_to_start_latency_seconds",
        "temporal_num_pollers",
        "temporal_worker_task_slots_used",
        "temporal_workflow_completed_total",
        "temporal_workflow_endtoend_latency_seconds",
        "temporal_workflow_failed_total",
        "temporal_workflow_task_execution_latency_seconds",
        "temporal_workflow_task_replay_latency_seconds",
        "temporal_workflow_task_schedule_to_start_latency_seconds",
    }
)

# In the adapter's words a recording rule has another name: a colon is no letter there.
_SERVED = {"feedmill_worker_slots_used_ratio": "feedmill:worker_slots_used:ratio"}
_NAME = re.compile(r"\b(?:feedmill|temporal|process)[a-z0-9_:]+\b")
_LIMIT = re.compile(r"(?s)(.*)\s(>|<)\s([0-9.]+)\s*")


@dataclass(frozen=True)
class Use:
    """An expression, and where it stands.

    Attributes
    ----------
    measure
        The expression without the limit that makes it an alert.
    """

    where: str
    expr: str
    measure: str


def exported() -> frozenset[str]:
    """Return the names of all metrics that our code declares, as Prometheus knows them."""
    return frozenset(
        next(iter(metric.describe())).name + ("_total" if metric._type == "counter" else "")  # noqa: SLF001 - no public word for it
        for metric in vars(metrics).values()
        if isinstance(metric, MetricWrapperBase)
    )


def records() -> dict[str, str]:
    """Return every recording rule's expression by its name."""
    return {rule["record"]: rule["expr"] for rule in _rules() if "record" in rule}


def alerts() -> dict[str, dict[str, Any]]:
    """Return every alert by its name."""
    return {rule["alert"]: rule for rule in _rules() if "alert" in rule}


def uses() -> Iterator[Use]:
    """Yield every expression of every panel, rule and alert."""
    for path in sorted((CHART / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel.get("targets", []):
                where = f"{path.stem}: {panel['title']} {target['refId']}"
                yield Use(where, target["expr"], target["expr"])
    for name, expr in records().items():
        yield Use(name, expr, expr)
    for name, alert in alerts().items():
        limited = _LIMIT.fullmatch(alert["expr"])
        assert limited, f"{name} is not a measure and its limit"
        yield Use(name, alert["expr"], limited[1])


def names_in(expr: str) -> set[str]:
    """Return the metrics and rules that an expression names, histograms by what they are called."""
    found = set(_NAME.findall(re.sub(r'"[^"]*"', "", expr)))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in found}


def used() -> set[str]:
    """Return everything that somebody looks at, is woken by or scales by."""
    read = {name for use in uses() if use.where not in records() for name in names_in(use.expr)}
    scaled = names_in((CHART / "templates/scaling.yaml").read_text())
    read |= {_SERVED.get(name, name) for name in scaled}
    # What a rule that is used is made of is used with it; rules are made of earlier ones.
    for record, expr in reversed(records().items()):
        if record in read:
            read |= names_in(expr)
    return read


def adapted() -> set[str]:
    """Return what the adapter's rules serve, by the names that scalers use."""
    rules = yaml.safe_load(ADAPTER.read_text())["rules"]["external"]
    return {rule["name"]["as"] for rule in rules}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]
