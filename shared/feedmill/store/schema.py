"""Whether a database's schema is one this release can work with."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.errors import StoreUnavailableError

# The newest migration. Named here, so that only what migrates has to load the migrations.
REVISION = "0009"


async def check_schema(connection: AsyncConnection) -> None:
    """Return when the schema is as new as this release, or newer.

    A newer one is fine: migrations are safe for the previous release.

    Raises
    ------
    StoreUnavailableError
        The schema is older than this release needs.
    """
    found = await _revision(connection)
    # Revisions are numbers of one length, so text compares as they do.
    if found is None or found < REVISION:
        raise StoreUnavailableError(f"the schema is at {found or 'nothing'}, run feedmill migrate")


async def _revision(connection: AsyncConnection) -> str | None:
    exists = await connection.execute(text("select to_regclass('alembic_version')"))
    if exists.scalar_one() is None:
        return None
    revisions = await connection.execute(text("select version_num from alembic_version"))
    return revisions.scalar_one_or_none()
