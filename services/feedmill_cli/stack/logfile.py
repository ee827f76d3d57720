"""The file a part writes to: one generation is kept, and it cannot grow without end."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from feedmill.models.base import Model

_LARGEST_BYTES = 20 << 20
_TAIL_BYTES = 4_096


class _Event(Model):
    event: str
    error: str = ""


class LogFile:
    """A deleted file or a full disk costs what would have been written, and never the writer."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._former = path.with_name(f"{path.name}.1")

    def begin(self) -> None:
        """Keep what an earlier fleet wrote as `.1`, and start an empty file."""
        with suppress(OSError):
            self._path.replace(self._former)
        with suppress(OSError):
            self._path.touch(mode=0o600)

    def open(self) -> BinaryIO:
        """Open it for a process to write to; where it cannot be, what is written is lost."""
        try:
            self._path.parent.mkdir(exist_ok=True, mode=0o700)
            self._path.touch(mode=0o600)
            # Appending, so that a process goes on at the new end after the file was cut.
            return self._path.open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def cut(self) -> None:
        """Move what it holds to `.1` if that has become too much; drop it if there is no room."""
        with suppress(OSError):
            if self._path.stat().st_size > _LARGEST_BYTES:
                with suppress(OSError):
                    shutil.copyfile(self._path, self._former)
                os.truncate(self._path, 0)

    def last_line(self) -> str:
        """Return the last line that says something, or an empty string."""
        lines = self._tail().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def _tail(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - _TAIL_BYTES))
                return file.read()
        except OSError:
            return b""


def gist(line: str) -> str:
    """Return what a line of a log says: of one in JSON its event, of any other all of it."""
    try:
        said = _Event.model_validate_json(line)
    except ValidationError:
        return line
    return f"{said.event}: {said.error}" if said.error else said.event
