"""The chart in a cluster of the lab: installed, changed and removed by Helm's own engine."""

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from helm_python import Chart, HelmError
from helm_python.config import Config

from lab.api import Api
from lab.chart import CHART, NAMESPACE, RELEASE
from lab.cluster import Cluster
from lab.internet import Internet, open_internet

SERVERS = CHART.parent / "servers.yaml"
VALUES: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "values.yaml").read_text())
_SECONDS = 120


class Release:
    """One release, in a cluster, beside an internet with one site."""

    def __init__(self, helm: Config, chart: Chart, cluster: Cluster, internet: Internet) -> None:
        self._helm = helm
        self._chart = chart
        self.cluster = cluster
        self.internet = internet

    def install(self, values: Mapping[str, Any] = VALUES) -> None:
        """`helm install --wait`."""
        self._helm.install(
            self._chart,
            RELEASE,
            dict(values),
            namespace=NAMESPACE,
            wait="watcher",
            timeout=_SECONDS,
        )

    def upgrade(
        self, values: Mapping[str, Any], *, seconds: int = _SECONDS, or_back: bool = False
    ) -> None:
        """`helm upgrade --wait`, and back if it does not work if `or_back`."""
        self._helm.upgrade(
            self._chart,
            RELEASE,
            dict(values),
            namespace=NAMESPACE,
            wait="watcher",
            timeout=seconds,
            rollback_on_failure=or_back,
        )

    def rollback(self) -> None:
        self._helm.rollback(RELEASE, wait="watcher", timeout=_SECONDS)

    def test(self) -> None:
        """`helm test`: raises what its pod says."""
        try:
            self._helm.test(RELEASE, timeout=_SECONDS)
        except HelmError as error:
            error.add_note("\n".join(self.cluster.problems))
            raise

    def uninstall(self) -> None:
        self._helm.uninstall(RELEASE, wait="watcher", timeout=_SECONDS)

    def deployment(self, role: str) -> str:
        return f"{RELEASE}-feedmill-{role}"


def changed(values: Mapping[str, Any], *path: str, to: object) -> dict[str, Any]:
    """Return values with one of them changed."""
    found = copy.deepcopy(dict(values))
    inner = found
    for name in path[:-1]:
        inner = inner.setdefault(name, {})
    inner[path[-1]] = to
    return found


@contextmanager
def open_release(folder: Path) -> Iterator[Release]:
    """Start a cluster with servers and an internet; nothing of them is left after the block."""
    api = Api()
    kubeconfig = api.start()
    cluster = Cluster(api, "feedmill", NAMESPACE, folder)
    try:
        with open_internet() as internet:
            cluster.start()
            try:
                cluster.apply(SERVERS.read_text())
                helm = Config(
                    kubeconfig_content=kubeconfig, namespace=NAMESPACE, storage_driver="memory"
                )
                with Chart.load(CHART) as chart:
                    yield Release(helm, chart, cluster, internet)
            finally:
                cluster.stop()
    finally:
        api.stop()
