import io
import os
from pathlib import Path

import pytest
from rich.console import Console

from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.processes import created_at
from feedmill_cli.stack.state import FleetState, PartState, PartStatus, Urls
from feedmill_cli.stack.status import FleetReport, PartReport, report, table

URLS = Urls(page="http://127.0.0.1:8420", docs="http://127.0.0.1:8420/docs", metrics={"fetch": "m"})
# A process that surely lives: this one.
ALIVE = PartState(
    name="fetch",
    state=PartStatus.READY,
    pid=os.getpid(),
    created_at=created_at(os.getpid()),
    restarts=2,
    url="http://127.0.0.1:9402",
)
GONE = PartState(name="gateway", state=PartStatus.RUNNING, pid=7, created_at=1.0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path)
    made.make()
    made.settle_token("a-token-of-ones-own-choice")
    made.save(FleetState(pid=os.getpid(), ready=True, parts=(ALIVE, GONE), urls=URLS))
    return made


def shown(answer: FleetReport) -> list[str]:
    console = Console(file=io.StringIO(), width=200)
    console.print(table(answer))
    assert isinstance(console.file, io.StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines()]


def test_a_running_fleet_is_what_its_supervisor_wrote_down(folder: Folder) -> None:
    with folder.locked():
        answer = report(folder)

    page = "http://127.0.0.1:8420/?token=a-token-of-ones-own-choice"
    assert answer == FleetReport(
        running=True,
        ready=True,
        data_dir=str(folder.path),
        pid=os.getpid(),
        parts=(
            PartReport(
                name="fetch",
                state=PartStatus.READY,
                pid=os.getpid(),
                restarts=2,
                url="http://127.0.0.1:9402",
            ),
            PartReport(name="gateway", state=PartStatus.RUNNING, pid=7, restarts=0, url=""),
        ),
        urls=URLS.model_copy(update={"page": page}),
    )
    assert shown(answer) == [
        f"Feedmill runs in {folder.path} (pid {os.getpid()})",
        "",
        "part state pid restarts address",
        f"fetch ready {os.getpid()} 2 http://127.0.0.1:9402",
        "gateway running 7 0",
        "",
        f"Page {page}",
        "API docs http://127.0.0.1:8420/docs",
        "Metrics m fetch",
    ]


def test_without_a_supervisor_only_what_lives_counts(folder: Folder) -> None:
    answer = report(folder)

    assert answer == FleetReport(
        running=False,
        ready=False,
        data_dir=str(folder.path),
        pid=None,
        parts=(
            PartReport(
                name="fetch",
                state=PartStatus.RUNNING,
                pid=os.getpid(),
                restarts=2,
                url="http://127.0.0.1:9402",
            ),
            PartReport(name="gateway", state=PartStatus.STOPPED, pid=None, restarts=0, url=""),
        ),
        urls=None,
    )
    left = f"Left of it: fetch (pid {os.getpid()}). `feedmill down` ends that."
    assert shown(answer) == [f"Feedmill is not running in {folder.path}. {left}"]
