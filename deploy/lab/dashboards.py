"""The dashboards, a panel a paragraph in `board_*.py`: `make dashboards` writes them into the chart.

A new metric goes into one of those tables, or into an alert; a test fails until it does. What is not
drawn with `rate` there is a recording rule (`rules/feedmill.rules.yaml`).
"""

import json
from pathlib import Path

from lab.board_distillation import DISTILLATION
from lab.board_feeds import FEEDS
from lab.board_fleet import FLEET
from lab.board_gateway import GATEWAY
from lab.grafana import dashboard

FOLDER = Path(__file__).parents[1] / "k8s/feedmill/dashboards"

DASHBOARDS = {
    "fleet": ("Fleet", FLEET),
    "feeds": ("Feeds", FEEDS),
    "distillation": ("Distillation", DISTILLATION),
    "gateway": ("Gateway", GATEWAY),
}


def rendered() -> dict[str, str]:
    """Return every dashboard's JSON, by the name of its file."""
    return {
        f"{name}.json": json.dumps(dashboard(name, title, rows), indent=1) + "\n"
        for name, (title, rows) in DASHBOARDS.items()
    }


def main() -> None:
    for name, text in rendered().items():
        (FOLDER / name).write_text(text)


if __name__ == "__main__":
    main()
