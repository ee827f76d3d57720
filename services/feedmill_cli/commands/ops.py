"""`ops`: what whoever runs a fleet wants to see of it, and tell all of it at once."""

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.table import Table

from feedmill.errors import UrlRefusedError
from feedmill.models.outcomes import Reason
from feedmill_cli.commands.options import AsJson, DataDir
from feedmill_cli.errors import CommandError
from feedmill_cli.output import harmless, open_console, print_json

if TYPE_CHECKING:
    from feedmill.models.redriving import DeadEnd, RedriveEnded, RedriveProgress
    from feedmill.models.runs import AllFeedsProgress
    from feedmill_cli.temporal.operating import Paused, QueueView, StuckRun

_NOTE = "the fleet is paused"
# Nobody is asked by it, so any host will do.
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))


def build_ops() -> typer.Typer:
    """Return `ops` with everything that can follow it."""
    app = typer.Typer(no_args_is_help=True, help="See and steer the fleet as a whole.")
    for command in (queues, stuck, pause, resume, refresh, redrive, history):
        app.command()(command)
    return app


def queues(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Show how many tasks wait in each queue, for how long, and how many workers it has."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - a second that no other command needs
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    found = ask_temporal(operating.queues, data_dir)
    if as_json:
        print_json({"items": [each.model_dump(mode="json", by_alias=True) for each in found]})
    elif found:
        open_console().print(_queue_table(found))
    else:
        print("No worker is there, and no task waits.")


def stuck(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """List runs whose tasks keep failing: a defect, or a release that cannot go on with them."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    found = ask_temporal(operating.stuck_runs, data_dir)
    if as_json:
        print_json({"items": [each.model_dump(mode="json", by_alias=True) for each in found]})
    else:
        print("\n".join(map(_stuck_line, found)) or "No run is stuck.")


def pause(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Let the fleet begin nothing by itself until `resume`; what was begun ends as usual."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    _tell(
        ask_temporal(lambda client: operating.pause_all(client, _NOTE), data_dir), "paused", as_json
    )


def resume(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Let the fleet go on by itself."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    _tell(
        ask_temporal(lambda client: operating.resume_all(client, _NOTE), data_dir),
        "going on",
        as_json,
    )


def refresh(*, as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Poll every feed now, as far as politeness allows; what is new goes on by itself."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    shown: list[str] = []

    def tell(progress: "AllFeedsProgress") -> None:
        line = _feeds_line(progress)
        if not as_json and line not in shown[-1:]:
            print(line)
            shown.append(line)

    ended = ask_temporal(lambda client: operating.refresh_all(client, tell), data_dir)
    if as_json:
        print_json(ended.model_dump(mode="json", by_alias=True))
    else:
        print(f"{_feeds_line(ended)}.")


def redrive(
    reason: Annotated[
        str | None,
        typer.Argument(help="Why they ended; without one, all are counted.", show_default=False),
    ] = None,
    *,
    feed: Annotated[
        int | None, typer.Option("--feed", min=1, help="Of this feed alone.", show_default=False)
    ] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Of pages at this host alone.", show_default=False)
    ] = None,
    most: Annotated[
        int, typer.Option("--most", min=1, max=10_000, help="No more than these.")
    ] = 1_000,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say how many there are.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Take entries back from dead ends whose reason has passed, to be fetched or distilled again."""
    from feedmill.models.redriving import RedriveEnded  # noqa: PLC0415 - as above
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    request = RedriveEnded(
        reason=_reason(reason), feed_id=feed, host=_host(host), most=most, is_dry_run=dry_run
    )
    ended = ask_temporal(lambda client: operating.redrive(client, request), data_dir)
    if as_json:
        print_json(ended.model_dump(mode="json", by_alias=True))
    elif request.reason is None:
        open_console().print(
            _ends_table(ended.ends) if ended.ends else "No entry is at a dead end."
        )
    else:
        print(_redriven_line(request, ended))


def history(
    workflow_id: Annotated[str, typer.Argument(help="As Temporal's page shows it.")],
    file: Annotated[Path, typer.Argument(help="Where to write it.")],
    *,
    run_id: Annotated[
        str | None, typer.Option("--run", help="Which run; the newest by default.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a run's history to a file, as replay and Temporal's own tools read it."""
    from feedmill_cli.temporal import operating  # noqa: PLC0415 - as above
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    written = ask_temporal(
        lambda client: operating.history_of(client, workflow_id, run_id), data_dir
    )
    file.write_text(written, encoding="utf-8")
    print(f"{file} has the history of {harmless(workflow_id)}.")


def _tell(told: "Paused", what: str, as_json: bool) -> None:
    if as_json:
        print_json(told.model_dump(mode="json", by_alias=True))
        return
    names = ", ".join(told.schedules) or "none"
    print(f"Shards {what}: {told.shards}; schedules: {harmless(names)}.")


def _feeds_line(progress: "AllFeedsProgress") -> str:
    line = f"{progress.polled} of {progress.total} feeds polled, {progress.failed} in trouble"
    left = f", {progress.left} left for later" if progress.left else ""
    return f"{line}{left}; {progress.handed_over} entries on their way"


def _reason(named: str | None) -> Reason | None:
    if named is None or named in set(Reason):
        return None if named is None else Reason(named)
    raise CommandError(
        f"{named} is no reason of ours: `feedmill ops redrive` lists those that entries ended with"
    )


def _host(named: str | None) -> str | None:
    """Return a host as entries' addresses have it: in lower case and ASCII, without a port."""
    from feedmill.web.addresses import check_url  # noqa: PLC0415 - only this command has to load it

    if named is None:
        return None
    try:
        return urlsplit(check_url(f"http://{named}/", _ANYWHERE)).hostname
    except UrlRefusedError as error:
        raise CommandError(f"{named} is no host: name it alone, like news.example") from error


def _ends_table(ends: "Sequence[DeadEnd]") -> Table:
    table = Table("stage", "reason", "entries", box=None, padding=(0, 2, 0, 0))
    for end in ends:
        table.add_row(end.stage, end.reason or "", str(end.entries))
    return table


def _redriven_line(request: "RedriveEnded", ended: "RedriveProgress") -> str:
    if request.is_dry_run:
        found = sum(end.entries for end in ended.ends if end.reason == request.reason)
        some = f", {request.most} of them now" if found > request.most else ""
        return f"{found} entries ended with {request.reason} and would be taken back{some}."
    taken = ended.to_fetch + ended.to_distill
    if not taken:
        return f"No entry ended with {request.reason}."
    return (
        f"{taken} entries taken back: {ended.to_fetch} to be fetched, "
        f"{ended.to_distill} to be distilled."
    )


def _queue_table(found: "Sequence[QueueView]") -> Table:
    table = Table("queue", "of", "waiting", "oldest", "workers", box=None, padding=(0, 2, 0, 0))
    for each in found:
        oldest = f"{each.oldest_seconds:.0f} s" if each.waiting else ""
        table.add_row(each.queue, each.kind, str(each.waiting), oldest, str(each.workers))
    return table


def _stuck_line(run: "StuckRun") -> str:
    since = f"{run.started_at.astimezone():%Y-%m-%d %H:%M}"
    problems = ", ".join(run.problems)
    return harmless(f"{run.workflow_id} ({run.workflow_type}, since {since}): {problems}")
