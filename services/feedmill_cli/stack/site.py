"""Reads and prepares what the parts of a fleet depend on."""

from collections.abc import Mapping

from feedmill.config import (
    DistillationSettings,
    FetchSettings,
    GatewaySettings,
    IngestionSettings,
    OrchestratorSettings,
    StackSettings,
    load,
)
from feedmill.models.base import Model
from feedmill_cli.stack import ports
from feedmill_cli.stack.blueprint import Site
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.postgres import EmbeddedPostgres

_SERVICES = (IngestionSettings, FetchSettings, DistillationSettings, OrchestratorSettings)

# What a service must be told and `up` finds out by itself; valid, and never used.
_DATABASE_TO_COME = "postgresql://127.0.0.1"
_TOKEN_TO_COME = "made-at-the-first-start"  # noqa: S105 - stands for one


class Asked(Model):
    """What the settings say about the fleet as a whole."""

    database_url: str | None
    token: str | None
    gateway_port: int | None
    drain_seconds: int
    fleet_number: int = 0


def check_settings(settings: StackSettings, environ: Mapping[str, str]) -> Asked:
    """Read the settings of every service, before any is started.

    Raises
    ------
    SettingsError
        One is wrong; the message names it.
    """
    known = {} if settings.database_url else {"database_url": _DATABASE_TO_COME}
    for service in _SERVICES:
        load(service, environ, **known)
    if settings.token is None:
        known["token"] = _TOKEN_TO_COME
    gateway = load(GatewaySettings, environ, **known)
    asked_port = gateway.gateway_port if "gateway_port" in gateway.model_fields_set else None
    return Asked(
        database_url=settings.database_url and settings.database_url.get_secret_value(),
        token=settings.token and settings.token.get_secret_value(),
        gateway_port=asked_port,
        fleet_number=settings.fleet_number,
        drain_seconds=gateway.drain_seconds,
    )


def prepare_site(folder: Folder, asked: Asked, environ: Mapping[str, str]) -> Site:
    """Choose ports, settle the token, and create the database cluster at the first start.

    Blocks, for seconds at the first start.

    Raises
    ------
    SettingsError
        Postgres cannot be set up here, or a port that a setting names is taken.
    """
    chosen = ports.choose_ports(
        former=folder.state().ports,
        asked={ports.GATEWAY: asked.gateway_port} if asked.gateway_port else {},
        is_free=ports.is_free,
        fleet_number=asked.fleet_number,
    )
    url, command = asked.database_url, None
    if url is None:
        postgres = EmbeddedPostgres(folder.postgres)
        postgres.prepare()
        port = chosen[ports.POSTGRES]
        url, command = postgres.url(port), tuple(postgres.command(port))
    return Site(
        temporal_folder=folder.temporal,
        ports=chosen,
        database_url=url,
        postgres_command=command,
        token=folder.settle_token(asked.token),
        drain_seconds=asked.drain_seconds,
        environment=dict(environ),
    )
