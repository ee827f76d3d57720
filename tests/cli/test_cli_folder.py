import fcntl
import os
import socket
import stat
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from feedmill.errors import SettingsError
from feedmill_cli.stack import ports
from feedmill_cli.stack.folder import Folder, FolderTakenError
from feedmill_cli.stack.logfile import LogFile, gist
from feedmill_cli.stack.state import (
    FleetState,
    PartState,
    PartStatus,
    Urls,
    read_state,
    write_state,
)
from support.programs import free_port

STATE = FleetState(
    pid=7,
    ready=True,
    parts=(PartState(name="fetch", state=PartStatus.READY, pid=8, created_at=1.5, restarts=2),),
    urls=Urls(page="http://127.0.0.1:8420", docs="http://127.0.0.1:8420/docs"),
    ports={"gateway": 8420},
)


@contextmanager
def supervisor_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a folder's lock."""
    code = f"""
        import pathlib, sys
        from feedmill_cli.stack.folder import Folder
        with Folder(pathlib.Path({str(folder)!r})).locked():
            print("locked", flush=True)
            sys.stdin.read()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.kill()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "feedmill")
    made.make()
    return made


def test_the_folder_is_closed_to_others(folder: Folder) -> None:
    folder.path.chmod(0o755)

    folder.make()

    assert [mode(path) for path in (folder.path, folder.logs, folder.temporal)] == [0o700] * 3


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"FEEDMILL_DATA_DIR: Not a directory: .*/file/inside"):
        Folder(tmp_path / "file" / "inside").make()


def test_a_token_is_made_once_and_kept_secret(folder: Folder) -> None:
    assert folder.token() is None

    first = folder.settle_token(None)

    assert len(first) >= 32
    assert (folder.settle_token(None), folder.token()) == (first, first)
    assert mode(folder.path / "token") == 0o600


def test_a_given_token_is_used_from_then_on(folder: Folder) -> None:
    folder.settle_token(None)

    assert folder.settle_token("a-token-of-ones-own-choice") == "a-token-of-ones-own-choice"
    assert folder.settle_token(None) == "a-token-of-ones-own-choice"


def test_the_state_is_kept_for_the_owner_alone(folder: Folder) -> None:
    folder.save(STATE)

    assert folder.state() == STATE
    assert mode(folder.path / "state.json") == 0o600
    assert '"createdAt"' in (folder.path / "state.json").read_text()


def test_writing_the_state_leaves_no_drafts(folder: Folder) -> None:
    before = set(folder.path.iterdir())

    for ready in (True, False):
        folder.save(STATE.model_copy(update={"ready": ready}))

    assert set(folder.path.iterdir()) - before == {folder.path / "state.json"}


@pytest.mark.parametrize("written", [b"", b"{", b'{"parts": 7}', b"\xff"])
def test_a_state_that_cannot_be_read_is_none(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "state.json").write_bytes(written)

    assert read_state(tmp_path / "state.json") == FleetState()


def test_a_state_that_cannot_be_written_leaves_the_former(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.mkdir()

    with pytest.raises(OSError, match="directory"):
        write_state(path, STATE)

    assert list(tmp_path.iterdir()) == [path]


def test_one_fleet_to_a_folder(folder: Folder) -> None:
    with supervisor_in(folder.path) as other:
        with pytest.raises(FolderTakenError) as taken, folder.locked():
            raise AssertionError

        assert taken.value.pid == other.pid
        assert folder.holder() == other.pid


def test_a_killed_supervisor_holds_nothing(folder: Folder) -> None:
    with supervisor_in(folder.path) as other:
        other.kill()
        other.wait()

        assert folder.holder() is None
        with folder.locked():
            assert folder.holder() == os.getpid()
    assert folder.holder() is None


def test_onlookers_do_not_take_each_other_for_a_supervisor(folder: Folder) -> None:
    with folder.locked():
        pass

    with (folder.path / "lock").open("r+") as onlooker:
        fcntl.flock(onlooker, fcntl.LOCK_SH)

        assert folder.holder() is None


def test_a_glance_at_the_lock_does_not_stop_a_start(folder: Folder) -> None:
    with (folder.path / "lock").open("w") as onlooker:
        fcntl.flock(onlooker, fcntl.LOCK_SH)
        threading.Timer(0.2, fcntl.flock, [onlooker, fcntl.LOCK_UN]).start()

        with folder.locked():
            assert folder.holder() == os.getpid()


def test_a_folder_that_does_not_exist_holds_nobody(tmp_path: Path) -> None:
    nowhere = Folder(tmp_path / "nowhere")

    assert (nowhere.holder(), nowhere.token(), nowhere.state()) == (None, None, FleetState())
    assert not nowhere.path.exists()


def test_a_log_keeps_one_generation(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "fetch.log")
    for text in (b"first", b"second", b"third"):
        log.begin()
        with log.open() as file:
            file.write(text)

    kept = {path.name: path.read_text() for path in tmp_path.iterdir()}

    assert kept == {"fetch.log": "third", "fetch.log.1": "second"}
    assert mode(tmp_path / "fetch.log") == 0o600


def test_a_log_that_grew_too_long_is_cut_under_its_writer(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "fetch.log")
    log.begin()
    with log.open() as writer:
        writer.write(b"x" * (21 << 20))
        writer.flush()
        log.cut()
        writer.write(b"next")

    assert (tmp_path / "fetch.log").read_text() == "next"
    assert (tmp_path / "fetch.log.1").stat().st_size == 21 << 20


def test_a_log_without_room_for_a_copy_is_cut_all_the_same(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "fetch.log")
    (tmp_path / "fetch.log").write_bytes(b"x" * (21 << 20))
    (tmp_path / "fetch.log.1").symlink_to("/dev/full")

    log.cut()

    assert (tmp_path / "fetch.log").read_bytes() == b""


def test_a_log_that_is_deleted_is_missed_by_nobody(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "logs" / "fetch.log")

    log.cut()
    log.begin()
    last_line = log.last_line()
    with log.open() as file:
        file.write(b"again")

    assert last_line == ""
    assert (tmp_path / "logs" / "fetch.log").read_text() == "again"
    assert mode(tmp_path / "logs" / "fetch.log") == 0o600


def test_a_log_that_cannot_be_made_loses_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "logs").touch()
    log = LogFile(tmp_path / "logs" / "fetch.log")

    log.begin()
    log.cut()
    with log.open() as file:
        file.write(b"lost")

    assert file.name == os.devnull
    assert log.last_line() == ""


@pytest.mark.parametrize(
    ("written", "line"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b"a\nb\n\n  \n", "b", id="blank lines say nothing"),
        pytest.param(b"x" * 9_000 + b"\n end", "end", id="only the end is read"),
        pytest.param(b"\xff\n", "\N{REPLACEMENT CHARACTER}", id="no text"),
    ],
)
def test_the_last_line_that_says_something(tmp_path: Path, written: bytes, line: str) -> None:
    (tmp_path / "log").write_bytes(written)

    assert LogFile(tmp_path / "log").last_line() == line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("KeyError: 'x'", "KeyError: 'x'", id="plain"),
        pytest.param('{"event": "drained", "pid": 7}', "drained", id="an event"),
        pytest.param('{"event": "lost", "error": "refused"}', "lost: refused", id="with its error"),
        pytest.param('{"pid": 7}', '{"pid": 7}', id="JSON of somebody else"),
    ],
)
def test_the_gist_of_a_line(line: str, said: str) -> None:
    assert gist(line) == said


def test_a_port_is_free_until_somebody_listens() -> None:
    port = free_port()
    assert ports.is_free(port)

    with socket.create_server(("127.0.0.1", port)):
        assert not ports.is_free(port)
    assert ports.is_free(port)
