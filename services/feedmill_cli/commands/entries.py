"""`entries`: what there is to read."""

import json
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from feedmill.models.entries import Stage
from feedmill.models.reader import EntryPage, EntryView
from feedmill_cli.commands.options import AsJson, DataDir, GatewayUrl
from feedmill_cli.commands.talking import talk
from feedmill_cli.gateway.client import Gateway
from feedmill_cli.output import harmless, open_console, print_json

_ENTRIES = "/api/v1/entries"
# As many as the gateway hands out at once.
_PAGE = 100
_INDENT = (0, 0, 0, 2)


def entries(
    *,
    feed: Annotated[
        int | None, typer.Option("--feed", min=1, help="Of this feed alone.", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, newest first.")] = 20,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Show the newest entries of the feeds you follow, distilled."""

    async def request(gateway: Gateway) -> None:
        found = await _newest(gateway, feed, limit)
        if as_json:
            print_json(found)
        else:
            _show(open_console(), EntryPage.model_validate(found))

    talk(request, url, data_dir)


async def _newest(gateway: Gateway, feed: int | None, limit: int) -> dict[str, Any]:
    items: list[Any] = []
    position: str | None = None
    while len(items) < limit:
        query: dict[str, str | int] = {"limit": min(_PAGE, limit - len(items))}
        query |= {} if feed is None else {"feedId": feed}
        query |= {} if position is None else {"before": position}
        page = json.loads(await gateway.get(_ENTRIES, query))
        items, position = items + page["items"], page["next"]
        if position is None:
            break
    return {"items": items, "next": position}


def _show(console: Console, page: EntryPage) -> None:
    if not page.items:
        print("There is nothing to read yet.")
    for entry in page.items:
        console.print(_card(entry))


def _card(entry: EntryView) -> RenderableType:
    told = [_text(entry.summary)] if entry.summary else [_text(_why_not(entry), "dim")]
    told += [_text(f"• {point.text}") for point in entry.key_points]
    told += [_text(f"also in {_elsewhere(entry)}", "dim")] if entry.also_in else []
    told += [_text(entry.url, "dim")] if entry.url else []
    return Group(
        _text(entry.title or "Untitled", "bold"),
        _text(_origin(entry), "dim"),
        *(Padding(line, _INDENT, expand=False) for line in told),
        "",
    )


def _origin(entry: EntryView) -> str:
    relevance = "" if entry.relevance is None else f"relevance {entry.relevance:.0%}"
    date = f"{entry.published_at:%Y-%m-%d}" if entry.published_at else ""
    return " · ".join(part for part in (entry.feed_title, date, relevance) if part)


def _elsewhere(entry: EntryView) -> str:
    return ", ".join(other.feed_title or f"feed {other.feed_id}" for other in entry.also_in)


def _why_not(entry: EntryView) -> str:
    if entry.stage in {Stage.NEW, Stage.FETCHED}:
        return "not distilled yet"
    return entry.advice or entry.reason or entry.stage


def _text(text: str, style: str = "") -> Text:
    return Text(harmless(text), style)
