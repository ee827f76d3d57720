"""What `feedmill status` answers."""

from rich.console import Group, RenderableType
from rich.table import Table

from feedmill.models.base import BrowserModel
from feedmill_cli.stack.display import addresses
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.leftovers import leftovers
from feedmill_cli.stack.state import PartState, PartStatus, Urls, page_with_token


class PartReport(BrowserModel):
    name: str
    state: PartStatus
    pid: int | None
    restarts: int
    url: str


class FleetReport(BrowserModel):
    """A fleet as programs see it. `urls.page` lets its reader in."""

    running: bool
    ready: bool
    data_dir: str
    pid: int | None
    parts: tuple[PartReport, ...]
    urls: Urls | None


def report(folder: Folder) -> FleetReport:
    """Look at the fleet of a folder, which need not run, nor even exist."""
    pid, state = folder.holder(), folder.state()
    running = pid is not None
    alive = {part.name for part in leftovers(state)}
    parts = tuple(_report(part, alive=part.name in alive, kept=running) for part in state.parts)
    return FleetReport(
        running=running,
        ready=running and state.ready,
        data_dir=str(folder.path),
        pid=pid,
        parts=parts,
        urls=_with_token(state.urls, folder.token()) if running else None,
    )


def table(answer: FleetReport) -> RenderableType:
    """Return the answer as a person reads it."""
    if not answer.running:
        left = [f"{part.name} (pid {part.pid})" for part in answer.parts if part.pid]
        rest = f"Left of it: {', '.join(left)}. `feedmill down` ends that." if left else ""
        return f"Feedmill is not running in {answer.data_dir}. {rest}".rstrip()
    rows = Table("part", "state", "pid", "restarts", "address", box=None, padding=(0, 2, 0, 0))
    for part in answer.parts:
        rows.add_row(part.name, part.state, str(part.pid or ""), str(part.restarts), part.url)
    where = addresses(answer.urls, answer.urls.page) if answer.urls else []
    return Group(f"Feedmill runs in {answer.data_dir} (pid {answer.pid})", "", rows, "", *where)


def _report(part: PartState, *, alive: bool, kept: bool) -> PartReport:
    # Without a supervisor nobody knows more than that a process lives.
    unkept = PartStatus.RUNNING if alive else PartStatus.STOPPED
    return PartReport(
        name=part.name,
        state=part.state if kept else unkept,
        pid=part.pid if kept or alive else None,
        restarts=part.restarts,
        url=part.url,
    )


def _with_token(urls: Urls | None, token: str | None) -> Urls | None:
    if urls is None or token is None:
        return urls
    return urls.model_copy(update={"page": page_with_token(urls, token)})
