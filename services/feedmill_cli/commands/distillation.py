"""`recipes`, `choose` and `spend`: how entries are distilled, and what that costs."""

import json
from itertools import groupby
from typing import Annotated

import typer
from pydantic import RootModel
from rich.table import Table

from feedmill.models.distillates import Choice, RecipeList
from feedmill.models.spending import SpendLine, SpendReport
from feedmill_cli.commands.options import AsJson, DataDir, GatewayUrl
from feedmill_cli.commands.talking import talk
from feedmill_cli.gateway.client import Gateway
from feedmill_cli.output import harmless, open_console, print_json

_RECIPES = "/api/v1/recipes"
_CHOICE = f"{_RECIPES}/choice"
_SPEND = "/api/v1/spend"


class RecipeChange(RootModel[dict[str, str | int | tuple[str, ...]]]):
    """What is given, and nothing else: what is left out stays as it is."""


def recipes(*, as_json: AsJson = False, url: GatewayUrl = None, data_dir: DataDir = None) -> None:
    """List what entries can be distilled with, and what you chose."""

    async def request(gateway: Gateway) -> None:
        listed, choice = await gateway.get(_RECIPES), await gateway.get(_CHOICE)
        if as_json:
            print_json({**json.loads(listed), "choice": json.loads(choice)})
        else:
            _show(RecipeList.model_validate_json(listed))
            _tell(Choice.model_validate_json(choice))

    talk(request, url, data_dir)


def choose(
    recipe: Annotated[
        str | None,
        typer.Argument(help='As `feedmill recipes` shows it; "" takes a choice back.'),
    ] = None,
    *,
    feed: Annotated[
        int | None, typer.Option("--feed", min=1, help="For this feed.", show_default=False)
    ] = None,
    category: Annotated[
        str, typer.Option("--category", help='For what is in it, as "Tech/AI".', show_default=False)
    ] = "",
    language: Annotated[
        str | None,
        typer.Option("--language", help="Of all your summaries, as `de`.", show_default=False),
    ] = None,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Choose what new entries are distilled with; the nearest choice to a feed counts."""
    path = tuple(name.strip() for name in category.split("/") if name.strip()) or None
    change = {"recipe": recipe, "language": language, "feedId": feed, "category": path}

    async def request(gateway: Gateway) -> None:
        # What is not given stays as it is, so it must not be sent.
        given = {name: value for name, value in change.items() if value is not None}
        answer = await gateway.patch(_CHOICE, RecipeChange.model_validate(given))
        if as_json:
            print_json(json.loads(answer))
        elif feed is None and path is None:
            _tell(Choice.model_validate_json(answer))
        else:
            print("New entries there are distilled so from now on.")

    talk(request, url, data_dir)


def spend(
    *,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Today among them.")] = 7,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Show what language models cost, by day and feed."""

    async def request(gateway: Gateway) -> None:
        answer = await gateway.get(_SPEND, {"days": days})
        if as_json:
            print_json(json.loads(answer))
        else:
            _show_spend(SpendReport.model_validate_json(answer))

    talk(request, url, data_dir)


def _show(listed: RecipeList) -> None:
    if not listed.items:
        print("No worker has offered a recipe yet.")
        return
    table = Table("recipe", "by", "model", "language", box=None, padding=(0, 2, 0, 0))
    for each in listed.items:
        cells = (each.name, each.distiller, each.model, each.language or "the article's own")
        table.add_row(*(harmless(cell) for cell in cells))
    open_console().print(table)


def _tell(choice: Choice) -> None:
    recipe = harmless(choice.recipe or "what the workers are set to")
    language = harmless(choice.language or "each article's own language")
    print(f"Yours: {recipe}, in {language}.")


def _show_spend(report: SpendReport) -> None:
    print(f"Today: {report.today_cost:.4f}, {report.today_tokens} tokens")
    table = Table("day", "feed", "recipe", "model", box=None, padding=(0, 2, 0, 0))
    for heading in ("calls", "tokens", "cost"):
        table.add_column(heading, justify="right")
    for _, lines in groupby(report.items, key=lambda line: line.day):
        for number, line in enumerate(lines):
            table.add_row(f"{line.day}" if number == 0 else "", *_cells(line))
    if report.items:
        open_console().print(table)


def _cells(line: SpendLine) -> tuple[str, ...]:
    cost = "unknown" if line.unpriced_calls == line.calls else f"{line.cost:.4f}"
    if 0 < line.unpriced_calls < line.calls:
        cost += " and more"
    feed = harmless(f"{line.feed_id} {line.feed_title}".strip())
    tokens = str(line.prompt_tokens + line.completion_tokens)
    return feed, harmless(line.recipe), harmless(line.model), str(line.calls), tokens, cost
