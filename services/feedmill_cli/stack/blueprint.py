"""The parts of a fleet on one machine, and where a person finds them. Nothing here starts anything."""

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, TypeAdapter

from feedmill.config import FetchSettings
from feedmill.models.base import Model
from feedmill_cli.stack import ports
from feedmill_cli.stack.part import HttpAnswers, Part, PostgresAccepts
from feedmill_cli.stack.state import Urls

POSTGRES = "postgres"
TEMPORAL = "temporal"
MIGRATE = "migrate"
SERVICES = ("ingestion", "fetch", "distillation", "orchestrator", "gateway")
BROWSER = "fetch-browser"
"""The fetch service's other role: there only where a setting wants it."""

_BROWSER_SETTING = "FEEDMILL_BROWSER"

# A service ends itself this long after its drain at the latest; then something is really wrong.
_BEYOND_DRAIN_SECONDS = 10

# Any of them says: there is a Temporal already.
_TEMPORAL_ELSEWHERE = ("TEMPORAL_ADDRESS", "TEMPORAL_PROFILE", "TEMPORAL_CONFIG_FILE")
# How to reach another Temporal, which ours would not understand.
_TEMPORAL_SECRETS = ("TEMPORAL_API_KEY", "TEMPORAL_TLS")

_LOOPBACK = "127.0.0.1"
_EVERY_ADDRESS = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, never bound


class Site(Model):
    """Everything that the parts of one fleet depend on."""

    temporal_folder: Path
    ports: dict[str, int]
    database_url: str = Field(repr=False)
    postgres_command: tuple[str, ...] | None = Field(description="None: Postgres is elsewhere")
    token: str = Field(repr=False)
    drain_seconds: int
    environment: dict[str, str] = Field(repr=False)

    @property
    def brings_temporal(self) -> bool:
        """Whether no other Temporal is named."""
        return not any(self.environment.get(name) for name in _TEMPORAL_ELSEWHERE)


def parts_of(site: Site) -> tuple[Part, ...]:
    """Return the fleet's parts, each after the ones it needs."""
    postgres = [_postgres(site, site.postgres_command)] if site.postgres_command else []
    temporal = [_temporal(site)] if site.brings_temporal else []
    migrate = _migrate(site, needs=tuple(part.name for part in postgres))
    brought = (*postgres, *temporal, migrate)
    needs = tuple(part.name for part in brought)
    return (*brought, *(_service(site, name, needs) for name in services_of(site)))


def services_of(site: Site) -> tuple[str, ...]:
    """Return the names of our own services, as far as this fleet has them."""
    wants_browser = FetchSettings.model_fields["browser"].default
    if told := site.environment.get(_BROWSER_SETTING):
        wants_browser = TypeAdapter(bool).validate_python(told)
    return (*SERVICES, BROWSER) if wants_browser else SERVICES


def urls_of(site: Site) -> Urls:
    """Return where a person finds the fleet; the page's token is not among it."""
    page = _gateway_url(site)
    metrics = {name: f"{_telemetry_url(site, name)}/metrics" for name in services_of(site)}
    if not site.brings_temporal:
        return Urls(page=page, docs=f"{page}/docs", metrics=metrics)
    metrics[TEMPORAL] = f"http://{_LOOPBACK}:{site.ports[ports.TEMPORAL_METRICS]}/metrics"
    ui = f"http://{_LOOPBACK}:{site.ports[ports.TEMPORAL_UI]}"
    return Urls(page=page, docs=f"{page}/docs", temporal_ui=ui, metrics=metrics)


def _postgres(site: Site, command: tuple[str, ...]) -> Part:
    return Part(
        name=POSTGRES,
        command=command,
        environment=site.environment,
        readiness=PostgresAccepts(url=site.database_url),
        url=f"postgresql://{_LOOPBACK}:{site.ports[ports.POSTGRES]}",
        # "Fast": sessions are ended, a checkpoint is written. SIGTERM would wait for every client.
        stop_signal=signal.SIGINT,
        # "Immediate": nothing is lost, the next start replays the log.
        hurry_signal=signal.SIGQUIT,
        grace_seconds=30,
    )


def _temporal(site: Site) -> Part:
    namespace = site.environment.get("TEMPORAL_NAMESPACE", "default")
    http = f"http://{_LOOPBACK}:{site.ports[ports.TEMPORAL_HTTP]}"
    return Part(
        name=TEMPORAL,
        command=_temporal_command(site, namespace),
        # Nothing on this machine reports home.
        environment={**_without_other_temporal(site), "TEMPORAL_VERSION_CHECK_DISABLED": "1"},
        readiness=HttpAnswers(url=f"{http}/api/v1/namespaces/{namespace}"),
        url=f"{_LOOPBACK}:{site.ports[ports.TEMPORAL]}",
    )


def _temporal_command(site: Site, namespace: str) -> tuple[str, ...]:
    program = Path(sys.executable).parent / "temporal"
    options = {
        "ip": _LOOPBACK,
        "port": site.ports[ports.TEMPORAL],
        "ui-port": site.ports[ports.TEMPORAL_UI],
        "http-port": site.ports[ports.TEMPORAL_HTTP],
        "metrics-port": site.ports[ports.TEMPORAL_METRICS],
        "namespace": namespace,
        "db-filename": site.temporal_folder / "temporal.sqlite",
        "log-level": "warn",
    }
    # Write-ahead log, or every workflow waits for several syncs (6 workflows/s instead of 24).
    # NORMAL, not OFF: both survive a killed process, but only NORMAL leaves a sound file after a
    # power cut. The 34 workflows/s of OFF are no use to a laptop; its history is.
    pragmas = ("journal_mode=wal", "synchronous=normal")
    return (
        *(str(program), "server", "start-dev", "--ui-disable-news-fetch"),
        *(f"--{name}={value}" for name, value in options.items()),
        *(f"--sqlite-pragma={pragma}" for pragma in pragmas),
        # Runs share the queues instead of standing behind the one that came first.
        "--dynamic-config-value=matching.enableFairness=true",
    )


def _migrate(site: Site, needs: tuple[str, ...]) -> Part:
    return Part(
        name=MIGRATE,
        command=(sys.executable, "-m", "feedmill_cli", "migrate"),
        environment={**site.environment, "FEEDMILL_DATABASE_URL": site.database_url},
        readiness=None,
        needs=needs,
    )


def _service(site: Site, name: str, needs: tuple[str, ...]) -> Part:
    telemetry = _telemetry_url(site, name)
    return Part(
        name=name,
        command=(sys.executable, "-m", *_program(name)),
        environment=service_environment(site, name),
        readiness=HttpAnswers(url=f"{telemetry}/readyz"),
        needs=needs,
        url=_gateway_url(site) if name == "gateway" else telemetry,
        grace_seconds=site.drain_seconds + _BEYOND_DRAIN_SECONDS,
    )


def _program(name: str) -> tuple[str, ...]:
    return ("feedmill_fetch", "browser") if name == BROWSER else (f"feedmill_{name}",)


def service_environment(site: Site, name: str) -> dict[str, str]:
    """Return the whole environment of one of our services."""
    environment = {
        **(_with_our_temporal(site) if site.brings_temporal else site.environment),
        "FEEDMILL_DATABASE_URL": site.database_url,
        "FEEDMILL_TELEMETRY_PORT": str(site.ports[f"{name}-telemetry"]),
        "FEEDMILL_LOG_FORMAT": "json",
    }
    if name == "gateway":
        environment["FEEDMILL_TOKEN"] = site.token
        environment["FEEDMILL_GATEWAY_PORT"] = str(site.ports[ports.GATEWAY])
    return environment


def _with_our_temporal(site: Site) -> dict[str, str]:
    address = f"{_LOOPBACK}:{site.ports[ports.TEMPORAL]}"
    return {**_without_other_temporal(site), "TEMPORAL_ADDRESS": address}


def _without_other_temporal(site: Site) -> dict[str, str]:
    kept = {
        name: value
        for name, value in site.environment.items()
        if not name.startswith(_TEMPORAL_SECRETS)
    }
    # The user's default profile, if there is one, is about another Temporal too.
    return {**kept, "TEMPORAL_CONFIG_FILE": os.devnull}


def _gateway_url(site: Site) -> str:
    host = _reachable(site.environment, "FEEDMILL_GATEWAY_HOST")
    return f"http://{host}:{site.ports[ports.GATEWAY]}"


def _telemetry_url(site: Site, name: str) -> str:
    host = _reachable(site.environment, "FEEDMILL_TELEMETRY_HOST")
    return f"http://{host}:{site.ports[f'{name}-telemetry']}"


def _reachable(environment: Mapping[str, str], name: str) -> str:
    host = environment.get(name, "")
    return _LOOPBACK if host in _EVERY_ADDRESS else host
