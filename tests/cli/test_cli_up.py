"""`feedmill` as a person runs it: real processes, with a database that is away so that little starts."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from feedmill import __version__
from feedmill_cli.__main__ import main
from feedmill_cli.stack.blueprint import SERVICES
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.leftovers import end_leftovers, leftovers
from feedmill_cli.stack.state import FleetState, PartState
from support.programs import free_port

AWAY = "postgresql://nobody@127.0.0.1:9/nothing"
# Longer than the longest end there is: a drain and the grace after it, on a busy machine.
_SECONDS = 60


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Shell:
    """A folder of its own, commands typed in it, and fleets started in it, which it ends."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = Folder(folder / "feedmill")
        self._capsys = capsys
        self._started: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str) -> Said:
        code = 0
        try:
            main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        said = self._capsys.readouterr()
        return Said(code=code, out=said.out, err=said.err)

    def start(self, *arguments: str, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "feedmill_cli", *arguments]
        process = subprocess.Popen(
            command, stdout=stdout, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        self._started.append(process)
        return process

    def part(self, name: str) -> PartState | None:
        return next((part for part in self.folder.state().parts if part.name == name), None)

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()
        # One in the background is no child of ours, and would start again what is ended below.
        if (detached := self.folder.holder()) is not None:
            psutil.Process(detached).kill()
        end_leftovers(leftovers(self.folder.state()))


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Shell]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FEEDMILL_DATA_DIR", str(tmp_path / "feedmill"))
    opened = Shell(tmp_path, capsys)
    yield opened
    opened.close()


@pytest.fixture
def database_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDMILL_DATABASE_URL", AWAY)


@pytest.fixture
def temporal_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:9")


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.usefixtures("database_away", "temporal_elsewhere")
def test_one_fleet_to_a_folder(shell: Shell) -> None:
    first = shell.start("up")
    wait_for(lambda: shell.folder.state().pid)

    second = shell.run("up")
    detached = shell.run("up", "--detach")
    first.send_signal(signal.SIGINT)
    told = first.communicate(timeout=_SECONDS)[0]

    urls = shell.folder.state().urls
    assert urls
    refusal = (
        f"feedmill: already running in {shell.folder.path} (pid {first.pid}): "
        f"{urls.page} (`feedmill status` shows the address that signs in)\n"
    )
    assert (second.code, second.err) == (1, refusal)
    assert (detached.code, detached.err) == (1, refusal)
    assert (first.returncode, shell.folder.state().pid) == (0, None)
    assert told.splitlines()[0] == f"Everything is kept in {shell.folder.path}"
    assert "gateway: stopped" in told


@pytest.mark.usefixtures("database_away", "temporal_elsewhere")
def test_who_starts_a_second_fleet_at_a_terminal_is_let_into_the_first(shell: Shell) -> None:
    shell.start("up")
    wait_for(lambda: shell.folder.state().pid)

    terminal, inside = pty.openpty()
    second = shell.start("up", stdout=inside)
    os.close(inside)
    second.wait(_SECONDS)
    told = os.read(terminal, 4_096).decode()
    os.close(terminal)

    assert f"/?token={shell.folder.token()}\r\n" in told


def test_a_whole_fleet_writes_its_token_into_no_log(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    monkeypatch.setenv("FEEDMILL_DATABASE_URL", empty_database_url)
    monkeypatch.setenv("FORCE_COLOR", "1")

    up = start_in_background(shell)
    status = shell.run("status")
    page = json.loads(shell.run("status", "--json").out)["urls"]["page"]
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(page) as answer:
        signed_in = answer.status
    down = shell.run("down")

    token = shell.folder.token()
    logs = {path.name: path.read_text() for path in shell.folder.logs.iterdir()}
    assert token
    assert (signed_in, down.code) == (200, 0)
    assert [page.endswith(f"/?token={token}"), page in up, page in status.out] == [True] * 3
    assert "(`feedmill status` shows the address that signs in)" in logs["supervisor.log"]
    assert len(logs) > len(SERVICES)
    assert [name for name, text in logs.items() if token in text] == []


def start_in_background(shell: Shell) -> str:
    # A process of its own: it leaves a child behind, as it should.
    process = shell.start("up", "--detach")
    told = process.communicate(timeout=2 * _SECONDS)[0]
    assert process.returncode == 0, told
    return told


def test_status_and_down_without_a_fleet(shell: Shell) -> None:
    status, as_json, down = shell.run("status"), shell.run("status", "--json"), shell.run("down")

    assert (status.code, as_json.code, down.code) == (3, 3, 0)
    assert status.out == f"Feedmill is not running in {shell.folder.path}.\n"
    assert down.out == status.out
    assert json.loads(as_json.out) == {
        "running": False,
        "ready": False,
        "dataDir": str(shell.folder.path),
        "pid": None,
        "parts": [],
        "urls": None,
    }


@pytest.mark.usefixtures("database_away")
def test_what_a_killed_supervisor_leaves_is_shown_and_ended(shell: Shell) -> None:
    supervisor = shell.start("up")
    wait_for(lambda: (part := shell.part("temporal")) and part.state == "ready")
    temporal = shell.part("temporal")
    running = json.loads(shell.run("status", "--json").out)
    supervisor.kill()
    supervisor.wait()

    status = shell.run("status")
    down = shell.run("down")

    assert temporal
    assert {part["name"]: part["state"] for part in running["parts"]} == {
        "temporal": "ready",
        **dict.fromkeys(
            ["ingestion", "fetch", "distillation", "orchestrator", "gateway"], "waiting"
        ),
    }
    assert (running["running"], running["ready"], running["pid"]) == (True, False, supervisor.pid)
    assert running["urls"]["page"].endswith(f"/?token={shell.folder.token()}")
    assert status.code == 3
    assert f"Left of it: temporal (pid {temporal.pid}). `feedmill down` ends that." in status.out
    assert down.out == "Ended what was left of a fleet: temporal.\n"
    assert not psutil.pid_exists(temporal.pid or 0)


@pytest.mark.usefixtures("database_away")
def test_the_next_start_ends_leftovers_and_keeps_the_ports(shell: Shell) -> None:
    port = free_port()
    shell.folder.make()
    shell.folder.save(FleetState(ports={"temporal": port}))
    first = shell.start("up")
    wait_for(lambda: (part := shell.part("temporal")) and part.state == "ready")
    left = shell.part("temporal")
    first.kill()
    first.wait()

    second = shell.start("up")
    wait_for(lambda: shell.folder.state().pid == second.pid)
    wait_for(lambda: (part := shell.part("temporal")) and part.state == "ready")
    again = shell.part("temporal")
    down = shell.run("down")
    told = second.communicate(timeout=_SECONDS)[0]

    assert left
    assert again
    assert f"Ending what an earlier fleet left behind: temporal (pid {left.pid})\n" in told
    assert left.url == f"127.0.0.1:{port}"
    assert f"temporal: ready (pid {again.pid}) {left.url}\n" in told
    assert (down.out, second.returncode) == ("Feedmill has ended.\n", 0)
    assert not [part for part in shell.folder.state().parts if part.pid]


@pytest.fixture
def heeding_hangups() -> Iterator[None]:
    """Tests may run under nohup, whose children inherit its deafness."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("database_away", "temporal_elsewhere", "heeding_hangups")
def test_a_closed_terminal_ends_the_fleet_well(shell: Shell) -> None:
    terminal, inside = pty.openpty()
    supervisor = shell.start("up", stdout=inside)
    os.close(inside)
    wait_for(lambda: shell.folder.state().pid)

    os.close(terminal)
    supervisor.send_signal(signal.SIGHUP)

    assert supervisor.wait(_SECONDS) == 0
    assert shell.folder.state().pid is None


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param(
            {"FEEDMILL_LOG_LEVL": "debug"},
            "feedmill: FEEDMILL_LOG_LEVL: no such setting; did you mean FEEDMILL_LOG_LEVEL?\n",
            id="misspelt",
        ),
        pytest.param(
            {"FEEDMILL_MODEL_NAME": "small"},
            "feedmill: FEEDMILL_MODEL_URL is missing: set both it and its partner, or neither\n",
            id="of one service",
        ),
    ],
)
def test_a_wrong_setting_is_named_before_anything_starts(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], problem: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert shell.run("up") == Said(code=2, out="", err=problem)
    assert not shell.folder.path.exists()


def test_settings_come_from_the_env_file_unless_set(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FEEDMILL_TELEMETRY_PORT=many\nFEEDMILL_DATA_DIR=/nowhere\n")

    process = shell.start("up")
    told = process.communicate(timeout=_SECONDS)[0]

    assert process.returncode == 2
    assert told.startswith("feedmill: FEEDMILL_TELEMETRY_PORT: Input should be a valid integer")
    assert not shell.folder.path.exists()


@pytest.mark.usefixtures("database_away", "temporal_elsewhere")
def test_a_fleet_in_the_background_that_fails_says_why(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("FEEDMILL_GATEWAY_PORT", str(port))

        said = shell.run("up", "--detach")

    problem = f"feedmill: FEEDMILL_GATEWAY_PORT: somebody listens on {port} already\n"
    assert said == Said(code=2, out="", err=problem)


@pytest.mark.usefixtures("database_away", "temporal_elsewhere")
def test_a_fleet_in_the_background_that_is_late_goes_on_trying(shell: Shell) -> None:
    shell.folder.make()
    code = f"""
        import pathlib
        from feedmill_cli.errors import CommandError
        from feedmill_cli.stack.detached import start_detached
        from feedmill_cli.stack.folder import Folder
        try:
            start_detached(Folder(pathlib.Path({str(shell.folder.path)!r})), ready_seconds=6)
        except CommandError as error:
            print(error)
    """
    # A process of its own: it leaves a child behind, as it should.
    command = [sys.executable, "-c", textwrap.dedent(code)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    wait_for(shell.folder.holder)

    assert told.startswith("not ready yet, and still trying: ")
    assert shell.run("down") == Said(code=0, out="Feedmill has ended.\n", err="")


def test_migrate_brings_the_schema_up_to_date(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, empty_database_url: str
) -> None:
    nowhere = shell.run("migrate")
    monkeypatch.setenv("FEEDMILL_DATABASE_URL", empty_database_url)
    first, again = shell.run("migrate"), shell.run("migrate")
    monkeypatch.setenv("FEEDMILL_DATABASE_URL", AWAY)
    away = shell.run("migrate")

    assert (first.out, first.code) == (again.out, again.code)
    assert first.out.startswith("The schema stands at 0")
    assert (away.code, nowhere.code) == (1, 3)
    assert away.err.startswith("feedmill: Postgres did not answer: ")
    assert "there is no database to migrate" in nowhere.err


def test_the_version_is_told(shell: Shell) -> None:
    assert shell.run("--version") == Said(code=0, out=f"feedmill {__version__}\n", err="")
