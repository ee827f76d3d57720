from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from feedmill.config import StoreSettings
from feedmill.errors import StoreUnavailableError
from feedmill.store import open_store
from feedmill.store.migrations import migrate
from feedmill.store.schema import REVISION
from feedmill.store.tables import metadata
from feedmill.store.urls import psycopg_url
from support.programs import free_port


def test_migrations_and_tables_agree(database_url: str) -> None:
    engine = create_engine(psycopg_url(database_url))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def test_several_processes_may_migrate_at_once_and_again(empty_database_url: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        revisions = set(threads.map(migrate, [empty_database_url] * 3))

    assert revisions == {migrate(empty_database_url)} == {REVISION}


async def test_an_empty_database_is_not_ready(empty_database_url: str) -> None:
    async with open_store(StoreSettings(database_url=empty_database_url)) as store:
        with pytest.raises(StoreUnavailableError, match="the schema is at nothing"):
            await store.check()


async def test_a_newer_schema_is_ready(database_url: str) -> None:
    async with open_store(StoreSettings(database_url=database_url)) as store:
        async with store.transaction() as tx:
            await tx.connection.exec_driver_sql("update alembic_version set version_num = '9999'")

        await store.check()


def test_migrating_without_postgres_says_so() -> None:
    with pytest.raises(StoreUnavailableError):
        migrate(f"postgresql://me:secret@127.0.0.1:{free_port()}/feeds")
