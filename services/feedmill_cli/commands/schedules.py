"""`schedules`: what the fleet does by the clock."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from feedmill_cli.commands.options import AsJson, DataDir
from feedmill_cli.output import harmless, open_console, print_json

if TYPE_CHECKING:
    from feedmill_cli.temporal.schedules import ScheduleView

Name = Annotated[str, typer.Argument(help="As `feedmill schedules list` shows it.")]
Note = Annotated[str, typer.Option("--note", help="Why, for whoever finds it so.")]


def build_schedules() -> typer.Typer:
    """Return `schedules` with everything that can follow it."""
    app = typer.Typer(no_args_is_help=True, help="See and steer what the fleet does by the clock.")
    app.command("list")(list_schedules)
    for command in (pause, resume, trigger):
        app.command()(command)
    return app


def list_schedules(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show what the fleet does by the clock, and when next."""
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - a second that no other command needs
    from feedmill_cli.temporal.schedules import all_schedules  # noqa: PLC0415 - as above

    found = ask_temporal(all_schedules, data_dir)
    if as_json:
        print_json({"items": [each.model_dump(mode="json", by_alias=True) for each in found]})
    elif found:
        open_console().print(_table(found))
    else:
        print("No orchestrator has declared any schedule yet.")


def pause(name: Name, *, note: Note = "paused by hand", data_dir: DataDir = None) -> None:
    """Let a schedule do nothing until it is resumed, whatever restarts."""
    from feedmill_cli.temporal import schedules  # noqa: PLC0415 - a second that no other command needs
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    ask_temporal(lambda client: schedules.pause(client, name, note), data_dir)
    print(f"{name} is paused.")


def resume(name: Name, *, note: Note = "resumed by hand", data_dir: DataDir = None) -> None:
    """Let a paused schedule go on."""
    from feedmill_cli.temporal import schedules  # noqa: PLC0415 - a second that no other command needs
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    ask_temporal(lambda client: schedules.resume(client, name, note), data_dir)
    print(f"{name} goes on.")


def trigger(name: Name, *, data_dir: DataDir = None) -> None:
    """Do what a schedule does now; if it is being done, that will do."""
    from feedmill_cli.temporal import schedules  # noqa: PLC0415 - a second that no other command needs
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    ask_temporal(lambda client: schedules.trigger(client, name), data_dir)
    print(f"{name} has been triggered.")


def _table(found: "Sequence[ScheduleView]") -> Table:
    headings = ("schedule", "every", "runs", "missed", "last", "next")
    table = Table(*headings, box=None, padding=(0, 2, 0, 0))
    for each in found:
        following = (
            Text(harmless(f"paused: {each.note}"), "yellow") if each.paused else _at(each.next_at)
        )
        counts = (str(each.runs), str(each.missed))
        table.add_row(
            each.name, _interval(each.every_seconds), *counts, _at(each.last_at), following
        )
    return table


def _at(moment: datetime | None) -> str:
    return f"{moment.astimezone():%Y-%m-%d %H:%M}" if moment else ""


def _interval(seconds: int) -> str:
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"
