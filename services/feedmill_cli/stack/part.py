"""What a part of the fleet is. Nothing here starts anything."""

import signal
from typing import Literal

from pydantic import Field

from feedmill.models.base import Model


class HttpAnswers(Model):
    """Ready when a GET of `url` answers 200."""

    kind: Literal["http"] = "http"
    url: str


class PostgresAccepts(Model):
    """Ready when Postgres lets us in."""

    kind: Literal["postgres"] = "postgres"
    url: str = Field(repr=False)


Readiness = HttpAnswers | PostgresAccepts


class Part(Model):
    """One process of the fleet, as it should be."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = Field(repr=False, description="all of it, nothing is inherited")
    readiness: Readiness | None = Field(
        description="None: a step that is done, and not started again, once it ends with code 0"
    )
    needs: tuple[str, ...] = Field(default=(), description="parts that are ready before it starts")
    url: str = Field(default="", description="where it is found, without secrets")
    stop_signal: signal.Signals = signal.SIGTERM
    hurry_signal: signal.Signals = Field(
        default=signal.SIGKILL, description="when there is no time to end well"
    )
    grace_seconds: float = Field(default=10.0, ge=0, description="between the two signals")
