"""A process that is spoken with line by line, on its standard input and output."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

_LOG_CHARACTERS = 3_000


class Conversation:
    """The other side of it."""

    def __init__(self, process: "subprocess.Popen[str]", log: IO[bytes]) -> None:
        self._process = process
        self._log = log

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def hear(self) -> str:
        """Wait for the next line; end with what the process logged when there is none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            sys.exit(f"it ended:\n{self._log.read().decode()[-_LOG_CHARACTERS:]}")
        return line


@contextmanager
def conversation(command: Sequence[object]) -> Iterator[Conversation]:
    """Start a process, which ends by itself when its work is done or its input is closed."""
    # What a service logs is part of its cost, so it is written somewhere.
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            with process:
                yield Conversation(process, log)
        finally:
            process.kill()
