"""What a compose implementation makes of our file."""

import subprocess
from pathlib import Path

import pytest
import yaml

from support.programs import binary

COMPOSE = Path(__file__).parents[3] / "docker/compose.yaml"

pytestmark = pytest.mark.deploy


def test_compose_understands_the_file() -> None:
    done = subprocess.run(
        [binary("podman-compose"), "--file", COMPOSE, "config"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    services = yaml.safe_load(done.stdout)["services"]
    assert set(services) >= {"postgres", "temporal", "prepare", "gateway", "prometheus", "grafana"}
    gateway = services["gateway"]
    assert gateway["read_only"] is True
    assert gateway["environment"]["TEMPORAL_ADDRESS"] == "temporal:7233"
