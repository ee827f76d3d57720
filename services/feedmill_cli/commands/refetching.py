"""`refetch` and `reextract`: articles that are there already, looked at again."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from feedmill.models.base import RequestBody
from feedmill.models.reader import EntryRefetching, ReextractionView, RunFinished, RunStatus
from feedmill.models.reextraction import ReextractionProgress
from feedmill.models.runs import IngestionProgress
from feedmill_cli.commands.ingestion import watch
from feedmill_cli.commands.options import AsJson, DataDir, EntryNumber, GatewayUrl, Wait
from feedmill_cli.commands.talking import talk
from feedmill_cli.errors import CommandError
from feedmill_cli.gateway.client import Gateway, tell_failure
from feedmill_cli.output import open_console, print_json

_ENTRIES = "/api/v1/entries"
_REEXTRACTIONS = "/api/v1/reextractions"
_LOOK_SECONDS = 1.0


class NewReextraction(RequestBody):
    feed_id: int | None = None
    since: datetime | None = None


def refetch(
    entry_id: EntryNumber,
    *,
    wait: Wait = True,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Ask for an entry's page again, and distil it anew if it has changed."""

    async def request(gateway: Gateway) -> None:
        answer = json.loads(await gateway.post(f"{_ENTRIES}/{entry_id}/refetch"))
        run = EntryRefetching.model_validate(answer).run
        finished = await watch(gateway, run.href, as_json=as_json) if wait else None
        if as_json:
            end = finished.model_dump(mode="json", by_alias=True) if finished else None
            print_json({**answer, "finished": end})
        told = _told(finished) if finished is not None else "Its page is being asked for."
        if not as_json:
            print(told)

    talk(request, url, data_dir)


def reextract(
    *,
    feed: Annotated[
        int | None, typer.Option("--feed", min=1, help="Of this feed alone.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option("--since", help="Only pages that came since then.", show_default=False),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until every page has been read.")
    ] = True,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Find articles anew in the pages that were kept; no site is asked for anything."""

    async def request(gateway: Gateway) -> None:
        wanted = NewReextraction(feed_id=feed, since=since and _aware(since))
        view = ReextractionView.model_validate_json(await gateway.post(_REEXTRACTIONS, wanted))
        if wait:
            view = await _until_closed(gateway, view, silent=as_json)
        if as_json:
            print_json(view.model_dump(mode="json", by_alias=True))
        told = _summary(view) if wait else "The pages are being read."
        if not as_json:
            print(told)

    talk(request, url, data_dir)


def _told(finished: RunFinished) -> str:
    progress = finished.progress or IngestionProgress(feed_id=0)
    reason, _, detail = progress.detail.partition(": ")
    if finished.status is not RunStatus.COMPLETED:
        raise CommandError(tell_failure(f"run {finished.status}", progress.detail))
    if progress.unavailable or progress.left:
        raise CommandError(tell_failure(reason or "left for later", detail))
    if progress.unchanged:
        return "The page has not changed."
    return "The article was fetched again, and " + (
        "distilled." if progress.distilled else "could not be distilled."
    )


async def _until_closed(
    gateway: Gateway, view: ReextractionView, *, silent: bool
) -> ReextractionView:
    console, shown = open_console(), ""
    while view.status is RunStatus.RUNNING:
        await asyncio.sleep(_LOOK_SECONDS)
        view = ReextractionView.model_validate_json(await gateway.get(view.href))
        line = _line(view.progress) if view.progress else shown
        if line != shown and not silent:
            console.print(line, soft_wrap=True, markup=False)
            shown = line
    return view


def _summary(view: ReextractionView) -> str:
    progress = view.progress or ReextractionProgress()
    if view.status is not RunStatus.COMPLETED:
        raise CommandError(tell_failure(f"run {view.status}", view.detail))
    if not progress.examined:
        return "No pages are kept that could be read anew."
    return f"Read {_line(progress)}."


def _line(progress: ReextractionProgress) -> str:
    counts = f"{progress.examined} of {progress.total} pages, {progress.changed} articles changed"
    return f"{counts}, {progress.failed} without article" if progress.failed else counts


def _aware(since: datetime) -> datetime:
    """Return a time that a person typed: theirs, unless they said otherwise."""
    return since.astimezone(UTC)
