"""What a process says of single pieces of work, to whoever follows one through the whole fleet.

Spans are sent only where the settings name a collector. Anywhere else nothing of OpenTelemetry is
loaded (`start` alone does that), and what is here costs an attribute and a comparison.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Literal, Protocol, Self

from temporalio.client import Plugin

from feedmill.config import TracingSettings

Kind = Literal["internal", "server", "client"]
Fact = str | int | float | bool | Sequence[str]
Facts = Mapping[str, Fact]

_NO_FACTS: Facts = {}


class Span(Protocol):
    """One piece of work, while it is done."""

    def note(self, facts: Facts) -> None:
        """Say more about it. Never a text, a key, a path or a query: others read it."""

    def rename(self, name: str) -> None:
        """Call it what it turned out to be; names take few values."""

    def fail(self, why: str) -> None:
        """Say that it went wrong, by a word that takes few values."""

    def end(self) -> None:
        """End it now; what follows within its block is no part of it."""


class Tracing(Protocol):
    """Where spans go to."""

    def span(
        self, name: str, facts: Facts, kind: Kind, parent: Mapping[str, str] | None
    ) -> AbstractContextManager[Span]: ...

    def silence(self) -> AbstractContextManager[object]: ...

    def ids(self) -> Mapping[str, str]: ...

    def headers(self) -> Mapping[str, str]: ...

    def plugins(self) -> Sequence[Plugin]: ...

    def stop(self, seconds: float) -> None: ...


class _Nothing:
    """Stands in for every span where none is sent."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def note(self, facts: Facts) -> None: ...

    def rename(self, name: str) -> None: ...

    def fail(self, why: str) -> None: ...

    def end(self) -> None: ...


_NOTHING = _Nothing()
_tracing: Tracing | None = None


def start(settings: TracingSettings, service: str, *, build: str | None = None) -> None:
    """Send spans from now on, if the settings say where to. Once per process.

    Parameters
    ----------
    service
        Of which process they tell.
    build
        Which build of it this is, where several run at once.
    """
    global _tracing  # noqa: PLW0603 - what is current is the process's, as OpenTelemetry's own provider is
    if settings.tracing_endpoint is None:
        return
    from feedmill.telemetry.tracing import OpenTelemetryTracing  # noqa: PLC0415 - only who sends spans has to load it

    _tracing = OpenTelemetryTracing(settings, service, build)


def stop(seconds: float) -> None:
    """Send what was not sent yet, for at most so long. Blocks; spans from now on are lost."""
    global _tracing  # noqa: PLW0603 - as above
    if _tracing is not None:
        _tracing.stop(seconds)
        _tracing = None


def are_sent() -> bool:
    """Whether anybody is told of spans."""
    return _tracing is not None


def span(
    name: str,
    facts: Facts = _NO_FACTS,
    *,
    kind: Kind = "internal",
    parent: Mapping[str, str] | None = None,
) -> AbstractContextManager[Span]:
    """Tell of the work done within the block, as a part of what is told of already.

    Parameters
    ----------
    parent
        Headers of the request that caused it, with lower-case names; None: what happens around it.
    """
    return _NOTHING if _tracing is None else _tracing.span(name, facts, kind, parent)


def silence() -> AbstractContextManager[object]:
    """Tell of nothing within the block, nor of what others do because of it."""
    return _NOTHING if _tracing is None else _tracing.silence()


def ids() -> Mapping[str, str]:
    """Return `trace_id` and `span_id` of what is being done, as W3C writes them; nothing without one."""
    return {} if _tracing is None else _tracing.ids()


def headers() -> Mapping[str, str]:
    """Return what a request to a process of ours carries, so that it tells of the same work."""
    return {} if _tracing is None else _tracing.headers()


def plugins() -> Sequence[Plugin]:
    """Return what Temporal's client needs to tell of runs and activities."""
    return () if _tracing is None else _tracing.plugins()
