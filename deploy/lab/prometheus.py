"""A real Prometheus that reads what runs in the lab, and what our expressions say of it."""

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from lab.chart import Manifest

_FOLDERS = "/usr/bin:/usr/local/bin:/opt/prometheus/usr/bin"
_STEP_SECONDS = 2
_START_SECONDS = 30


class Line(NamedTuple):
    """One line of an answer: its labels, and moments with values."""

    labels: dict[str, str]
    points: list[tuple[float, float]]


class Prometheus:
    """Asks a server that runs."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.begun_at = time.time()

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._get("targets")["activeTargets"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        return [rule for group in self._get("rules")["groups"] for rule in group["rules"]]

    def over_time(self, expr: str) -> list[Line]:
        """Return what an expression of ours was since the start, for all namespaces."""
        answer = self._get(
            "query_range",
            query=filled_in(expr),
            start=f"{self.begun_at:.3f}",
            end=f"{time.time():.3f}",
            step=str(_STEP_SECONDS),
        )
        return [
            Line(each["metric"], [(float(at), float(value)) for at, value in each["values"]])
            for each in answer["result"]
        ]

    def values_of(self, label: str, series: str) -> set[str]:
        found = self._get("series", **{"match[]": series})
        return {each[label] for each in found if label in each}

    def is_ready(self) -> bool:
        try:
            urllib.request.urlopen(f"{self._url}/-/ready", timeout=2).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _get(self, path: str, **query: str) -> Any:
        url = f"{self._url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]


def filled_in(expr: str) -> str:
    """Return an expression of a panel the way Grafana would send it."""
    for name, value in (("$__rate_interval", "30s"), ("$__range", "5m"), ("$namespace", ".*")):
        expr = expr.replace(name, value)
    return expr


def program(name: str) -> str:
    """Return where `prometheus` or `promtool` is.

    Raises
    ------
    FileNotFoundError
        It is nowhere; `deploy/lab/setup.sh` installs it.
    """
    found = shutil.which(name, path=_FOLDERS)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed: run deploy/lab/setup.sh")
    return found


@contextmanager
def open_prometheus(
    folder: Path, port: int, rules: Manifest, targets: Callable[[], Sequence[Manifest]]
) -> Iterator[Prometheus]:
    """Run a Prometheus on loopback while the block lasts.

    Parameters
    ----------
    rules
        The spec of a PrometheusRule.
    targets
        Returns whom it reads; asked every second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lab.rules.yaml").write_text(yaml.safe_dump(_hurried(rules)))
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(_config(folder)))
    ended = threading.Event()
    threading.Thread(target=_write_targets, args=(folder, targets, ended), daemon=True).start()
    with (folder / "prometheus.log").open("w") as log:
        server = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={folder}/prometheus.yaml",
                f"--storage.tsdb.path={folder}/data",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        _until(prometheus.is_ready)
        yield prometheus
    finally:
        ended.set()
        server.terminate()
        server.wait(20)


def _hurried(rules: Manifest) -> Manifest:
    """Let rules be computed as often as the lab is read."""
    groups = [{**group, "interval": f"{_STEP_SECONDS}s"} for group in rules["groups"]]
    return {"groups": groups}


def _config(folder: Path) -> Manifest:
    every = f"{_STEP_SECONDS}s"
    found = {"files": [f"{folder}/targets.json"], "refresh_interval": "1s"}
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [f"{folder}/lab.rules.yaml"],
        "scrape_configs": [{"job_name": "feedmill", "file_sd_configs": [found]}],
    }


def _write_targets(
    folder: Path, targets: Callable[[], Sequence[Manifest]], ended: threading.Event
) -> None:
    while not ended.is_set():
        new = folder / "targets.json.new"
        new.write_text(json.dumps(targets()))
        new.replace(folder / "targets.json")
        ended.wait(1)


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("Prometheus did not start")
        time.sleep(0.1)
