"""Whether this release can go on with runs of another: their histories, kept in files, replayed.

    python -m feedmill_orchestrator.replaying record FOLDER    # from a running fleet
    python -m feedmill_orchestrator.replaying check FOLDER

Record before a rollout, with what runs now; check with what is to run next.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from temporalio import workflow
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer, WorkflowRunner

from feedmill.config import EncryptionSettings, load
from feedmill.models.base import Model
from feedmill.worker.connection import connect_once, data_converter
from feedmill.worker.run import workflow_runner
from feedmill_orchestrator.registry import WORKFLOWS

EXIT_INCOMPATIBLE = 1


class Incompatible(Model):
    """A run that the present code cannot go on with."""

    name: str
    problem: str


async def record(client: Client, folder: Path, *, per_workflow: int) -> list[str]:
    """Write down the histories of the newest runs of every workflow; return what they are called."""
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - a command has nobody to hold up
    recorded: list[str] = []
    for name in sorted(map(name_of, WORKFLOWS)):
        runs = client.list_workflows(f"WorkflowType = '{name}'", limit=per_workflow)
        async for run in runs:
            history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
            path = folder / f"{name}.{run.run_id}.json"
            path.write_text(history.to_json())
            recorded.append(path.name)
    return recorded


async def check(
    paths: Sequence[Path],
    workflows: Sequence[type] = WORKFLOWS,
    runner: WorkflowRunner | None = None,
) -> list[Incompatible]:
    """Replay histories with the present code; return those that it cannot go on with."""
    replayer = Replayer(
        workflows=workflows,
        workflow_runner=runner or workflow_runner(),
        data_converter=data_converter(load(EncryptionSettings).keys()),
    )
    problems: list[Incompatible] = []
    for path in paths:
        history = WorkflowHistory.from_json(path.stem, path.read_text())
        replayed = await replayer.replay_workflow(history, raise_on_replay_failure=False)
        if replayed.replay_failure is not None:
            problem = str(replayed.replay_failure)
            problems.append(Incompatible(name=path.name, problem=problem))
    return problems


def name_of(workflow_class: type) -> str:
    """Return what histories call a workflow."""
    name = workflow._Definition.must_from_class(workflow_class).name  # noqa: SLF001 - the SDK says it nowhere else
    assert name is not None  # noqa: S101 - ours are all named
    return name


def main(arguments: Sequence[str] | None = None) -> int:
    """Record or check; print a line per run."""
    asked = _parser().parse_args(arguments)
    return asyncio.run(_record(asked) if asked.what == "record" else _check(asked.folder))


async def _record(asked: argparse.Namespace) -> int:
    client = await connect_once(keys=load(EncryptionSettings).keys())
    names = await record(client, asked.folder, per_workflow=asked.runs)
    print(f"recorded {len(names)} runs in {asked.folder}")  # noqa: T201 - a command prints
    return 0


async def _check(folder: Path) -> int:
    paths = sorted(folder.glob("*.json"))  # noqa: ASYNC240 - as above
    problems = await check(paths)
    for each in problems:
        print(f"{each.name}: {each.problem}", file=sys.stderr)  # noqa: T201 - a command prints
    print(f"replayed {len(paths)} runs, {len(problems)} cannot go on")  # noqa: T201 - as above
    return EXIT_INCOMPATIBLE if problems else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="feedmill replay", description=__doc__)
    parser.add_argument("what", choices=("record", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=20, help="newest of each workflow")
    return parser


if __name__ == "__main__":
    sys.exit(main())
