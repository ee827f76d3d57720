"""How far a feed has come: a bar on a terminal, a line per change anywhere else."""

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn

from feedmill.models.runs import IngestionProgress, RunStep


class ProgressDisplay(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def show(self, progress: IngestionProgress) -> None:
        """Show how far it has come."""


class ProgressLines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing to tidy up."""

    def show(self, progress: IngestionProgress) -> None:
        line = describe_step(progress)
        if progress.total:
            line += f": {describe_counts(progress)}"
        if line != self._last:
            self._last = line
            self._console.print(line, soft_wrap=True, markup=False)


class ProgressBar:
    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=console,
            transient=True,
        )
        self._task = self._progress.add_task("asking for the feed", total=None)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, progress: IngestionProgress) -> None:
        self._progress.update(
            self._task,
            description=describe_step(progress),
            total=progress.total or None,
            completed=ended(progress),
        )


class Silence:
    """For programs: they read the result alone."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing to tidy up."""

    def show(self, progress: IngestionProgress) -> None:
        """Show nothing."""


def open_progress(console: Console, *, as_json: bool) -> ProgressDisplay:
    """Return what fits whoever reads the output."""
    if as_json:
        return Silence()
    return ProgressBar(console) if console.is_terminal else ProgressLines(console)


def ended(progress: IngestionProgress) -> int:
    """Return how many entries have reached an end, good or bad."""
    ends = (
        progress.distilled,
        progress.unchanged,
        progress.unavailable,
        progress.undistillable,
    )
    return sum(ends)


def describe_step(progress: IngestionProgress) -> str:
    """Return what the run does now, in a word or two."""
    if progress.step is RunStep.WAITING and progress.waiting_until is not None:
        return f"waiting for the site until {progress.waiting_until.astimezone():%H:%M}"
    return progress.step


def describe_counts(progress: IngestionProgress) -> str:
    """Return how the entries of a run stand: `7 of 20 entries distilled, 2 unavailable`."""
    if not progress.total:
        return "nothing new"
    counts = [f"{progress.distilled} of {progress.total} entries distilled"]
    for number, word in (
        (progress.unchanged, "unchanged"),
        (progress.unavailable, "unavailable"),
        (progress.undistillable, "not distillable"),
        (progress.left, "left for later"),
    ):
        counts += [f"{number} {word}"] if number else []
    return ", ".join(counts)
