"""`add`, `feeds`, `refresh` and `remove`: the feeds you follow."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from feedmill.models.base import RequestBody
from feedmill.models.reader import (
    FeedAdded,
    FeedList,
    FeedRefreshing,
    FeedView,
    RunFinished,
    RunStarted,
)
from feedmill_cli.commands.ingestion import conclude, watch
from feedmill_cli.commands.options import AsJson, DataDir, FeedNumber, GatewayUrl, Wait
from feedmill_cli.commands.talking import talk
from feedmill_cli.errors import CommandError
from feedmill_cli.gateway.client import Gateway, tell_failure
from feedmill_cli.output import harmless, open_console, print_json

_FEEDS = "/api/v1/feeds"


class NewFeed(RequestBody):
    url: str


class FeedMove(RequestBody):
    category: tuple[str, ...]


Category = Annotated[
    str,
    typer.Option(
        "--category",
        help='Keep it there, for instance in "Tech/AI"; made where it is missing.',
        show_default=False,
    ),
]


def add(
    feed_url: Annotated[str, typer.Argument(metavar="URL", help="The feed's address.")],
    *,
    category: Category = "",
    wait: Wait = True,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Follow a feed, and wait until what it shows has been distilled."""

    async def request(gateway: Gateway) -> None:
        answer = json.loads(await gateway.post(_FEEDS, NewFeed(url=feed_url)))
        added = FeedAdded.model_validate(answer)
        if category and added.feed is not None:
            answer["feed"] = await _move(gateway, added.feed.id, category)
        if not as_json and added.feed is not None:
            print(f"Feed {added.feed.id}: {harmless(added.feed.url)}")
        ended = await _follow(gateway, answer, added.run, wait=wait, as_json=as_json)
        if category and added.feed is None:
            await _move_at_last(gateway, ended, category)

    talk(request, url, data_dir)


def refresh(
    feed_id: FeedNumber,
    *,
    wait: Wait = True,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Ask a feed for news now, and wait until they have been distilled."""

    async def request(gateway: Gateway) -> None:
        answer = json.loads(await gateway.post(f"{_FEEDS}/{feed_id}/refresh"))
        run = FeedRefreshing.model_validate(answer).run
        await _follow(gateway, answer, run, wait=wait, as_json=as_json)

    talk(request, url, data_dir)


def feeds(*, as_json: AsJson = False, url: GatewayUrl = None, data_dir: DataDir = None) -> None:
    """List the feeds you follow, and how they are doing."""

    async def request(gateway: Gateway) -> None:
        answer = await gateway.get(_FEEDS)
        if as_json:
            print_json(json.loads(answer))
        else:
            _show(FeedList.model_validate_json(answer))

    talk(request, url, data_dir)


def remove(
    feed_id: FeedNumber,
    *,
    as_json: AsJson = False,
    url: GatewayUrl = None,
    data_dir: DataDir = None,
) -> None:
    """Stop following a feed; what nobody follows is forgotten with its entries."""

    async def request(gateway: Gateway) -> None:
        await gateway.delete(f"{_FEEDS}/{feed_id}")
        if as_json:
            print_json({"removed": feed_id})
        else:
            print(f"You follow feed {feed_id} no more.")

    talk(request, url, data_dir)


async def _move(gateway: Gateway, feed_id: int, category: str) -> Any:
    path = tuple(name.strip() for name in category.split("/") if name.strip())
    return json.loads(await gateway.patch(f"{_FEEDS}/{feed_id}", FeedMove(category=path)))


async def _move_at_last(gateway: Gateway, ended: RunFinished | None, category: str) -> None:
    """Put a feed into a category that was not followed yet when its run began."""
    if ended is None or ended.progress is None:
        raise CommandError(
            "it is not followed yet, and in no category: run the same command again in a while"
        )
    await _move(gateway, ended.progress.feed_id, category)


async def _follow(
    gateway: Gateway, answer: Mapping[str, Any], run: RunStarted, *, wait: bool, as_json: bool
) -> RunFinished | None:
    """Wait for a run if that is wanted, and say how it ended; return that."""
    finished = await watch(gateway, run.href, as_json=as_json) if wait else None
    if as_json:
        end = finished.model_dump(mode="json", by_alias=True) if finished else None
        print_json({**answer, "finished": end})
    if finished is not None:
        conclude(finished, as_json=as_json)
    elif not as_json:
        print("It is being read; `feedmill feeds` shows how it is doing.")
    return finished


def _show(listed: FeedList) -> None:
    if not listed.items:
        print("You follow no feed yet: `feedmill add URL`")
        return
    console = open_console()
    console.print(_table(listed.items))
    for feed in listed.items:
        if feed.reason is not None:
            failure = tell_failure(feed.reason, feed.detail, feed.advice)
            console.print(Text(harmless(f"\nFeed {feed.id}: {failure}"), "yellow"), soft_wrap=True)


def _table(feeds: Sequence[FeedView]) -> Table:
    in_categories = any(feed.category for feed in feeds)
    table = Table("ID", "feed", box=None, padding=(0, 2, 0, 0))
    for heading in (
        *(["category"] if in_categories else []),
        "health",
        "entries",
        "waiting",
        "last asked",
    ):
        table.add_column(heading)
    for feed in sorted(feeds, key=lambda feed: [name.casefold() for name in feed.category]):
        table.add_row(*_cells(feed, in_categories=in_categories))
    return table


def _cells(feed: FeedView, *, in_categories: bool) -> tuple[str | Text, ...]:
    asked = f"{feed.last_polled_at.astimezone():%Y-%m-%d %H:%M}" if feed.last_polled_at else "never"
    title = Text(harmless(feed.title or feed.url))
    category = (Text(harmless(" / ".join(feed.category))),) if in_categories else ()
    counts = (str(feed.entries), str(feed.waiting))
    return str(feed.id), title, *category, feed.health, *counts, asked
