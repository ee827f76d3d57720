"""Grafana's dashboards as data: panels in rows on its grid of 24 columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# What Grafana 11 writes.
_SCHEMA_VERSION = 39
_COLUMNS = 24
_SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Series:
    """One query and what its lines are called."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """What one picture shows.

    Attributes
    ----------
    kind
        Grafana's name of it: `timeseries`, or `stat` for a single number.
    thresholds
        From which value on the number is yellow and red; for a `stat`.
    """

    title: str
    description: str
    unit: str
    series: tuple[Series, ...]
    kind: str = "timeseries"
    width: int = 12
    stacked: bool = False
    thresholds: tuple[float, float] | None = None


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


def dashboard(name: str, title: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return a dashboard in Grafana's JSON."""
    return {
        "uid": f"feedmill-{name}",
        "title": f"Feedmill / {title}",
        "tags": ["feedmill"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": list(_variables())},
        "panels": list(_placed(rows)),
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
    }
    query = "label_values(feedmill_ready, namespace)"
    yield {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _SOURCE,
        "query": {"query": query, "refId": "namespace"},
        "definition": query,
        "includeAll": True,
        "allValue": ".*",
        "multi": True,
        "current": {"text": "All", "value": "$__all"},
        # Namespaces come and go with the time that is looked at.
        "refresh": 2,
        "sort": 1,
    }


def _placed(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    number, y = 1, 0
    for row in rows:
        yield {
            "id": number,
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "gridPos": {"x": 0, "y": y, "w": _COLUMNS, "h": 1},
            "panels": [],
        }
        number, x, y = number + 1, 0, y + 1
        for panel in row.panels:
            height = 5 if panel.kind == "stat" else 8
            if x + panel.width > _COLUMNS:
                x, y = 0, y + height
            place = {"x": x, "y": y, "w": panel.width, "h": height}
            yield {"id": number, "gridPos": place, **_drawn(panel)}
            number, x = number + 1, x + panel.width
        y += height


def _drawn(panel: Panel) -> dict[str, Any]:
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _SOURCE,
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _SOURCE,
                "expr": series.expr,
                "legendFormat": series.legend or "__auto",
                "editorMode": "code",
                "range": True,
            }
            for index, series in enumerate(panel.series)
        ],
    }


def _defaults(panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 8,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
        }
    if panel.thresholds is not None:
        yellow, red = panel.thresholds
        defaults["color"] = {"mode": "thresholds"}
        defaults["thresholds"] = {
            "mode": "absolute",
            "steps": [
                {"color": "green", "value": None},
                {"color": "yellow", "value": yellow},
                {"color": "red", "value": red},
            ],
        }
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "reduceOptions": {"calcs": ["lastNotNull"]},
            "colorMode": "value",
            "graphMode": "area",
        }
    return {
        "legend": {"displayMode": "table", "placement": "right", "calcs": ["mean", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
