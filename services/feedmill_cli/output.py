"""Where the commands print, and what happens when nobody reads any more."""

import json
import os
import sys
import unicodedata
from typing import TextIO

from rich.console import Console

_UNWRAPPED = 10_000


class PatientFile:
    """A stream whose reader may leave: a closed terminal or pipe must not end what is being run."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or do nothing once nobody reads."""
        try:
            return self._stream.write(text)
        except OSError:
            self._forget()
            return len(text)

    def flush(self) -> None:
        """Flush, or do nothing once nobody reads."""
        try:
            self._stream.flush()
        except OSError:
            self._forget()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return its descriptor."""
        return self._stream.fileno()

    def _forget(self) -> None:
        # What is still buffered has to go somewhere, or Python fails when it exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def open_console() -> Console:
    """Return the console that results go to."""
    file = PatientFile(sys.stdout)
    # Programs read whole lines; only a terminal has an edge to wrap at.
    terminal = file.isatty()
    width = None if terminal else _UNWRAPPED
    # Said outright, because rich takes a file for a terminal when FORCE_COLOR is set, and what a
    # terminal is shown, the address that signs in among it, must not land in a log.
    return Console(file=file, width=width, highlight=False, force_terminal=terminal)  # type: ignore[arg-type] # all that rich uses of a TextIO


def complain(message: str) -> None:
    """Tell a person what is wrong, on stderr."""
    print(f"feedmill: {harmless(message)}", file=sys.stderr)


def print_json(answer: object) -> None:
    """Print JSON in plain ASCII: what a site put into a title must not reach a terminal as it is."""
    print(json.dumps(answer, indent=2))


def harmless(text: str) -> str:
    """Return a text from outside without what steers a terminal or turns its letters around."""
    return "".join(letter for letter in text if letter == "\n" or not _steers(letter))


def _steers(letter: str) -> bool:
    # Control characters, and formatting ones: bidirectional overrides are among them.
    return unicodedata.category(letter) in {"Cc", "Cf"}
