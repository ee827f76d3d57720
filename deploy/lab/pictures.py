"""Dashboards as pictures: each panel where Grafana would put it, with what Prometheus answered."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from lab.prometheus import Line, Prometheus

mpl.use("Agg")

_COLUMNS = 24
_ROW_INCHES = 0.36
_DARK, _PANEL, _GRID, _TEXT = "#111217", "#181b1f", "#2c3235", "#ccccdc"
_COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#b877d9", "#f2495c", "#8ab8ff", "#96d98d")
_UNITS: Mapping[str, tuple[float, str]] = {
    "bytes": (2**20, " MiB"),
    "s": (1, " s"),
    "percentunit": (0.01, " %"),
    "ops": (1, "/s"),
    "reqps": (1, "/s"),
    "short": (1, ""),
}
_LEGENDS = 8


def draw(dashboard: Mapping[str, Any], prometheus: Prometheus, path: Path) -> None:
    """Write a dashboard with its data of the whole run into a PNG."""
    panels = dashboard["panels"]
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    figure = Figure(figsize=(18, height * _ROW_INCHES), facecolor=_DARK)
    for panel in panels:
        at = panel["gridPos"]
        x, w = at["x"] / _COLUMNS, at["w"] / _COLUMNS
        y, h = 1 - (at["y"] + at["h"]) / height, at["h"] / height
        if panel["type"] == "row":
            figure.text(0.006, y + h * 0.35, panel["title"], color=_TEXT, weight="bold")
            continue
        axes = figure.add_axes((x + 0.03, y + h * 0.14, w - 0.04, h * 0.7), facecolor=_PANEL)
        _draw_panel(axes, panel, prometheus)
    figure.savefig(path, dpi=70, facecolor=_DARK)


def _draw_panel(axes: Axes, panel: Mapping[str, Any], prometheus: Prometheus) -> None:
    divisor, suffix = _UNITS[panel["fieldConfig"]["defaults"]["unit"]]
    lines = [
        (_legend(target["legendFormat"], line), line)
        for target in panel["targets"]
        for line in prometheus.over_time(target["expr"])
    ]
    axes.set_title(panel["title"], color=_TEXT, fontsize=9, loc="left")
    axes.tick_params(colors="#8e8e8e", labelsize=7)
    for spine in axes.spines.values():
        spine.set_color(_GRID)
    axes.grid(color=_GRID, linewidth=0.5)
    for (legend, line), colour in zip(lines, _COLOURS * len(lines), strict=False):
        points = [(at - prometheus.begun_at, value / divisor) for at, value in line.points]
        axes.plot(*zip(*points, strict=True), color=colour, linewidth=1.2, label=legend)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}{suffix}")
    if panel["type"] == "stat":
        _write_number(axes, [line for _, line in lines], divisor, suffix)
    elif lines:
        _write_legend(axes)


def _write_number(axes: Axes, lines: list[Line], divisor: float, suffix: str) -> None:
    values = [value for line in lines for _, value in line.points if not math.isnan(value)]
    shown = f"{values[-1] / divisor:.3g}{suffix}" if values else "No data"
    axes.text(
        0.5, 0.5, shown, color=_COLOURS[0], fontsize=18, ha="center", transform=axes.transAxes
    )


def _write_legend(axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(
        handles[:_LEGENDS],
        labels[:_LEGENDS],
        fontsize=6,
        loc="upper left",
        labelcolor=_TEXT,
        facecolor=_PANEL,
        edgecolor=_GRID,
    )


def _legend(template: str, line: Line) -> str:
    if template == "__auto":
        return ", ".join(f"{name}={value}" for name, value in line.labels.items())
    for name, value in line.labels.items():
        template = template.replace("{{" + name + "}}", value)
    return template
