"""What the governor knows of a host: how it may be asked, and what it has said to that."""

from datetime import timedelta

from pydantic import AwareDatetime, Field

from feedmill.models.base import Model


class HostLimit(Model):
    """How often one host is asked at the most, by our own settings."""

    host: str = Field(description="a host, or what several count as together")
    spacing: timedelta = Field(description="least time between the starts of two requests")
    in_flight: int = Field(ge=1, description="most requests at once")


class Place(Model):
    """One request's place at a host, held until it is given back or taken for lost."""

    limit: HostLimit
    lost_at: AwareDatetime
    started_ago: timedelta = Field(default=timedelta(0), description="age of the request itself")


class Admitted(Model):
    """Requests to a host may start now, one for each place."""

    places: tuple[Place, ...]


class NotYet(Model):
    """The host may be asked again at `until`, by Postgres's clock; that is `wait` away."""

    until: AwareDatetime
    wait: timedelta
    spacing: timedelta = Field(description="what the host gets at present, its own wishes included")


class HostState(Model):
    """What is remembered of a host, besides who is asking it."""

    host: str
    next_free_at: AwareDatetime
    held_until: AwareDatetime | None = None
    busy: int = Field(default=0, ge=0, description="requests in flight")
    strikes: int = Field(default=0, ge=0, description="refusals in a row")
    learnt_spacing: timedelta | None = None
    learnt_at: AwareDatetime | None = None
    window_started_at: AwareDatetime | None = None
    window_requests: int = Field(default=0, ge=0)
