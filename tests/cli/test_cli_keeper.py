import asyncio
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from feedmill_cli.stack.part import Part
from feedmill_cli.stack.processes import created_at
from support.parts import Diary, keeper_of, kept, never, script, until

SLEEP = "import time; time.sleep(60)"
DEAF = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("deaf", flush=True)
    time.sleep(60)
"""


async def test_a_part_is_started_watched_and_ended(tmp_path: Path) -> None:
    diary = Diary()
    keeper = keeper_of(script("mill", SLEEP), tmp_path, diary)

    async with kept(keeper):
        await until(keeper.usable.is_set)
        running = keeper.state

    assert diary.states("mill") == ["starting", "ready", "stopping", "stopped"]
    assert running.pid is not None
    assert running.created_at is not None
    assert not psutil.pid_exists(running.pid)
    assert (keeper.state.pid, keeper.state.created_at) == (None, None)


async def test_a_process_is_told_from_a_later_one_with_its_number(tmp_path: Path) -> None:
    keeper = keeper_of(script("mill", SLEEP), tmp_path, Diary())

    async with kept(keeper):
        await until(keeper.usable.is_set)

        assert keeper.state.created_at == created_at(keeper.state.pid or 0)


async def test_a_part_that_ends_is_started_again_ever_later(tmp_path: Path) -> None:
    diary = Diary()
    keeper = keeper_of(script("mill", "print('no water'); raise SystemExit(7)"), tmp_path, diary)

    began = time.monotonic()
    async with kept(keeper):
        await until(lambda: keeper.state.restarts == 3)

    assert diary.remarks("mill")[:3] == [
        "ended with code 7 (no water); again in 0.5 s",
        "ended with code 7 (no water); again in 1 s",
        "ended with code 7 (no water); again in 2 s",
    ]
    assert time.monotonic() - began > 1.5
    assert len(diary.pids("mill")) == 3


async def test_a_killed_part_comes_back_ready(tmp_path: Path) -> None:
    diary = Diary()
    keeper = keeper_of(script("mill", SLEEP), tmp_path, diary)

    async with kept(keeper):
        await until(keeper.usable.is_set)
        os.kill(diary.pids("mill")[0], signal.SIGKILL)
        await until(lambda: diary.states("mill")[-1] == "ready" and keeper.state.restarts)

    assert diary.remarks("mill") == ["ended by signal 9; again in 0.5 s"]
    assert len(diary.pids("mill")) == 2


async def test_a_part_outlives_its_log(tmp_path: Path) -> None:
    diary, folder = Diary(), tmp_path / "logs"
    folder.mkdir()
    keeper = keeper_of(script("mill", f"print('up', flush=True)\n{SLEEP}"), folder, diary, never)

    async with kept(keeper):
        await until((folder / "mill.log").read_text)
        shutil.rmtree(folder)
        # Long enough for the keeper to look at its log.
        await asyncio.sleep(0.5)
        os.kill(diary.pids("mill")[0], signal.SIGKILL)
        await until(lambda: (folder / "mill.log").exists() and (folder / "mill.log").read_text())

    assert diary.remarks("mill") == ["ended by signal 9; again in 0.5 s"]


async def test_a_part_that_ends_without_its_log_is_started_again(tmp_path: Path) -> None:
    diary = Diary()
    log = tmp_path / "mill.log"
    code = f"import os; os.unlink({str(log)!r}); raise SystemExit(7)"
    keeper = keeper_of(script("mill", code), tmp_path, diary)

    async with kept(keeper):
        await until(lambda: keeper.state.restarts == 2)

    assert diary.remarks("mill")[0] == "ended with code 7; again in 0.5 s"


async def test_a_part_that_answers_no_more_is_running_not_ready(tmp_path: Path) -> None:
    answers = iter([False, True, False])
    diary = Diary()

    async def probe() -> bool:
        return next(answers, True)

    keeper = keeper_of(script("mill", SLEEP), tmp_path, diary, probe)
    async with kept(keeper):
        await until(lambda: len(diary.changes) == 4)

    assert diary.states("mill")[:4] == ["starting", "ready", "running", "ready"]


async def test_a_part_deaf_to_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    keeper = keeper_of(script("mill", DEAF, grace_seconds=0.5), tmp_path, Diary())

    async with kept(keeper):
        await until((tmp_path / "mill.log").read_text)
        pid, began = keeper.state.pid or 0, time.monotonic()

    assert 0.5 <= time.monotonic() - began < 3
    assert not psutil.pid_exists(pid)


@pytest.mark.parametrize("seconds", [pytest.param(0, id="at once"), pytest.param(0.5, id="midway")])
async def test_a_hurry_skips_the_grace(tmp_path: Path, seconds: float) -> None:
    keeper = keeper_of(script("mill", DEAF, grace_seconds=60), tmp_path, Diary())

    async with kept(keeper) as hurry:
        await until((tmp_path / "mill.log").read_text)
        began = time.monotonic()
        asyncio.get_running_loop().call_later(seconds, hurry.set)

    assert seconds <= time.monotonic() - began < seconds + 3


async def test_a_part_ends_by_the_signal_it_likes(tmp_path: Path) -> None:
    code = """
        import signal, sys, time
        signal.signal(signal.SIGINT, lambda *_: sys.exit(print("fast shutdown", flush=True)))
        print("up", flush=True)
        time.sleep(60)
    """
    keeper = keeper_of(script("mill", code, stop_signal=signal.SIGINT), tmp_path, Diary())

    async with kept(keeper):
        await until((tmp_path / "mill.log").read_text)

    assert (tmp_path / "mill.log").read_text() == "up\nfast shutdown\n"


async def test_what_a_part_started_does_not_outlive_it(tmp_path: Path) -> None:
    code = """
        import subprocess, sys, time
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid, flush=True)
        raise SystemExit(1)
    """
    keeper = keeper_of(script("mill", code), tmp_path, Diary())

    async with kept(keeper):
        await until(lambda: keeper.state.restarts == 1)
        orphan = int((tmp_path / "mill.log").read_text().split()[0])
        await until(lambda: not _lives(orphan))


async def test_a_step_is_done_once(tmp_path: Path) -> None:
    diary = Diary()
    keeper = keeper_of(script("migrate", "", readiness=None), tmp_path, diary)

    async with kept(keeper):
        await until(keeper.usable.is_set)

    assert diary.states("migrate") == ["starting", "done"]


async def test_a_step_that_fails_is_tried_again(tmp_path: Path) -> None:
    marker = tmp_path / "second try"
    code = f"""
        import pathlib
        marker = pathlib.Path({str(marker)!r})
        if not marker.exists():
            marker.touch()
            raise SystemExit("Postgres did not answer")
    """
    diary = Diary()
    keeper = keeper_of(script("migrate", code, readiness=None), tmp_path, diary)

    async with kept(keeper):
        await until(keeper.usable.is_set)

    assert diary.states("migrate") == ["starting", "restarting", "starting", "done"]
    assert diary.remarks("migrate") == [
        "ended with code 1 (Postgres did not answer); again in 0.5 s"
    ]


async def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    diary = Diary()
    part = script("mill", "").model_copy(update={"command": (str(tmp_path / "no-such-program"),)})
    keeper = keeper_of(part, tmp_path, diary)

    async with kept(keeper):
        await until(lambda: diary.remarks("mill"))

    assert diary.remarks("mill")[0].startswith("cannot be started: [Errno 2]")
    assert "no-such-program" in diary.remarks("mill")[0]


async def test_a_keeper_that_breaks_leaves_no_process(tmp_path: Path) -> None:
    async def broken() -> bool:
        raise AssertionError("a bug")

    diary = Diary()
    keeper = keeper_of(script("mill", SLEEP), tmp_path, diary, broken)

    with pytest.raises(AssertionError, match="a bug"):
        await keeper.keep(asyncio.Event(), asyncio.Event())

    assert not any(_lives(pid) for pid in diary.pids("mill"))


async def test_ctrl_c_at_the_terminal_reaches_the_supervisor_alone(tmp_path: Path) -> None:
    keeper = keeper_of(script("mill", SLEEP), tmp_path, Diary())

    async with kept(keeper):
        await until(keeper.usable.is_set)
        pid = keeper.state.pid or 0

        assert os.getpgid(pid) == pid != os.getpgid(0)
        assert os.getsid(pid) == pid != os.getsid(0)


async def test_a_part_sees_its_own_environment_alone(tmp_path: Path) -> None:
    part = Part(
        name="mill",
        command=(sys.executable, "-c", "import os; print(os.environ['A'], os.environ.get('HOME'))"),
        environment={"A": "b"},
        readiness=None,
    )
    keeper = keeper_of(part, tmp_path, Diary())

    async with kept(keeper):
        await until(keeper.usable.is_set)

    assert (tmp_path / "mill.log").read_text() == "b None\n"


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
