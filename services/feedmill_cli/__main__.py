import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from feedmill import __version__
from feedmill.errors import FeedmillError, SettingsError
from feedmill_cli.commands import (
    database,
    distillation,
    entries,
    feeds,
    fleet,
    lists,
    refetching,
    replay,
)
from feedmill_cli.commands.ops import build_ops
from feedmill_cli.commands.rollout import build_rollout
from feedmill_cli.commands.schedules import build_schedules
from feedmill_cli.errors import EXIT_FAILED, CommandError
from feedmill_cli.output import complain
from feedmill_cli.told import name_command

EXIT_SETTINGS = 2

_COMMANDS = (
    fleet.up,
    fleet.down,
    fleet.status,
    feeds.add,
    feeds.feeds,
    feeds.refresh,
    feeds.remove,
    lists.import_,
    lists.export,
    entries.entries,
    refetching.refetch,
    refetching.reextract,
    distillation.recipes,
    distillation.choose,
    distillation.spend,
    database.migrate,
    replay.replay,
)


def build_app() -> typer.Typer:
    """Return the `feedmill` command with everything that can follow it."""
    app = typer.Typer(
        name="feedmill",
        no_args_is_help=True,
        # An error nobody planned is reported whole; its local variables may hold secrets.
        pretty_exceptions_enable=False,
    )
    app.callback()(_options)
    for command in _COMMANDS:
        app.command(command.__name__.removesuffix("_"))(command)
    app.add_typer(build_ops(), name="ops")
    app.add_typer(build_rollout(), name="rollout")
    app.add_typer(build_schedules(), name="schedules")
    return app


def _show_version(asked: bool) -> None:
    if asked:
        print(f"feedmill {__version__}")
        raise typer.Exit


def _options(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Follow feeds, and have what they bring distilled for you."""
    name_command(context.invoked_subcommand or "")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command a person typed, and exit with its code."""
    try:
        build_app()(args=list(arguments) if arguments is not None else None)
    except SettingsError as error:
        complain(str(error))
        sys.exit(EXIT_SETTINGS)
    except CommandError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except FeedmillError as error:
        complain(str(error))
        sys.exit(EXIT_FAILED)
    except PermissionError as error:
        # Somebody else's folder, most likely.
        complain(f"{error.strerror}: {error.filename}")
        sys.exit(EXIT_FAILED)


if __name__ == "__main__":
    main()
