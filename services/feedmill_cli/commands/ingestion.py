"""What `add` and `refresh` show of a run, and how they end."""

from collections.abc import Sequence

from feedmill.models.reader import RunFinished, RunStatus
from feedmill.models.runs import IngestionProgress
from feedmill_cli.errors import CommandError
from feedmill_cli.gateway.client import Gateway, tell_failure
from feedmill_cli.gateway.follow import follow_run
from feedmill_cli.gateway.progress import describe_counts, open_progress
from feedmill_cli.output import harmless, open_console


async def watch(gateway: Gateway, href: str, *, as_json: bool) -> RunFinished:
    """Show a run's progress until it ends."""
    with open_progress(open_console(), as_json=as_json) as display:
        return await follow_run(gateway, href, display.show)


def conclude(finished: RunFinished, *, as_json: bool) -> None:
    """Say how a run ended.

    Raises
    ------
    CommandError
        The feed gave nothing, or the run broke; the message says what helps.
    """
    progress = finished.progress or IngestionProgress(feed_id=0)
    if finished.status is not RunStatus.COMPLETED:
        raise CommandError(tell_failure(f"run {finished.status}", progress.detail))
    if progress.reason is not None:
        raise CommandError(tell_failure(progress.reason, progress.detail))
    if not as_json:
        for line in _found(progress.found):
            print(harmless(line))
        counts = describe_counts(progress)
        print(f"{counts[0].upper()}{counts[1:]}.")


def _found(urls: Sequence[str]) -> list[str]:
    if not urls:
        return []
    followed, *others = urls
    lines = [f"The page's feed is {followed}"]
    return lines + [f"The page also names {url}" for url in others]
