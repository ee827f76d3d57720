"""Small real processes that play parts of a fleet."""

import asyncio
import os
import sys
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from feedmill_cli.stack.keeper import Keeper, Probe
from feedmill_cli.stack.logfile import LogFile
from feedmill_cli.stack.part import HttpAnswers, Part
from feedmill_cli.stack.state import PartState

NEVER_ASKED = HttpAnswers(url="http://127.0.0.1:9/")


def script(name: str, code: str, **fields: object) -> Part:
    """Return a part whose process runs some Python."""
    return Part.model_validate(
        {
            "name": name,
            "command": (sys.executable, "-c", textwrap.dedent(code)),
            "environment": dict(os.environ),
            "readiness": NEVER_ASKED,
            "grace_seconds": 5,
            **fields,
        }
    )


class Diary:
    """Remembers every change of every part, in order."""

    def __init__(self) -> None:
        self.changes: list[tuple[PartState, str]] = []

    def write(self, state: PartState, remark: str) -> None:
        self.changes.append((state, remark))

    def states(self, name: str) -> list[str]:
        return [state.state for state, _ in self.changes if state.name == name]

    def remarks(self, name: str) -> list[str]:
        return [remark for state, remark in self.changes if state.name == name and remark]

    def pids(self, name: str) -> list[int]:
        found = [state.pid for state, _ in self.changes if state.name == name and state.pid]
        return list(dict.fromkeys(found))


def keeper_of(part: Part, folder: Path, diary: Diary, probe: Probe | None = None) -> Keeper:
    """Return a keeper that writes its part's log into a folder; its part is ready at once."""
    log = LogFile(folder / f"{part.name}.log")
    log.begin()
    usual = never if part.readiness is None else always
    return Keeper(part, log, probe or usual, diary.write)


async def always() -> bool:
    return True


async def never() -> bool:
    return False


async def until(condition: Callable[[], object], *, seconds: float = 20) -> None:
    """Return once a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def kept(keeper: Keeper) -> AsyncIterator[asyncio.Event]:
    """Keep a part running while the block lasts; yields what hurries its end."""
    stop, hurry = asyncio.Event(), asyncio.Event()
    keeping = asyncio.create_task(keeper.keep(stop, hurry))
    try:
        yield hurry
    finally:
        stop.set()
        await keeping
