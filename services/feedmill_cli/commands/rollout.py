"""`rollout`: which build of the orchestrator takes new runs."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from feedmill_cli.commands.options import AsJson, DataDir
from feedmill_cli.output import harmless, print_json

if TYPE_CHECKING:
    from temporalio.client import Client

    from feedmill.worker.rollout import Rollout

T = TypeVar("T")

Build = Annotated[str, typer.Argument(help="The build, as TEMPORAL_WORKER_BUILD_ID names it.")]
Deployment = Annotated[
    str,
    typer.Option(
        "--deployment", envvar="TEMPORAL_DEPLOYMENT_NAME", help="Which deployment, by its name."
    ),
]
_USUAL = "feedmill"


def build_rollout() -> typer.Typer:
    """Return `rollout` with everything that can follow it."""
    app = typer.Typer(no_args_is_help=True, help="Say which build of the orchestrator takes runs.")
    for command in (status, current, ramp, back):
        app.command()(command)
    return app


def status(
    *, deployment: Deployment = _USUAL, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """Show which builds there are, and which takes new runs."""
    from feedmill.worker.rollout import rollout_of  # noqa: PLC0415 - a second that no other command needs

    found = _ask(lambda client: rollout_of(client, deployment), data_dir)
    if as_json:
        print_json(found.model_dump(mode="json", by_alias=True))
    else:
        print("\n".join(_lines(found)))


def current(build: Build, *, deployment: Deployment = _USUAL, data_dir: DataDir = None) -> None:
    """Let a build take every new run; runs of the short kind end where they began."""
    from feedmill.worker.rollout import set_current  # noqa: PLC0415 - as above

    _ask(lambda client: set_current(client, deployment, build), data_dir)
    print(f"{build} takes every new run.")


def ramp(
    build: Build,
    *,
    percent: Annotated[float, typer.Option("--percent", min=0, max=100, help="Of new runs.")] = 10,
    deployment: Deployment = _USUAL,
    data_dir: DataDir = None,
) -> None:
    """Let a build take a share of new runs."""
    from feedmill.worker.rollout import set_ramp  # noqa: PLC0415 - as above

    _ask(lambda client: set_ramp(client, deployment, build, percent), data_dir)
    print(f"{build} takes {percent:g} % of new runs.")


def back(*, deployment: Deployment = _USUAL, data_dir: DataDir = None) -> None:
    """End the ramp; or, when there is none, let the build before this one be current again."""
    from feedmill.worker.rollout import roll_back  # noqa: PLC0415 - as above

    build = _ask(lambda client: roll_back(client, deployment), data_dir)
    print(f"{build} takes every new run." if build else "No other build has ever been current.")


def _ask(request: "Callable[[Client], Awaitable[T]]", data_dir: DataDir) -> T:
    from feedmill_cli.temporal.place import ask_temporal  # noqa: PLC0415 - as above

    return ask_temporal(request, data_dir)


def _lines(found: "Rollout") -> list[str]:
    lines = [f"current: {harmless(found.current or 'none: nobody takes new runs')}"]
    if found.ramping:
        lines.append(f"ramping: {harmless(found.ramping)}, {found.percent:g} % of new runs")
    return lines + [f"  {harmless(each.build_id)}: {each.status}" for each in found.releases]
