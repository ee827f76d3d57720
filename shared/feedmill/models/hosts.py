"""What the governor knows of a host: how it may be asked, and what it has said to that."""

from datetime import datetime, timedelta

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


class _Answer(Model):
    """What a host's next requests may reckon with.

    Attributes
    ----------
    next_at
        When the host may be asked next, by Postgres's clock.
    spacing
        What it gets at present, its own wishes included.
    """

    next_at: AwareDatetime
    spacing: timedelta

    def turn(self, number: int) -> datetime:
        """Return when the `number`-th of those who wait (from 0) should come back."""
        return self.next_at + number * self.spacing


class Admitted(_Answer):
    """Requests to a host may start now, one for each place; the next one at `next_at`."""

    places: tuple[Place, ...]


class NotYet(_Answer):
    """The host may be asked at `next_at`, which is `wait` away."""

    wait: timedelta


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
