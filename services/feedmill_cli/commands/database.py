"""`migrate`: the schema, brought up to date."""

from feedmill.config import StackSettings
from feedmill_cli.commands.options import DataDir
from feedmill_cli.errors import EXIT_NOT_RUNNING, NotRunningError
from feedmill_cli.settings import folder_of, load_settings
from feedmill_cli.stack import ports
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.postgres import EmbeddedPostgres


def migrate(*, data_dir: DataDir = None) -> None:
    """Bring the schema up to date, of FEEDMILL_DATABASE_URL or of the fleet that runs here."""
    from feedmill.store import migrations  # noqa: PLC0415 - half a second that no other command needs

    settings = load_settings()
    revision = migrations.migrate(_database_url(settings, folder_of(settings, data_dir)))
    print(f"The schema stands at {revision}.")


def _database_url(settings: StackSettings, folder: Folder) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    port = folder.state().ports.get(ports.POSTGRES)
    if folder.holder() is None or port is None:
        raise NotRunningError(
            "there is no database to migrate: set FEEDMILL_DATABASE_URL, or start `feedmill up`",
            exit_code=EXIT_NOT_RUNNING,
        )
    return EmbeddedPostgres(folder.postgres).url(port)
