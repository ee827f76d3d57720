"""One release in a lab, for the story that the tests here tell in order."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.prometheus import Prometheus, open_prometheus
from lab.release import Release, open_release
from support.deployed import Gateway
from support.programs import free_port

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def images() -> str:
    """Every image that the lab runs, and the name that ours begin with."""
    for program in ("podman", "buildah", "iptables"):
        if shutil.which(program) is None:
            pytest.fail(f"{program} is not installed: run deploy/lab/setup.sh as root")
    build = ROOT / "deploy/lab/images/build.sh"
    built = subprocess.run([build], capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-3_000:]
    return "localhost/feedmill-"


@pytest.fixture(scope="session")
def release(images: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """The chart, installed."""
    with open_release(tmp_path_factory.mktemp("volumes")) as opened:
        opened.install()
        yield opened


@pytest.fixture(scope="session")
def gateway(release: Release) -> Gateway:
    return Gateway(release.cluster.address(release.deployment("gateway")))


@pytest.fixture(scope="session")
def prometheus(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """What the fleet says of itself, from now on."""
    (rules,) = release.cluster.api.of_kind("PrometheusRule")
    folder = tmp_path_factory.mktemp("prometheus")
    with open_prometheus(folder, free_port(), rules["spec"], release.cluster.targets) as running:
        yield running
