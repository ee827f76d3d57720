import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil
import pytest

from feedmill_cli.stack.ending import Ending
from feedmill_cli.stack.fleet import Fleet
from feedmill_cli.stack.leftovers import end_leftovers, leftovers
from feedmill_cli.stack.part import HttpAnswers, Part
from feedmill_cli.stack.processes import created_at
from feedmill_cli.stack.readiness import is_ready
from feedmill_cli.stack.state import FleetState, PartState, PartStatus
from support.parts import Diary, keeper_of, script, until
from support.programs import free_port

SLEEP = "import time; time.sleep(60)"
SLOW_TO_END = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.7), sys.exit(0)))
    print("up", flush=True)
    time.sleep(60)
"""


class Running:
    def __init__(self, fleet: Fleet, ending: Ending, announced: list[float]) -> None:
        self.fleet = fleet
        self.ending = ending
        self.announced = announced


@asynccontextmanager
async def running(parts: Sequence[Part], folder: Path, diary: Diary) -> AsyncIterator[Running]:
    """Run a fleet of small parts while the block lasts."""
    fleet, ending = Fleet([keeper_of(part, folder, diary) for part in parts]), Ending()
    announced: list[float] = []
    task = asyncio.create_task(fleet.run(ending, lambda: announced.append(time.monotonic())))
    try:
        yield Running(fleet, ending, announced)
    finally:
        ending.begun.set()
        await task


def orders(diary: Diary, state: str) -> list[str]:
    return [change.name for change, _ in diary.changes if change.state == state]


async def test_parts_begin_after_what_they_need_and_end_before_it(tmp_path: Path) -> None:
    diary = Diary()
    parts = [
        script("gateway", SLOW_TO_END, needs=("migrate", "postgres")),
        script("migrate", "", needs=("postgres",), readiness=None),
        script("postgres", SLEEP),
    ]

    async with running(parts, tmp_path, diary) as run:
        await until(lambda: run.announced and (tmp_path / "gateway.log").read_text())
        assert run.fleet.is_ready()

    assert orders(diary, "starting") == ["postgres", "migrate", "gateway"]
    assert orders(diary, "stopping") == ["gateway", "postgres"]
    assert orders(diary, "stopped") == ["gateway", "postgres"]


async def test_a_fleet_is_ready_when_its_last_part_is(tmp_path: Path) -> None:
    diary = Diary()
    parts = [script("fetch", SLEEP), script("broken", "raise SystemExit(1)", readiness=None)]

    async with running(parts, tmp_path, diary) as run:
        await until(lambda: diary.remarks("broken"))

        assert "ready" in diary.states("fetch")
        assert (run.fleet.is_ready(), run.announced) == (False, [])


async def test_what_never_began_is_not_started_to_be_ended(tmp_path: Path) -> None:
    diary = Diary()
    parts = [
        script("migrate", "raise SystemExit(1)", readiness=None),
        script("gateway", SLEEP, needs=("migrate",)),
    ]

    async with running(parts, tmp_path, diary):
        await until(lambda: diary.remarks("migrate"))

    assert diary.states("gateway") == ["stopped"]


async def test_parts_end_side_by_side(tmp_path: Path) -> None:
    async with running([script(name, SLOW_TO_END) for name in "abc"], tmp_path, Diary()):
        await until(lambda: all((tmp_path / f"{name}.log").read_text() for name in "abc"))
        began = time.monotonic()

    assert 0.7 <= time.monotonic() - began < 2


async def test_the_second_ctrl_c_hurries_and_a_closing_terminal_does_not() -> None:
    ending = Ending()

    ending.on_signal(signal.SIGHUP)
    ending.on_signal(signal.SIGHUP)
    ending.on_signal(signal.SIGTERM)
    assert (ending.begun.is_set(), ending.hurried.is_set()) == (True, False)

    ending.on_signal(signal.SIGINT)
    assert ending.hurried.is_set()


async def test_the_first_ctrl_c_ends_well() -> None:
    ending = Ending()

    ending.on_signal(signal.SIGINT)

    assert (ending.begun.is_set(), ending.hurried.is_set()) == (True, False)


async def test_a_part_is_ready_when_it_answers_200(tmp_path: Path) -> None:
    port = free_port()
    code = f"""
        import http.server
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/readyz" else 503)
                self.end_headers()
        http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
    """
    async with aiohttp.ClientSession() as session:

        async def answers(path: str) -> bool:
            return await is_ready(session, HttpAnswers(url=f"http://127.0.0.1:{port}/{path}"))

        assert not await answers("readyz")
        async with running([script("mill", code)], tmp_path, Diary()):
            async with asyncio.timeout(20):
                while not await answers("readyz"):
                    await asyncio.sleep(0.05)
            assert not await answers("draining")
        assert not await is_ready(session, None)


@pytest.fixture
def orphan() -> PartState:
    """A part that lives on without its supervisor."""
    return orphaned("gateway", SLEEP)


def orphaned(name: str, code: str) -> PartState:
    # Twice removed: not a child of ours, so that its end is noticed without our wait.
    parent = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {code!r}], start_new_session=True, stdout=sys.stderr)
print(child.pid)
"""
    done = subprocess.run(
        [sys.executable, "-c", parent],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    pid = int(done.stdout)
    return PartState(name=name, state=PartStatus.READY, pid=pid, created_at=created_at(pid))


def test_leftovers_are_found_and_ended(orphan: PartState) -> None:
    state = FleetState(parts=(orphan, PartState(name="fetch", state=PartStatus.RESTARTING)))

    left = leftovers(state)
    end_leftovers(left, grace_seconds=5)

    assert left == [orphan]
    assert leftovers(state) == []


def test_leftovers_deaf_to_sigterm_are_killed() -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    orphan = orphaned("temporal", deaf)
    _wait_until_it_minds(orphan.pid or 0)

    end_leftovers([orphan], grace_seconds=0.3)

    assert leftovers(FleetState(parts=(orphan,))) == []


def test_a_later_process_with_the_same_number_is_left_alone() -> None:
    ours = PartState(name="postgres", state=PartStatus.READY, pid=os.getpid(), created_at=1.0)

    assert leftovers(FleetState(parts=(ours,))) == []
    end_leftovers([ours])


def test_services_end_before_what_they_need() -> None:
    dying = "import signal,sys,time; signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.5), sys.exit())); time.sleep(60)"
    gateway, postgres = orphaned("gateway", dying), orphaned("postgres", SLEEP)
    _wait_until_it_minds(gateway.pid or 0)

    with ThreadPoolExecutor() as pool:
        ending = [pool.submit(_ended_at, part) for part in (gateway, postgres)]
        end_leftovers([postgres, gateway])

    assert ending[0].result() < ending[1].result()


def _ended_at(part: PartState) -> float:
    psutil.wait_procs([psutil.Process(part.pid)], timeout=10)
    return time.monotonic()


def _wait_until_it_minds(pid: int) -> None:
    deadline = time.monotonic() + 10
    bit = 1 << (signal.SIGTERM - 1)
    while time.monotonic() < deadline:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        masks = [
            int(line.split()[1], 16) for line in status if line.startswith(("SigIgn", "SigCgt"))
        ]
        if any(mask & bit for mask in masks):
            return
        time.sleep(0.02)
    raise AssertionError("it never set its handler")
