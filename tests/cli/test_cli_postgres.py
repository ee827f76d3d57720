import os
import signal
import stat
import threading
import time
from functools import partial
from pathlib import Path

import aiohttp
import psutil
import psycopg
import pytest

from feedmill.errors import SettingsError
from feedmill_cli.stack.part import Part, PostgresAccepts
from feedmill_cli.stack.postgres import EmbeddedPostgres
from feedmill_cli.stack.readiness import is_ready
from support.parts import Diary, keeper_of, kept, until
from support.programs import embedded_postgres, free_port

AS_ROOT = os.geteuid() == 0


def test_whoever_runs_it_owns_the_files_and_needs_the_password(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        version = connection.execute("select current_setting('server_version_num')").fetchone()

        assert version
        assert int(version[0]) >= 150_000
        assert {path.stat().st_uid for path in (tmp_path / "cluster").rglob("*")} == {os.geteuid()}
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(url.replace("feedmill:", "feedmill:not"))


def test_a_cluster_is_set_up_once_and_keeps_its_password(tmp_path: Path) -> None:
    postgres = EmbeddedPostgres(tmp_path / "postgres")
    postgres.prepare()
    made_at = (tmp_path / "postgres/cluster/PG_VERSION").stat().st_mtime_ns
    url = postgres.url(5433)

    postgres.prepare()

    assert (tmp_path / "postgres/cluster/PG_VERSION").stat().st_mtime_ns == made_at
    assert postgres.url(5433) == url
    assert stat.S_IMODE((tmp_path / "postgres/password").stat().st_mode) == 0o600


def test_a_setup_that_is_killed_midway_is_begun_anew(tmp_path: Path) -> None:
    killed = threading.Thread(target=_kill_initdb_midway, args=(tmp_path,))
    killed.start()
    with pytest.raises(SettingsError):
        EmbeddedPostgres(tmp_path).prepare()
    killed.join()
    left = {path.name for path in tmp_path.iterdir()}

    with embedded_postgres(tmp_path) as url, psycopg.connect(url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    assert left == {"cluster.new", "password"}
    assert not (tmp_path / "cluster.new").exists()


@pytest.mark.parametrize("name", ["cluster", "cluster.new"])
def test_a_cluster_that_cannot_be_set_up_says_what_else_works(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(SettingsError, match=rf"{tmp_path}/{name}\b(?s:.*)FEEDMILL_DATABASE_URL"):
        EmbeddedPostgres(tmp_path).prepare()


def test_what_may_be_somebodys_database_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "cluster/base").mkdir(parents=True)

    with pytest.raises(SettingsError, match="is in the way"):
        EmbeddedPostgres(tmp_path).prepare()

    assert (tmp_path / "cluster/base").is_dir()


def test_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    command = EmbeddedPostgres(tmp_path).command(5433)

    assert "listen_addresses=127.0.0.1" in command
    assert "unix_socket_directories=" in command
    assert (command[0] == "unshare") is AS_ROOT


async def test_the_process_we_start_is_postgres_itself(tmp_path: Path) -> None:
    postgres, port = EmbeddedPostgres(tmp_path / "postgres"), free_port()
    postgres.prepare()
    part = Part(
        name="postgres",
        command=tuple(postgres.command(port)),
        environment=dict(os.environ),
        readiness=PostgresAccepts(url=postgres.url(port)),
        stop_signal=signal.SIGINT,
        grace_seconds=20,
    )

    async with aiohttp.ClientSession() as session:
        ready = partial(is_ready, session, part.readiness)
        before = await ready()
        keeper = keeper_of(part, tmp_path, Diary(), ready)
        async with kept(keeper):
            await until(keeper.usable.is_set)
            written = (tmp_path / "postgres/cluster/postmaster.pid").read_text().split()[0]

            assert (before, int(written)) == (False, keeper.state.pid)
    # Fast shutdown: SIGINT reaches the server only if no wrapper stands between.
    assert "received fast shutdown request" in (tmp_path / "postgres.log").read_text()
    assert not (tmp_path / "postgres/cluster/postmaster.pid").exists()


def _kill_initdb_midway(folder: Path) -> None:
    deadline = time.monotonic() + 20
    while not list(folder.glob("*/PG_VERSION")):
        assert time.monotonic() < deadline
        time.sleep(0.002)
    for child in psutil.Process().children():
        if any(str(folder) in word for word in child.cmdline()):
            child.kill()
