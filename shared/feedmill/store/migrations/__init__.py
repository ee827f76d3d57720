"""The schema's history: forward only, each step safe for the previous release's code.

Run before a rollout (`feedmill migrate`, or the chart's Job), safe to run again and by several at
once.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, exc, text
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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    return config
