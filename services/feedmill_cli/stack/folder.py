"""The one folder that holds everything of a fleet, and the lock that keeps it to one fleet."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feedmill.errors import SettingsError
from feedmill_cli.errors import CommandError
from feedmill_cli.stack.state import FleetState, read_state, write_state

# Another command looks at the lock for an instant; the supervisor holds it for good.
_LOCK_SECONDS = 0.5
_LOCK_RETRY_SECONDS = 0.05

_PID_WIDTH = 20


class FolderTakenError(CommandError):
    """Another process holds the folder's lock.

    Attributes
    ----------
    pid
        The holder, if it has said so yet.
    """

    def __init__(self, path: Path, pid: int | None) -> None:
        super().__init__(f"another feedmill (pid {pid}) is at work in {path}")
        self.pid = pid


class Folder:
    """Where a fleet keeps its database, its history, its logs and what it says about itself."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.temporal = path / "temporal"
        self.logs = path / "logs"
        self._token = path / "token"
        self._state = path / "state.json"
        self._lock = path / "lock"

    def make(self) -> None:
        """Create what is missing, closed to everybody else.

        Raises
        ------
        SettingsError
            It cannot be created or written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.chmod(0o700)
            self.temporal.mkdir(exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise SettingsError(f"FEEDMILL_DATA_DIR: {error.strerror}: {self.path}") from error

    def log(self, part: str) -> Path:
        """Return the file a part's output goes to."""
        return self.logs / f"{part}.log"

    def state(self) -> FleetState:
        """Return what the last supervisor wrote down."""
        return read_state(self._state)

    def save(self, state: FleetState) -> None:
        """Write down what the fleet is like now."""
        write_state(self._state, state)

    def token(self) -> str | None:
        """Return what clients of this folder's fleet authenticate with; None before its first start."""
        try:
            return self._token.read_text().strip() or None
        except FileNotFoundError:
            return None

    def settle_token(self, given: str | None) -> str:
        """Return the token to use from now on: the one given, the one kept, or a new one."""
        kept = self.token()
        token = given or kept or secrets.token_urlsafe(24)
        if token != kept:
            self._token.touch(mode=0o600)
            self._token.write_text(f"{token}\n")
        return token

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other fleet out of the folder while the block lasts.

        Raises
        ------
        FolderTakenError
            Another process is in it.
        """
        with self._open_lock() as descriptor:
            self._take(descriptor)
            # One write of one width: whoever looks meanwhile reads a whole number.
            os.pwrite(descriptor, f"{os.getpid():<{_PID_WIDTH}}".encode(), 0)
            yield

    def holder(self) -> int | None:
        """Return the pid of the supervisor in the folder; None when there is none."""
        if not self._lock.exists():
            return None
        with self._open_lock() as descriptor:
            try:
                # Shared, so that two onlookers do not take each other for a supervisor.
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _pid_in(descriptor)
        return None

    @contextmanager
    def _open_lock(self) -> Iterator[int]:
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            if time.monotonic() > deadline:
                raise FolderTakenError(self.path, _pid_in(descriptor))
            time.sleep(_LOCK_RETRY_SECONDS)


def _pid_in(descriptor: int) -> int | None:
    # A lock was found taken; its holder may not have written its number yet.
    text = os.pread(descriptor, _PID_WIDTH, 0).strip()
    return int(text) if text else None
