"""The schema's history: forward only, each step safe for the previous release's code.

Run before a rollout (`feedmill migrate`, or the chart's Job), safe to run again and by several at
once.
"""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, exc, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.pool import NullPool

from feedmill.errors import StoreUnavailableError
from feedmill.store.urls import psycopg_url

_HERE = Path(__file__).parent

# Any constant; it only has to differ from other advisory locks in the same database.
_MIGRATION_LOCK = 7_031_000


def migrate(database_url: str) -> str:
    """Bring the schema up to date, and return its revision.

    Blocks while another process does the same.

    Raises
    ------
    StoreUnavailableError
        Postgres did not answer.
    """
    engine = create_engine(psycopg_url(database_url), poolclass=NullPool)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"select pg_advisory_xact_lock({_MIGRATION_LOCK})"))
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return current_revision(connection) or ""
    except exc.OperationalError as error:
        raise StoreUnavailableError(f"Postgres did not answer: {error.orig}") from error
    finally:
        engine.dispose()


def current_revision(connection: Connection) -> str | None:
    """Return the revision a database stands at; None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


async def check_schema(connection: AsyncConnection) -> None:
    """Return when the schema is one this release can work with.

    A newer schema is fine: migrations are safe for the previous release.

    Raises
    ------
    StoreUnavailableError
        The schema is older than this release needs.
    """
    revision = await connection.run_sync(current_revision)
    if revision in _older_revisions():
        raise StoreUnavailableError(
            f"the schema is at {revision or 'nothing'}, run feedmill migrate"
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    return config


@cache
def _older_revisions() -> frozenset[str | None]:
    scripts = ScriptDirectory.from_config(_config())
    head = scripts.get_current_head()
    known = {script.revision for script in scripts.walk_revisions()}
    return frozenset({None, *known} - {head})
