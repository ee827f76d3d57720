"""Every setting of every process. A setting exists only if two deployments differ in it.

All come from the environment as `FEEDMILL_<NAME>`; the connection to Temporal is the exception, it
is read the way every Temporal user already sets it (`temporalio.envconfig`).
"""

import base64
import binascii
import difflib
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import Field, HttpUrl, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from feedmill.errors import SettingsError
from feedmill.models.hosts import HostLimit

PREFIX = "FEEDMILL_"

_KEY_BYTES = 32

Network = IPv4Network | IPv6Network

_EXCEPTION = re.compile(r"([^\s=/]+)=([0-9]+(?:\.[0-9]+)?)(?:/([0-9]{1,3}))?")

_ORIGIN = re.compile(
    r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?"
)


def _split(value: object) -> object:
    """Read a comma-separated list the way people write one."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


class LogFormat(StrEnum):
    """AUTO is console on a terminal, JSON anywhere else."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.AUTO


class StoreSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    database_url: SecretStr = Field(description="postgresql://user:password@host:port/database")
    database_pool_size: int = Field(default=10, ge=1, le=200)

    @field_validator("database_url")
    @classmethod
    def _is_postgres(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("postgresql://", "postgres://")):
            raise ValueError("must start with postgresql://")
        return url


class EncryptionSettings(BaseSettings):
    """Whether Temporal sees what it carries."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    payload_keys: SecretStr | None = Field(
        default=None,
        description="id=base64 of 32 bytes, comma-separated; the first encrypts, all decrypt",
    )

    @field_validator("payload_keys", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("payload_keys")
    @classmethod
    def _can_be_read(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _read_keys(value.get_secret_value())
        return value

    def keys(self) -> dict[str, bytes]:
        """Return the keys by id, the one in use first; none: nothing is encrypted."""
        return {} if self.payload_keys is None else _read_keys(self.payload_keys.get_secret_value())


def _read_keys(text: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        name, _, encoded = part.partition("=")
        try:
            keys[name] = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            keys[name] = b""
        # Never the value itself: this message is printed.
        if not name or len(keys[name]) != _KEY_BYTES:
            raise ValueError(f"key {name!r} is not id=base64 of {_KEY_BYTES} bytes")
    return keys


class TracingSettings(BaseSettings):
    """Whether anybody can follow one piece of work through the fleet."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    tracing_endpoint: HttpUrl | None = Field(
        default=None,
        description="an OpenTelemetry collector (OTLP over HTTP), without its /v1/traces",
    )
    tracing_share: float = Field(
        default=1.0, ge=0, le=1, description="of the traces that begin here, so many are sent"
    )

    # A name of its own: a class that has another validator of the same name would lose this one.
    @field_validator("tracing_endpoint", mode="before")
    @classmethod
    def _empty_endpoint_is_unset(cls, value: object) -> object:
        return None if value == "" else value


class ServiceSettings(LogSettings, StoreSettings, EncryptionSettings, TracingSettings):
    """What every process of the fleet can be told."""

    telemetry_host: str = Field(default="127.0.0.1", description="0.0.0.0 in a container")
    telemetry_port: int = Field(default=9400, ge=1, le=65535)
    drain_seconds: int = Field(
        default=25, ge=0, description="time given to work in flight after SIGTERM"
    )


class NetworkSettings(BaseSettings):
    """Which private addresses may be asked, and so which URLs the gateway takes."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    allowed_networks: Annotated[tuple[Network, ...], NoDecode] = Field(
        default=(), description="private networks that may be asked, comma-separated CIDR"
    )

    _split_networks = field_validator("allowed_networks", mode="before")(_split)


class WebSettings(ServiceSettings, NetworkSettings):
    """How ingestion and fetch behave on the wire."""

    contact_url: HttpUrl = Field(
        default=HttpUrl("https://github.com/feedmill/feedmill"),
        description="in the User-Agent: where a site's owner learns who asks",
    )
    host_spacing_seconds: float = Field(
        default=1.0, ge=0, le=3_600, description="least time between two requests to one host"
    )
    host_in_flight: int = Field(default=1, ge=1, le=100, description="most requests at once")
    host_groups: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="domains whose hosts count as one, comma-separated; * for every one"
    )
    host_exceptions: Annotated[tuple[HostLimit, ...], NoDecode] = Field(
        default=(), description="host=spacing seconds[/requests at once], comma-separated"
    )

    _split_groups = field_validator("host_groups", mode="before")(_split)

    @field_validator("host_exceptions", mode="before")
    @classmethod
    def _read_exceptions(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(_host_exception(str(part)) for part in value.split(",") if part.strip())
        return value


def _host_exception(text: str) -> HostLimit:
    found = _EXCEPTION.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text.strip()!r} is not host=seconds or host=seconds/requests")
    spacing = timedelta(seconds=float(found[2]))
    return HostLimit(host=found[1].lower(), spacing=spacing, in_flight=int(found[3] or 1))


class IngestionSettings(WebSettings):
    parser_processes: int = Field(default=1, ge=1, le=64)
    poll_interval_seconds: int = Field(
        default=3_600, ge=0, description="least time between two polls of one feed"
    )
    unconditional_poll_interval_seconds: int = Field(
        default=86_400, ge=0, description="the same for a feed that cannot say whether it changed"
    )
    refresh_interval_seconds: int = Field(
        default=300, ge=0, description="the same when a person asks for it"
    )
    public_url: HttpUrl | None = Field(
        default=None, description="the gateway as the internet sees it: where hubs push news to"
    )

    @field_validator("public_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


class FetchSettings(WebSettings):
    extractor_processes: int = Field(default=2, ge=1, le=64)
    always_fetch_pages: bool = Field(
        default=False, description="also where a feed has shown that it gives whole articles"
    )
    keep_pages_days: int = Field(
        default=14, ge=0, le=3_650, description="for how long pages are kept as they came; 0: never"
    )
    browser: bool = Field(
        default=False, description="whether a pool with a browser looks at pages without text"
    )
    browser_program: str | None = Field(
        default=None, description="a Chromium; one on the PATH unless it is named"
    )
    rules_dir: Path | None = Field(default=None, description="rules of your own for single sites")

    @field_validator("browser_program", "rules_dir", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


class DistillationSettings(ServiceSettings):
    """With no model named, the extractive distiller does the work: no network, no key."""

    model_url: HttpUrl | None = Field(
        default=None, description="an OpenAI-compatible endpoint, with its /v1"
    )
    model_name: str | None = None
    model_api_key: SecretStr | None = Field(
        default=None, description="leave out for a local server that wants none"
    )
    model_concurrency: int = Field(default=4, ge=1, le=256, description="of each worker")
    model_requests_per_minute: float | None = Field(
        default=None, gt=0, description="of all workers together"
    )
    model_tokens_per_minute: float | None = Field(default=None, gt=0)
    model_streaming: bool = Field(
        default=False, description="for proxies that cut a connection which says nothing"
    )
    recipe: str = Field(default="standard", description="for those who chose none")
    recipes_dir: Path | None = Field(default=None, description="recipes of your own")
    prices_file: Path | None = Field(default=None, description="what you pay, by model")
    daily_budget: Decimal | None = Field(
        default=None, ge=0, description="the most a day (UTC) may cost, in the prices' currency"
    )
    daily_tokens: int | None = Field(default=None, ge=0)
    when_spent: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("extractive",),
        description="cheaper recipes to go on with, in turn; then entries wait for another day",
    )
    distiller_processes: int = Field(default=1, ge=1, le=64)

    _split_ladder = field_validator("when_spent", mode="before")(_split)

    @field_validator(
        "model_url",
        "model_name",
        "model_api_key",
        "model_requests_per_minute",
        "model_tokens_per_minute",
        "recipes_dir",
        "prices_file",
        "daily_budget",
        "daily_tokens",
        mode="before",
    )
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @model_validator(mode="after")
    def _name_and_url_belong_together(self) -> "DistillationSettings":
        if (self.model_url is None) != (self.model_name is None):
            missing = "FEEDMILL_MODEL_URL" if self.model_url is None else "FEEDMILL_MODEL_NAME"
            raise ValueError(f"{missing} is missing: set both it and its partner, or neither")
        return self


class ShardSettings(BaseSettings):
    """Into how many parts polling is divided; each is one workflow's."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    poll_shards: int = Field(default=1, ge=1, le=4_096)


class OrchestratorSettings(ServiceSettings, NetworkSettings, ShardSettings):
    retention_days: int = Field(
        default=0, ge=0, description="after so long entries are forgotten; 0: never"
    )


class GatewaySettings(ServiceSettings, NetworkSettings, ShardSettings):
    gateway_host: str = Field(default="127.0.0.1", description="0.0.0.0 in a container")
    gateway_port: int = Field(default=8420, ge=1, le=65535)
    token: SecretStr = Field(min_length=20, description="what clients authenticate with")
    codec_token: SecretStr | None = Field(
        default=None,
        min_length=20,
        description="lets operators decrypt payloads, by Temporal's page and command line",
    )
    codec_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Temporal's pages that may ask for it, comma-separated: https://temporal.example",
    )

    _split_origins = field_validator("codec_origins", mode="before")(_split)

    @field_validator("codec_token", mode="before")
    @classmethod
    def _empty_token_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("codec_origins")
    @classmethod
    def _are_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if not _ORIGIN.fullmatch(each):
                raise ValueError(f"{each!r} is no origin: scheme://host or scheme://host:port")
        return value

    @model_validator(mode="after")
    def _operators_are_no_readers(self) -> "GatewaySettings":
        if self.codec_token is not None and self.payload_keys is None:
            raise ValueError("FEEDMILL_PAYLOAD_KEYS is missing: FEEDMILL_CODEC_TOKEN needs it")
        if self.codec_token == self.token:
            raise ValueError("FEEDMILL_CODEC_TOKEN: must be another than FEEDMILL_TOKEN")
        return self


class StackSettings(LogSettings, EncryptionSettings, TracingSettings):
    """What `feedmill up` and the other commands can be told."""

    data_dir: str | None = Field(default=None, description="where everything is kept")
    database_url: SecretStr | None = Field(default=None, description="use this Postgres instead")
    url: HttpUrl | None = Field(default=None, description="the gateway commands talk to")
    token: SecretStr | None = None
    fleet_number: int = Field(
        default=0,
        ge=0,
        le=40,
        description="of several fleets on one machine: those with different numbers share no port",
    )

    @field_validator("data_dir", "database_url", "url", "token", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value


ALL_SETTINGS: tuple[type[BaseSettings], ...] = (
    IngestionSettings,
    FetchSettings,
    DistillationSettings,
    OrchestratorSettings,
    GatewaySettings,
    StackSettings,
)

S = TypeVar("S", bound=BaseSettings)


def load(settings: type[S], environ: Mapping[str, str] = os.environ, **known: Any) -> S:
    """Read a process's settings from its environment; `known` fields are taken as they are.

    Raises
    ------
    SettingsError
        One is missing, wrong or misspelt; the message names every such variable, a line each.
    """
    problems = [_misspelt(name) for name in sorted(environ) if _is_unknown(name)]
    try:
        loaded = settings(**known)
    except ValidationError as error:
        problems += [_problem(settings, e["loc"], e["type"], e["msg"]) for e in error.errors()]
        raise SettingsError("\n".join(problems)) from error
    if problems:
        raise SettingsError("\n".join(problems))
    return loaded


def known_names() -> frozenset[str]:
    """Return the name of every environment variable that some process of ours reads."""
    return frozenset(
        f"{PREFIX}{field}".upper() for each in ALL_SETTINGS for field in each.model_fields
    )


def _is_unknown(name: str) -> bool:
    return name.startswith(PREFIX) and name not in known_names()


def _misspelt(name: str) -> str:
    close = difflib.get_close_matches(name, known_names(), n=1)
    return f"{name}: no such setting" + (f"; did you mean {close[0]}?" if close else "")


def _problem(
    settings: type[BaseSettings], location: tuple[int | str, ...], kind: str, message: str
) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    name = f"{PREFIX}{location[0]}".upper()
    if kind != "missing":
        return f"{name}: {message.removeprefix('Value error, ')}"
    description = settings.model_fields[str(location[0])].description
    return f"{name}: missing" + (f" ({description})" if description else "")
