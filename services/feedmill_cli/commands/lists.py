"""`import` and `export`: everything you follow, as a file that other readers understand."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from feedmill.models.lists import MAX_LIST_BYTES, Listed, ListImported, OutlineOutcome
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import RunStatus
from feedmill_cli.commands.options import AsJson, DataDir, GatewayUrl
from feedmill_cli.commands.talking import talk
from feedmill_cli.errors import CommandError
from feedmill_cli.gateway.client import Gateway, GatewayAwayError, tell_failure
from feedmill_cli.gateway.follow import Absence
from feedmill_cli.output import harmless, open_console, print_json

_OPML = "/api/v1/opml"
_MEDIA_TYPE = "text/x-opml"
_LOOK_SECONDS = 0.5
# While nobody can tell how its run stands, its report still grows, or says that it has ended.
_GOES_ON = frozenset({RunStatus.RUNNING, None})
_STANDARD_STREAM = "-"
_ONE_CATEGORY = "A feed is in one category here: where it stands first in the file."


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An OPML file, or - for stdin.")],
    *,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until every line has been dealt with.")
    ] = True,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Follow every feed of a list that another reader exported (OPML)."""
    content = _read(file)

    async def request(gateway: Gateway) -> None:
        answer = await gateway.send_file(_OPML, content, _MEDIA_TYPE)
        if wait:
            answer = await _until_ended(gateway, answer, silent=as_json)
        imported = ListImported.model_validate_json(answer)
        if as_json:
            print_json(json.loads(answer))
        else:
            _show(open_console(), imported)
        _conclude(imported, wait=wait)

    talk(request, url, data_dir)


def export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Where to; usually stdout.", show_default=False)
    ] = Path(_STANDARD_STREAM),
    *,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Write everything you follow as a list that other readers can import (OPML)."""

    async def request(gateway: Gateway) -> None:
        _write(file, await gateway.get(_OPML))

    talk(request, url, data_dir)


def _read(file: Path) -> bytes:
    try:
        with sys.stdin.buffer if str(file) == _STANDARD_STREAM else file.open("rb") as source:
            content = source.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
    if len(content) > MAX_LIST_BYTES:
        # The gateway would say the same, once it had received it.
        raise CommandError(
            tell_failure(Reason.LIST_TOO_LARGE, str(file), ADVICE[Reason.LIST_TOO_LARGE])
        )
    return content


def _write(file: Path, content: bytes) -> None:
    try:
        if str(file) == _STANDARD_STREAM:
            # The file says that it is UTF-8, whatever the terminal speaks.
            sys.stdout.buffer.write(content)
            sys.stdout.flush()
        else:
            file.write_bytes(content)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


async def _until_ended(gateway: Gateway, answer: bytes, *, silent: bool) -> bytes:
    """Look at an import until no line of it waits, or it has ended early; return its report.

    Raises
    ------
    CommandError
        The gateway stayed away for too long. The import itself goes on.
    """
    console, shown = open_console(), ""
    absence = Absence(goes_on="the import goes")
    imported = ListImported.model_validate_json(answer)
    while imported.waiting and imported.status in _GOES_ON:
        line = f"{imported.waiting} of {imported.outlines} outlines still to be followed"
        if line != shown and not silent:
            console.print(line, soft_wrap=True, markup=False)
            shown = line
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            answer = await gateway.look(imported.href)
        except GatewayAwayError as error:
            absence.bear(error)
            continue
        absence.end()
        imported = ListImported.model_validate_json(answer)
    return answer


def _conclude(imported: ListImported, *, wait: bool) -> None:
    if imported.waiting and not wait:
        print(f"It goes on by itself: {imported.href}", file=sys.stderr)
    elif imported.waiting:
        raise CommandError(
            f"the import ended early ({imported.status}), with {imported.waiting} outlines not "
            "followed: import the same file again, and it goes on there"
        )


def _show(console: Console, imported: ListImported) -> None:
    console.print(f"{describe_counts(imported)}.")
    for trouble, lines in _by_trouble(imported.lines).items():
        console.print(Text(harmless(f"\n{trouble}"), "yellow"), soft_wrap=True)
        for line in lines:
            console.print(Text(harmless(f"  {_told(line)}")), soft_wrap=True)


def describe_counts(imported: ListImported) -> str:
    """Return what came of a list: `12 feeds added, 3 categories made, 1 broken`."""
    added = f"{imported.added} of {imported.outlines} feeds added"
    counts = [
        (imported.categories, "category made" if imported.categories == 1 else "categories made"),
        (imported.followed, "followed already"),
        (imported.duplicates, "more than once in the file"),
        (imported.broken, "broken"),
        (imported.waiting, "still to come"),
    ]
    return ", ".join([added, *(f"{number} {word}" for number, word in counts if number)])


def _by_trouble(lines: Sequence[OutlineOutcome]) -> dict[str, list[OutlineOutcome]]:
    # What helps is said once for all lines that it helps.
    troubles: dict[str, list[OutlineOutcome]] = {}
    for line in lines:
        if line.outcome is not Listed.FOLLOWED:
            trouble = f"{line.reason or line.outcome}: {line.advice or _ONE_CATEGORY}"
            troubles.setdefault(trouble, []).append(line)
    return troubles


def _told(line: OutlineOutcome) -> str:
    first = f"first on line {line.first_line}" if line.first_line else line.detail
    parts = (f"line {line.line}:", line.title, line.url, f"({first})" if first else "")
    return " ".join(part for part in parts if part)
