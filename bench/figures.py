"""Passes as figures: medians over runs, ratios to the best of the others, and the aims beside them."""

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from contenders import Inside, Pass

OURS = "feedmill"
OTHERS = ("reader", "newsboat")


@dataclass(frozen=True)
class Result:
    """One pass of one poller, and what the farm says of it."""

    name: str
    setting: str
    measured: Pass
    farm: Mapping[str, Any]

    @property
    def speed(self) -> float:
        """Feeds a second."""
        return float(self.farm["requests"]) / self.measured.seconds

    @property
    def cpu_ms(self) -> float:
        return self.per_feed(self.measured.cpu_seconds)

    @property
    def inside(self) -> Inside:
        assert self.measured.inside is not None
        return self.measured.inside

    @property
    def violations(self) -> int:
        return int(sum(self.farm["violations"].values()))

    def cpu_ms_of(self, part: str) -> float:
        return self.per_feed(self.inside.cpu_seconds[part])

    def per_feed(self, seconds: float) -> float:
        """Return milliseconds for each feed asked."""
        return 1_000 * seconds / float(self.farm["requests"])


Runs = Sequence[Result]
Figure = Callable[[Runs], float]
Pick = Callable[[Sequence[float]], float]


class Case:
    """The passes of one case."""

    def __init__(self, name: str, results: Runs) -> None:
        self.name = name
        self._results = results

    def settings(self, *pollers: str) -> Iterator[Runs]:
        """Yield the runs of these pollers, setting by setting."""
        found = [each for each in self._results if each.name in pollers]
        for key in dict.fromkeys((each.name, each.setting) for each in found):
            yield [each for each in found if (each.name, each.setting) == key]

    def of(self, poller: str, figure: Figure, pick: Pick) -> float:
        """Return the figure of one of a poller's settings; NaN if it took no part."""
        medians = [figure(runs) for runs in self.settings(poller)]
        return pick(medians) if medians else math.nan

    def quicker_than(self, other: str) -> float:
        """Return how many feeds Feedmill asks while another asks one, both at their best."""
        return self.of(OURS, _speed, max) / self.of(other, _speed, max)

    def thriftier_than(self, other: str) -> float:
        """Return how many feeds Feedmill asks with the CPU that another needs for one, likewise."""
        return self.of(other, _cpu_ms, min) / self.of(OURS, _cpu_ms, min)


@dataclass(frozen=True)
class Aim:
    """What Feedmill should reach in each of these cases."""

    what: str
    cases: Sequence[str]
    value: Callable[[Case], float]
    at_least: float = -math.inf
    at_most: float = math.inf


def show(cases: Sequence[Case]) -> None:
    """Print two tables per case, the ratios, and the aims."""
    console = Console(width=150, highlight=False)
    for case in cases:
        console.print(_tabled(case.name, _SEEN, case.settings(OURS, *OTHERS)))
        console.print(_tabled(f"{case.name}, from inside", _TOLD, case.settings(OURS)))
    console.print(_ratios(cases), _aims(cases))


def _usual(figure: Callable[[Result], float]) -> Figure:
    return lambda runs: statistics.median(figure(run) for run in runs)


def _worst(figure: Callable[[Result], float]) -> Figure:
    return lambda runs: max(figure(run) for run in runs)


_speed = _usual(lambda run: run.speed)
_cpu_ms = _usual(lambda run: run.cpu_ms)
_unparsed_cpu_ms = _usual(lambda run: run.cpu_ms_of("ingestion") + run.cpu_ms_of("Postgres"))
_violations = _worst(lambda run: run.violations)
_megabytes = _worst(lambda run: run.inside.megabytes)
_lag = _worst(lambda run: run.inside.lag_most_ms)

# What the farm and the clock saw of everybody: heading, figure, how it is written.
_SEEN: Mapping[str, tuple[Figure, str]] = {
    "feeds/s": (_speed, ".0f"),
    "90 % asked, s": (_usual(lambda run: run.farm["ninety_percent_seconds"] or math.nan), ".1f"),
    "not asked": (_worst(lambda run: run.farm["not_asked"]), ".0f"),
    "CPU-ms/feed": (_cpu_ms, ".2f"),
    "MB": (_usual(lambda run: run.measured.megabytes), ".0f"),
    "entries": (_usual(lambda run: run.measured.entries), ".0f"),
    "farm, CPU-ms": (_usual(lambda run: run.per_feed(run.farm["cpu_seconds"])), ".2f"),
    "earliest, ms": (_worst(lambda run: run.farm["earliest_ms"]), ".0f"),
    "violations": (_violations, ".0f"),
}

# What Feedmill's processes measured of themselves.
_TOLD: Mapping[str, tuple[Figure, str]] = {
    "ingestion, CPU-ms": (_usual(lambda run: run.cpu_ms_of("ingestion")), ".2f"),
    "parsers": (_usual(lambda run: run.cpu_ms_of("parsers")), ".2f"),
    "Postgres": (_usual(lambda run: run.cpu_ms_of("Postgres")), ".2f"),
    "MB of one": (_megabytes, ".0f"),
    "lag p99, ms": (_usual(lambda run: run.inside.lag_p99_ms), ".0f"),
    "lag max, ms": (_lag, ".0f"),
    "beats > 100 ms": (_worst(lambda run: run.inside.late_beats), ".0f"),
    "rounds": (_usual(lambda run: run.inside.rounds), ".0f"),
}


def _of_ours(figure: Figure, pick: Pick) -> Callable[[Case], float]:
    return lambda case: case.of(OURS, figure, pick)


_ALL = ("new", "unchanged", "mixed")
_AIMS = (
    Aim("times as quick as reader", ["unchanged"], lambda case: case.quicker_than("reader"), 3),
    Aim("times as quick as newsboat", ["new"], lambda case: case.quicker_than("newsboat"), 2),
    Aim("times as thrifty as reader", ["new"], lambda case: case.thriftier_than("reader"), 5),
    Aim("CPU-ms/feed but parsers", ["unchanged"], _of_ours(_unparsed_cpu_ms, min), at_most=2),
    Aim("violations", _ALL, _of_ours(_violations, max), at_most=0),
    Aim("MB of one process", _ALL, _of_ours(_megabytes, max), at_most=300),
    Aim("lag max, ms", _ALL, _of_ours(_lag, max), at_most=100),
)


def _tabled(
    title: str, columns: Mapping[str, tuple[Figure, str]], settings: Iterator[Runs]
) -> Table:
    table = Table("", *columns, title=title, title_justify="left")
    for runs in settings:
        figures = (_written(figure(runs), form) for figure, form in columns.values())
        table.add_row(f"{runs[0].name}, {runs[0].setting}", *figures)
    return table


def _ratios(cases: Sequence[Case]) -> Table:
    headings = [f"{what} {other}" for other in OTHERS for what in ("speed /", "feeds per CPU-s /")]
    table = Table(
        "feedmill", *headings, title="Ratios, everybody at their best", title_justify="left"
    )
    for case in cases:
        ratios = [
            ratio(other) for other in OTHERS for ratio in (case.quicker_than, case.thriftier_than)
        ]
        table.add_row(case.name, *(_written(each, ".2f") for each in ratios))
    return table


def _aims(cases: Sequence[Case]) -> Table:
    table = Table("aim", "case", "now", "wanted", "met", title="Aims", title_justify="left")
    for aim in _AIMS:
        for case in cases:
            value = aim.value(case) if case.name in aim.cases else math.nan
            if not math.isnan(value):
                wanted = f"≥ {aim.at_least:g}" if aim.at_least > 0 else f"≤ {aim.at_most:g}"
                met = aim.at_least <= value <= aim.at_most
                table.add_row(aim.what, case.name, f"{value:.2f}", wanted, "yes" if met else "no")
    return table


def _written(figure: float, form: str) -> str:
    return "-" if math.isnan(figure) else format(figure, form)
