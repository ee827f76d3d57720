"""What `docker/` says, held against the code. Building the images is part of `make deploy-test`."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from feedmill.config import ServiceSettings, known_names
from feedmill_cli.stack.blueprint import SERVICES
from support.programs import binary

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "docker/Dockerfile"
COMPOSE = yaml.safe_load((ROOT / "docker/compose.yaml").read_text())


def final_stage() -> str:
    return DOCKERFILE.read_text().split("AS runtime")[1]


@pytest.mark.parametrize(
    "dockerfile",
    ["docker/Dockerfile", "docker/browser.Dockerfile", "deploy/lab/images/Dockerfile"],
)
def test_hadolint_finds_nothing(dockerfile: str) -> None:
    found = subprocess.run(
        [binary("hadolint"), str(ROOT / dockerfile)], capture_output=True, text=True, check=False
    )

    assert (found.returncode, found.stdout) == (0, "")


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    careless = tmp_path / "Dockerfile"
    careless.write_text("FROM debian:latest\nRUN apt-get install curl\n")

    found = subprocess.run(
        [binary("hadolint"), str(careless)], capture_output=True, text=True, check=False
    )

    assert found.returncode == 1
    assert "DL3007" in found.stdout


@pytest.mark.parametrize("service", SERVICES)
def test_every_role_has_its_lock_file_with_hashes_and_without_a_registry(service: str) -> None:
    lock = (ROOT / f"requirements/{service}.lock").read_text()

    packages = re.findall(r"^[a-z0-9].*==", lock, re.MULTILINE)
    assert len(packages) > 20
    assert lock.count("--hash=sha256:") >= len(packages)
    assert "://" not in lock


def test_only_hashed_packages_get_into_an_image() -> None:
    lines = DOCKERFILE.read_text().replace("\\\n", "")
    taking = re.findall(r"/pip .*?(?:install|wheel) ([^&\n]*)", lines)

    assert len(taking) == 5
    for options in taking:
        assert "--require-hashes" in options or "--no-deps" in options


def test_what_the_image_copies_is_sent_to_the_builder() -> None:
    build = DOCKERFILE.read_text().split("AS runtime")[0]
    copied = {
        source.split("/")[0]
        for line in re.findall(r"^COPY (?!--from)(.*)", build, re.MULTILINE)
        for source in line.split()[:-1]
    }
    sent = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }

    assert copied == sent


def test_images_run_as_a_number_and_say_what_they_are() -> None:
    stage = final_stage()

    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", stage, re.MULTILINE)
    assert 'ENTRYPOINT ["' in stage
    assert "HEALTHCHECK" in stage
    assert stage.count("org.opencontainers.image.") == 6
    assert "install" not in stage


def test_images_set_only_settings_that_exist() -> None:
    named = set(re.findall(r"\b(FEEDMILL_[A-Z_]+)=", DOCKERFILE.read_text()))

    assert named
    assert named <= known_names()


def test_compose_runs_every_service_from_its_own_image() -> None:
    built = {
        name: service["build"]["args"]["SERVICE"]
        for name, service in COMPOSE["services"].items()
        if "build" in service
    }

    assert built == {**{name: name for name in SERVICES}, "prepare": "orchestrator"}


def test_compose_names_only_settings_that_exist() -> None:
    named = {
        name
        for service in COMPOSE["services"].values()
        for name in service.get("environment", {})
        if name.startswith("FEEDMILL_")
    }

    assert named
    assert named <= known_names()


def test_compose_pins_what_it_takes_from_others() -> None:
    images = [service["image"] for service in COMPOSE["services"].values()]

    assert all(re.fullmatch(r"[^:@]+:[\w.-]+", image) for image in images)
    assert not any(image.endswith(":latest") for image in images)


def test_compose_mounts_only_what_is_there() -> None:
    mounted = [
        volume.split(":")[0]
        for service in COMPOSE["services"].values()
        for volume in service.get("volumes", [])
        if volume.startswith(".")
    ]

    assert mounted
    assert [path for path in mounted if not (ROOT / "docker" / path).exists()] == []


def test_prometheus_reads_every_service_where_it_says_so() -> None:
    (scrape,) = yaml.safe_load((ROOT / "docker/prometheus.yaml").read_text())["scrape_configs"]
    (found,) = scrape["dns_sd_configs"]

    assert set(found["names"]) == set(SERVICES)
    assert str(found["port"]) == str(ServiceSettings.model_fields["telemetry_port"].default)


def test_compose_waits_longer_than_a_drain_takes() -> None:
    drain = ServiceSettings.model_fields["drain_seconds"].default

    for name in SERVICES:
        grace = COMPOSE["services"][name]["stop_grace_period"]
        assert int(grace.removesuffix("s")) >= drain + 10


def test_compose_confines_what_is_ours() -> None:
    for name in (*SERVICES, "prepare"):
        service = COMPOSE["services"][name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
