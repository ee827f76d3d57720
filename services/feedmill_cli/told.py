"""A command as the beginning of a trace, where traces are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from feedmill.config import StackSettings
from feedmill.telemetry import spans

# A person waits; a collector that is away is not waited for any longer.
_LAST_SPANS_SECONDS = 1.0

_command: ContextVar[str] = ContextVar("command", default="command")


def name_command(name: str) -> None:
    """Say which command this process is, for the name of what is told of it."""
    _command.set(name)


@contextmanager
def told(settings: StackSettings) -> Iterator[None]:
    """Tell of what a command asks for within the block."""
    spans.start(settings, "cli")
    try:
        with spans.span(f"feedmill {_command.get()}"):
            yield
    finally:
        spans.stop(_LAST_SPANS_SECONDS)
