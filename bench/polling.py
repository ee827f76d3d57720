"""How quick, how cheap and how polite polling is, beside `reader` and newsboat. See README.md."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from contenders import (
    Contender,
    Feedmill,
    Newsboat,
    Postgres,
    Reader,
    has_newsboat,
    reader_environment,
    running_postgres,
)
from conversation import Conversation, conversation
from farm_plan import Scene
from farm_record import Manners
from figures import OTHERS, OURS, Case, Result, show
from support.programs import free_port

_HERE = Path(__file__).parent


class _Round(NamedTuple):
    """One pass over all feeds: how they behave, and whether their hosts have to be spared."""

    scene: Scene = Scene()
    is_shown: bool = True
    is_polite: bool = False
    is_repeated: bool = True


# In this order, on one database: what is new in the first is known in those that follow. What most of
# them measure is work: with a spacing they would measure how long the largest host's queue is.
_ROUNDS = {
    "new": _Round(),
    # newsboat keeps no validators of a feed's first poll.
    "second": _Round(is_shown=False),
    "unchanged": _Round(),
    # Most of it is waiting, which differs little from run to run.
    "mixed": _Round(Scene(changed=0.1, slow=0.05, failing=0.04), is_polite=True, is_repeated=False),
}
_NO_LIMIT = Manners(spacing_seconds=0, in_flight=100)


class Farm:
    """The process with the feeds, as the one who gives it orders sees it."""

    def __init__(self, line: Conversation) -> None:
        self._line = line
        # It speaks first, once it listens.
        self._line.hear()
        self.urls: Sequence[str] = self.tell(do="urls")["urls"]

    def tell(self, **command: Any) -> dict[str, Any]:
        self._line.say(json.dumps(command))
        answer: dict[str, Any] = json.loads(self._line.hear())
        return answer


def main() -> None:
    arguments = _arguments()
    results: dict[str, list[Result]] = {name: [] for name in _ROUNDS}
    with (
        tempfile.TemporaryDirectory() as folder,
        _running_farm(arguments) as farm,
        running_postgres(Path(folder) / "postgres") as postgres,
    ):
        contenders = list(_contenders(arguments, Path(folder), postgres))
        # In turns, so that what else the machine does is shared by all.
        for run, contender in product(range(arguments.runs), contenders):
            names = [name for name in arguments.cases if not run or _ROUNDS[name].is_repeated]
            for name, result in _passes(arguments, farm, contender, names):
                print(f"{result.name}, {result.setting}, {name}: {result.speed:.0f} feeds/s")
                print(f"    {result.farm['statuses']}, violations: {result.farm['violations']}")
                results[name].append(result)
    show([Case(name, found) for name, found in results.items() if found and _ROUNDS[name].is_shown])


def _passes(
    arguments: argparse.Namespace, farm: Farm, contender: Contender, names: Sequence[str]
) -> Iterator[tuple[str, Result]]:
    farm.tell(do="forget")
    contender.follow(farm.urls)
    for name in names:
        yield name, _one_pass(arguments, farm, contender, _ROUNDS[name])


def _one_pass(
    arguments: argparse.Namespace, farm: Farm, contender: Contender, round_: _Round
) -> Result:
    limit = Manners(spacing_seconds=arguments.spacing, in_flight=arguments.in_flight)
    manners = limit if round_.is_polite else _NO_LIMIT
    farm.tell(do="scene", scene=round_.scene._asdict(), manners=asdict(manners))
    measured = contender.poll(manners)
    return Result(contender.name, contender.setting, measured, farm.tell(do="report"))


def _contenders(
    arguments: argparse.Namespace, folder: Path, postgres: Postgres
) -> Iterator[Contender]:
    if OURS in arguments.only:
        for processes in arguments.processes:
            yield Feedmill(postgres, processes, parsers=arguments.parsers)
    if "reader" in arguments.only:
        python = reader_environment(folder / "environment")
        for workers in arguments.workers:
            yield Reader(python, folder / "reader", workers)
    if "newsboat" in arguments.only and has_newsboat():
        for threads in arguments.threads:
            yield Newsboat(folder / "newsboat", threads)


@contextmanager
def _running_farm(arguments: argparse.Namespace) -> Iterator[Farm]:
    options = [f"--feeds={arguments.feeds}", f"--port={free_port()}", f"--seed={arguments.seed}"]
    with conversation([sys.executable, _HERE / "farm.py", *options]) as line:
        yield Farm(line)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--feeds", type=int, default=1_000)
    parser.add_argument("--runs", type=int, default=3, help="each from an empty database on")
    parser.add_argument("--cases", nargs="+", choices=_ROUNDS, default=list(_ROUNDS))
    parser.add_argument("--only", nargs="+", choices=(OURS, *OTHERS), default=(OURS, *OTHERS))
    parser.add_argument("--spacing", type=float, default=0.1, help="seconds, per host, in `mixed`")
    parser.add_argument("--in-flight", type=int, default=1, help="requests, likewise")
    parser.add_argument("--processes", nargs="+", type=int, default=[1], help="of Feedmill")
    parser.add_argument("--parsers", type=int, default=1, help="of each of these processes")
    parser.add_argument("--workers", nargs="+", type=int, default=[8], help="of reader")
    parser.add_argument("--threads", nargs="+", type=int, default=[8], help="of newsboat")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
