"""Somebody at a terminal."""

import asyncio
from dataclasses import dataclass

import pytest

from feedmill_cli.__main__ import main


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Person:
    """Types commands in an empty folder, with a gateway named in the environment."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    async def types(self, *arguments: str) -> Said:
        # A thread of its own: the command has an event loop, and so has the test.
        code = await asyncio.to_thread(self._run, arguments)
        said = self._capsys.readouterr()
        return Said(code=code, out=said.out, err=said.err)

    def _run(self, arguments: tuple[str, ...]) -> int:
        try:
            main(arguments)
        except SystemExit as end:
            return int(end.code or 0)
        return 0
