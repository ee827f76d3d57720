"""Those who poll the farm: Feedmill, `reader` and newsboat, each from an empty database on."""

import asyncio
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psycopg

from conversation import conversation
from farm_record import Manners
from feedmill.config import StoreSettings
from feedmill.store import open_store
from feedmill.store.migrations import migrate
from measuring import cpu_seconds, peak_megabytes
from support.programs import embedded_postgres

_HERE = Path(__file__).parent
# The second is what the first forgets to ask for.
_READER = ("reader", "sgmllib3k")
_SAMPLE_SECONDS = 0.05


@dataclass(frozen=True)
class Inside:
    """What only Feedmill tells of itself."""

    cpu_seconds: dict[str, float]
    megabytes: float
    lag_p99_ms: float
    lag_most_ms: float
    late_beats: float
    rounds: int


@dataclass(frozen=True)
class Pass:
    """What one pass over all feeds took, over all processes it needs."""

    seconds: float
    cpu_seconds: float
    megabytes: float
    entries: int
    inside: Inside | None = None


class Contender(Protocol):
    """A poller under one setting."""

    @property
    def name(self) -> str: ...

    @property
    def setting(self) -> str: ...

    def follow(self, urls: Sequence[str]) -> None:
        """Start from nothing, with these feeds."""

    def poll(self, manners: Manners) -> Pass:
        """Ask every feed once; the manners are for those who have any."""


class Postgres:
    """A server of our own, with a fresh database for everybody who asks."""

    def __init__(self, url: str, pid: int) -> None:
        self.pid = pid
        self._url = url
        self._databases = 0

    def fresh_database(self) -> str:
        self._databases += 1
        name = f"bench_{self._databases}"
        with psycopg.connect(self._url, autocommit=True) as admin:
            admin.execute(f"create database {name}".encode())
        url = f"{self._url.rsplit('/', 1)[0]}/{name}"
        migrate(url)
        return url

    def make_due(self, database: str) -> None:
        """Let every feed be due, as after an hour; what Postgres does by itself meanwhile is done too."""
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("update feeds set next_poll_at = now()")
            connection.execute("vacuum analyze")

    def count_entries(self, database: str) -> int:
        with psycopg.connect(database) as connection:
            row = connection.execute("select count(*) from entries").fetchone()
        assert row is not None
        return int(row[0])


class Feedmill:
    """Ingestion processes, their parsers and their Postgres."""

    name = "feedmill"

    def __init__(self, postgres: Postgres, processes: int, *, parsers: int) -> None:
        self.setting = _counted(processes, "process", "processes")
        self._postgres = postgres
        self._processes = processes
        self._parsers = parsers
        self._database = ""

    def follow(self, urls: Sequence[str]) -> None:
        self._database = self._postgres.fresh_database()
        asyncio.run(_add_feeds(self._database, urls))

    def poll(self, manners: Manners) -> Pass:
        self._postgres.make_due(self._database)
        with ExitStack() as stack:
            commands = [self._command(part, manners) for part in range(self._processes)]
            workers = [stack.enter_context(conversation(command)) for command in commands]
            for worker in workers:
                worker.hear()
            before = cpu_seconds(self._postgres.pid)
            for worker in workers:
                worker.say("begin")
            each = [json.loads(worker.hear()) for worker in workers]
            return self._pass(each, cpu_seconds(self._postgres.pid) - before)

    def _command(self, part: int, manners: Manners) -> list[object]:
        options = {
            "database": self._database,
            "part": part,
            "parts": self._processes,
            "spacing": manners.spacing_seconds,
            "in-flight": manners.in_flight,
            "parsers": self._parsers,
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [sys.executable, _HERE / "poll_worker.py", *flags]

    def _pass(self, each: Sequence[dict[str, Any]], postgres_seconds: float) -> Pass:
        cpu = {part: sum(one["cpu"][part] for one in each) for part in ("ingestion", "parsers")}
        return Pass(
            seconds=max(one["seconds"] for one in each),
            cpu_seconds=sum(cpu.values()) + postgres_seconds,
            megabytes=sum(sum(one["megabytes"].values()) for one in each),
            entries=self._postgres.count_entries(self._database),
            inside=Inside(
                cpu_seconds={**cpu, "Postgres": postgres_seconds},
                megabytes=max(one["megabytes"]["ingestion"] for one in each),
                lag_p99_ms=max(one["lag"]["p99_ms"] for one in each),
                lag_most_ms=max(one["lag"]["most_ms"] for one in each),
                late_beats=sum(one["lag"]["late_beats"] for one in each),
                rounds=sum(one["rounds"] for one in each),
            ),
        )


class Reader:
    """The library `reader`, in an environment of its own."""

    name = "reader"

    def __init__(self, python: Path, folder: Path, workers: int) -> None:
        self.setting = _counted(workers, "worker", "workers")
        self._python = python
        self._folder = folder
        self._workers = workers

    def follow(self, urls: Sequence[str]) -> None:
        _fill(self._folder, urls="\n".join(urls))

    def poll(self, manners: Manners) -> Pass:  # noqa: ARG002 - it has none
        files = (self._folder / "reader.sqlite", self._folder / "urls")
        command = [self._python, _HERE / "reader_worker.py", *files, self._workers]
        with conversation(command) as worker:
            return Pass(**json.loads(worker.hear()))


class Newsboat:
    """Debian's newsboat. It starts for every pass, as it does when cron runs it."""

    name = "newsboat"

    def __init__(self, folder: Path, threads: int) -> None:
        self.setting = _counted(threads, "thread", "threads")
        self._folder = folder
        self._threads = threads

    def follow(self, urls: Sequence[str]) -> None:
        _fill(self._folder, urls="\n".join(urls), config=f"reload-threads {self._threads}\n")

    def poll(self, manners: Manners) -> Pass:  # noqa: ARG002 - it has none
        files = {"-u": "urls", "-c": "cache", "-C": "config"}
        flags = [part for flag, name in files.items() for part in (flag, self._folder / name)]
        before, began = _reaped_cpu_seconds(), time.perf_counter()
        megabytes = _peak_of(["newsboat", *map(str, flags), "-x", "reload"], self._folder)
        return Pass(
            seconds=time.perf_counter() - began,
            cpu_seconds=_reaped_cpu_seconds() - before,
            megabytes=megabytes,
            entries=self._entries(),
        )

    def _entries(self) -> int:
        with sqlite3.connect(self._folder / "cache") as cache:
            return int(cache.execute("select count(*) from rss_item").fetchone()[0])


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    with embedded_postgres(folder) as url:
        pid = (folder / "cluster" / "postmaster.pid").read_text().split()[0]
        yield Postgres(url, int(pid))


def reader_environment(folder: Path) -> Path:
    """Install `reader` into a folder, apart from everything of ours, and return its Python."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-qq", *_READER], check=True)
    return python


def has_newsboat() -> bool:
    return shutil.which("newsboat") is not None


async def _add_feeds(database: str, urls: Sequence[str]) -> None:
    settings = StoreSettings.model_validate({"database_url": database})
    async with open_store(settings) as store, store.transaction() as tx:
        user_id = await tx.users.let_in("reader", "a token nobody uses here")
        for url in urls:
            await tx.feeds.subscribe(user_id, await tx.feeds.add(url))


def _peak_of(command: Sequence[str], home: Path) -> float:
    """Run a command to its end and return the most memory it had."""
    megabytes = 0.0
    with subprocess.Popen(command, env={**os.environ, "HOME": str(home)}) as process:
        while process.poll() is None:
            megabytes = max(megabytes, peak_megabytes(process.pid))
            time.sleep(_SAMPLE_SECONDS)
    assert process.returncode == 0, f"{command[0]} ended with {process.returncode}"
    return megabytes


def _reaped_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _fill(folder: Path, **files: str) -> None:
    """Make a folder with these files and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
