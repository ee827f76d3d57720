"""What the supervisor writes down about the fleet, for the other commands and for the next start."""

import contextlib
import os
import tempfile
from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError

from feedmill.models.base import BrowserModel


class PartStatus(StrEnum):
    WAITING = "waiting"
    """For another part to be ready."""
    STARTING = "starting"
    READY = "ready"
    RUNNING = "running"
    """It was ready, its process lives, and it does not answer as it should now."""
    RESTARTING = "restarting"
    """Its process ended; the next one is a moment away."""
    DONE = "done"
    STOPPING = "stopping"
    STOPPED = "stopped"


class PartState(BrowserModel):
    """One part as it stands. `created_at` (seconds since 1970) tells its process from a later one with its pid."""

    name: str
    state: PartStatus
    pid: int | None = None
    created_at: float | None = None
    restarts: int = 0
    url: str = ""


class Urls(BrowserModel):
    """Where a person finds things."""

    page: str
    docs: str
    temporal_ui: str | None = None
    metrics: dict[str, str] = Field(default_factory=dict)


class FleetState(BrowserModel):
    """The fleet of one folder, running or as it was last."""

    pid: int | None = None
    ready: bool = False
    parts: tuple[PartState, ...] = ()
    urls: Urls | None = None
    ports: dict[str, int] = Field(default_factory=dict)


def page_with_token(urls: Urls, token: str) -> str:
    """Return the page's address as a browser needs it the first time."""
    return f"{urls.page}/?token={token}"


def page_to_show(urls: Urls, token: str, *, terminal: bool) -> str:
    """Return the page's address for a message; what may be kept in a file has no token in it."""
    if terminal:
        return page_with_token(urls, token)
    return f"{urls.page} (`feedmill status` shows the address that signs in)"


def read_state(path: Path) -> FleetState:
    """Return what was written down; an empty state when nothing was, or nothing that can be read."""
    try:
        return FleetState.model_validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return FleetState()


def write_state(path: Path, state: FleetState) -> None:
    """Write it down for the owner alone, all or nothing."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(state.model_dump_json(indent=2))
        Path(draft).replace(path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
        raise
