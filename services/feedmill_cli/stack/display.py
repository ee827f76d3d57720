"""What a person sees of the fleet: a live table on a terminal, a line per change anywhere else."""

import time
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from feedmill_cli.stack.state import PartState, PartStatus, Urls

_STYLES = {
    PartStatus.WAITING: "dim",
    PartStatus.STARTING: "yellow",
    PartStatus.READY: "green",
    PartStatus.RUNNING: "yellow",
    PartStatus.RESTARTING: "red",
    PartStatus.DONE: "green",
    PartStatus.STOPPING: "yellow",
    PartStatus.STOPPED: "dim",
}
_REFRESHES_PER_SECOND = 2


class Display(Protocol):
    @property
    def is_terminal(self) -> bool:
        """Whether what is said goes to a person's eyes, and is not kept."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def say(self, line: str) -> None:
        """Show a line for good."""

    def changed(self, part: PartState, remark: str) -> None:
        """Show how a part stands from now on."""


class Lines:
    """For pipes, journals and containers."""

    is_terminal = False

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: dict[str, PartStatus] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing to tidy up."""

    def say(self, line: str) -> None:
        _print(self._console, line)

    def changed(self, part: PartState, remark: str) -> None:
        known = self._shown.get(part.name, PartStatus.WAITING)
        self._shown[part.name] = part.state
        if remark or known is not part.state:
            self.say(sentence(part, remark))


class LiveTable:
    """For a person at a terminal."""

    is_terminal = True

    def __init__(self, console: Console) -> None:
        self._console = console
        self._rows: dict[str, tuple[PartState, float]] = {}
        self._live = Live(
            console=console,
            get_renderable=self._table,
            refresh_per_second=_REFRESHES_PER_SECOND,
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def say(self, line: str) -> None:
        _print(self._console, line)

    def changed(self, part: PartState, remark: str) -> None:
        former, since = self._rows.get(part.name, (None, 0.0))
        same = former is not None and former.state is part.state
        self._rows[part.name] = (part, since if same else time.monotonic())
        if remark:
            self.say(sentence(part, remark))

    def _table(self) -> Table:
        table = Table("part", "state", "pid", "for", "address", box=None, padding=(0, 2, 0, 0))
        # A copy: the table is drawn by a thread of its own.
        for part, since in list(self._rows.values()):
            table.add_row(*_cells(part, time.monotonic() - since))
        return table


def open_display(console: Console) -> Display:
    """Return what fits where the output goes."""
    return LiveTable(console) if console.is_terminal else Lines(console)


def sentence(part: PartState, remark: str = "") -> str:
    """Return one line about a part: `temporal: ready (pid 71) 127.0.0.1:7233`."""
    if remark:
        return f"{part.name}: {remark}"
    pid = f" (pid {part.pid})" if part.pid else ""
    address = f" {part.url}" if part.url and part.state is PartStatus.READY else ""
    return f"{part.name}: {part.state}{pid}{address}"


def addresses(urls: Urls, page: str) -> list[str]:
    """Return where a person finds the fleet, a line each; `page` lets its reader in."""
    lines = [f"Page         {page}", f"API docs     {urls.docs}"]
    if urls.temporal_ui:
        lines.append(f"Temporal UI  {urls.temporal_ui}")
    return lines + [
        f"{'Metrics' if number == 0 else '':<12} {url}  {name}"
        for number, (name, url) in enumerate(urls.metrics.items())
    ]


def _cells(part: PartState, seconds: float) -> tuple[str | Text, ...]:
    pid = str(part.pid) if part.pid else ""
    return part.name, Text(part.state, _STYLES[part.state]), pid, duration(seconds), part.url


def duration(seconds: float) -> str:
    """Return a time span as a person says it: `7 s`, `3 min`, `5 h`, `2 d`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _print(console: Console, line: str) -> None:
    # Whole lines, so that an address can be clicked and copied; brackets in them are no markup.
    console.print(line, soft_wrap=True, markup=False)
