import json
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web

from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.reader import RunFinished, RunStatus
from feedmill.models.runs import IngestionProgress
from feedmill_cli.errors import CommandError, ProblemError
from feedmill_cli.gateway.client import open_gateway
from feedmill_cli.gateway.follow import follow_run
from feedmill_cli.gateway.place import Place
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.state import FleetState, Urls
from support.gateway import RUN, TOKEN, ScriptedGateway, message, problem, scripted_gateway
from support.person import Person, Said
from support.programs import free_port

FEED = {
    "id": 1,
    "url": "https://example.org/feed.xml",
    "title": "Mill \u001b[31mnews",
    "addedAt": "2026-01-31T12:00:00Z",
    "lastPolledAt": None,
    "entries": 20,
    "waiting": 3,
}
FAILED_FEED = {
    **FEED,
    "id": 2,
    "title": "",
    "reason": "http_status",
    "detail": "404",
    "advice": "Look.",
}
ENTRY = {
    "id": 5,
    "feedId": 1,
    "feedTitle": "Mill news",
    "title": "The wheel turns",
    "url": "https://example.org/wheel",
    "publishedAt": "2026-01-30T08:00:00Z",
    "addedAt": "2026-01-31T12:00:00Z",
    "stage": "distilled",
    "summary": "A wheel was seen to turn.",
    "keyPoints": [{"text": "It turned [twice].", "start": 0, "end": 9}],
    "relevance": 0.82,
}
BARE = {
    **ENTRY,
    "id": 4,
    "title": "",
    "summary": None,
    "keyPoints": [],
    "relevance": None,
    "url": None,
}
WAITING_ENTRY = {**BARE, "stage": "fetched"}
UNAVAILABLE_ENTRY = {**BARE, "stage": "unavailable", "reason": "no_article", "advice": "Open it."}


def progress(**fields: object) -> dict[str, object]:
    return {"feedId": 1, "step": "fetching", "total": 4, **fields}


def finished(status: str = "completed", **fields: object) -> str:
    body = {**RUN, "status": status, "progress": progress(step="done", **fields)}
    return message("run.finished", body)


@pytest_asyncio.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ScriptedGateway]:
    async with scripted_gateway() as serving:
        monkeypatch.setenv("FEEDMILL_URL", serving.url)
        monkeypatch.setenv("FEEDMILL_TOKEN", TOKEN)
        serving.answers["POST /api/v1/feeds"] = (202, {"feed": FEED, "run": RUN})
        serving.answers["POST /api/v1/feeds/1/refresh"] = (202, {"run": RUN})
        yield serving


async def test_add_says_which_feed_a_page_led_to(person: Person, gateway: ScriptedGateway) -> None:
    found = ["https://example.org/feed", "https://example.org/comments"]
    gateway.streams = [[finished(fetched=4, distilled=4, found=found)]]

    said = await person.types("add", "https://example.org/")

    assert said.out.splitlines()[1:] == [
        "The page's feed is https://example.org/feed",
        "The page also names https://example.org/comments",
        "4 of 4 entries distilled.",
    ]


async def test_add_follows_the_feed_to_its_end(person: Person, gateway: ScriptedGateway) -> None:
    gateway.streams = [
        [
            "retry: 1000\n\n",
            message("run.progress", progress(step="polling", total=0)),
            message("feed.polled", {"id": 7}, 7),
            message("run.progress", progress(fetched=2, distilled=1)),
            ": ping\n\n",
            message("some.news.of.next.year", {}, 8),
            finished(fetched=4, distilled=3, unavailable=1),
        ]
    ]

    said = await person.types("add", "https://example.org/feed.xml")

    assert said == Said(
        code=0,
        out="Feed 1: https://example.org/feed.xml\n"
        "polling\n"
        "fetching: 1 of 4 entries distilled\n"
        "3 of 4 entries distilled, 1 unavailable.\n",
        err="",
    )
    assert gateway.bodies == [{"url": "https://example.org/feed.xml"}]
    assert gateway.asked == [
        "POST /api/v1/feeds",
        "GET /api/v1/runs/feed-ingestion%2F1/0a/events",
    ]


async def test_add_says_why_an_address_was_no_feed_after_all(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers["POST /api/v1/feeds"] = (202, {"feed": None, "run": RUN})
    gateway.streams = [[finished(total=0, reason="not_a_feed", detail="text/html")]]

    said = await person.types("add", "https://example.org/page")

    assert (said.code, said.out) == (1, "")
    assert said.err == f"feedmill: not_a_feed: text/html\n{ADVICE[Reason.NOT_A_FEED]}\n"


async def test_a_stream_that_breaks_is_resumed_where_it_broke(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.streams = [
        ["retry: 10\n\n", message("feed.polled", {}, 7), "event: run.finished\ndata: {cut\n"],
        [message("run.progress", progress(distilled=2))],
        [message("entry.distilled", {}, 9), finished(distilled=4)],
    ]

    said = await person.types("refresh", "1")

    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[-1] == "4 of 4 entries distilled."
    assert gateway.resumed_after == [None, "7", "7"]


async def test_a_gateway_that_is_not_up_to_it_now_is_asked_again(
    person: Person, gateway: ScriptedGateway
) -> None:
    away = problem(503, "Temporal unavailable", "Temporal did not answer.")
    gateway.streams = [
        ["retry: 10\n\n", message("feed.polled", {}, 7)],
        away,
        [finished(distilled=4)],
    ]

    said = await person.types("refresh", "1")

    assert (said.code, said.out) == (0, "4 of 4 entries distilled.\n")
    assert gateway.resumed_after == [None, "7", "7"]


async def test_a_feed_that_fails_says_why_and_what_helps(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.streams = [[finished(total=0, reason="not_a_feed", detail="an HTML page")]]

    said = await person.types("add", "https://example.org/")

    assert said.code == 1
    assert said.err == f"feedmill: not_a_feed: an HTML page\n{ADVICE[Reason.NOT_A_FEED]}\n"


async def test_a_site_that_makes_us_wait_is_waited_for_until_it_is_too_long(
    person: Person, gateway: ScriptedGateway
) -> None:
    until = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
    waiting = progress(step="waiting", total=0, waitingUntil=until.isoformat())
    gave_up = finished(total=0, reason="waited_too_long", detail="until 2026-01-31 12:30 UTC")
    gateway.streams = [[message("run.progress", waiting), gave_up]]

    said = await person.types("add", "https://example.org/feed.xml")

    assert said == Said(
        code=1,
        out="Feed 1: https://example.org/feed.xml\n"
        f"waiting for the site until {until.astimezone():%H:%M}\n",
        err="feedmill: waited_too_long: until 2026-01-31 12:30 UTC\n"
        f"{ADVICE[Reason.WAITED_TOO_LONG]}\n",
    )


@pytest.mark.parametrize("status", ["failed", "terminated", "timed_out", "cancelled"])
async def test_a_run_that_breaks_is_no_success(
    person: Person, gateway: ScriptedGateway, status: str
) -> None:
    gateway.streams = [[message("run.finished", {**RUN, "status": status, "progress": None})]]

    said = await person.types("add", "https://example.org/feed.xml")

    assert (said.code, said.err) == (1, f"feedmill: run {status}\n")


async def test_add_need_not_wait(person: Person, gateway: ScriptedGateway) -> None:
    said = await person.types("add", "https://example.org/feed.xml", "--no-wait")

    assert said.code == 0
    assert said.out.splitlines()[1] == "It is being read; `feedmill feeds` shows how it is doing."
    assert gateway.asked == ["POST /api/v1/feeds"]


async def test_add_as_json_is_one_document(person: Person, gateway: ScriptedGateway) -> None:
    gateway.streams = [[message("run.progress", progress()), finished(distilled=4)]]

    said = await person.types("add", "https://example.org/feed.xml", "--json")

    answer = json.loads(said.out)
    assert (answer["feed"], answer["run"]) == (FEED, RUN)
    assert answer["finished"]["status"] == "completed"
    assert answer["finished"]["progress"]["distilled"] == 4


async def test_add_as_json_without_waiting_has_no_end(
    person: Person, gateway: ScriptedGateway
) -> None:
    said = await person.types("add", "https://example.org/feed.xml", "--json", "--no-wait")

    assert json.loads(said.out) == {"feed": FEED, "run": RUN, "finished": None}


async def test_a_problem_is_told_with_its_advice(person: Person, gateway: ScriptedGateway) -> None:
    refusal = problem(
        422,
        "Address refused",
        "The address is private.",
        reason="address_forbidden",
        advice="Allow it.",
    )
    gateway.answers["POST /api/v1/feeds"] = (422, refusal)

    said = await person.types("add", "http://10.0.0.1/")

    assert said == Said(
        code=1, out="", err="feedmill: address_forbidden: The address is private.\nAllow it.\n"
    )


async def test_a_broken_gateway_is_told_as_it_is(person: Person, gateway: ScriptedGateway) -> None:
    gateway.answers["GET /api/v1/feeds"] = (500, web.Response(status=502, text="<html>"))

    said = await person.types("feeds")

    assert (said.code, said.err) == (1, "feedmill: the gateway answers 502 Bad Gateway\n")


async def test_a_wrong_token_is_a_problem(
    person: Person, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDMILL_TOKEN", "a-token-that-opens-nothing")

    said = await person.types("feeds")

    assert said.err == "feedmill: Token needed: Send a token that is known here.\n"


async def test_feeds_are_listed_with_their_troubles(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers["GET /api/v1/feeds"] = (200, {"items": [FEED, FAILED_FEED]})

    said = await person.types("feeds")

    lines = [line.split() for line in said.out.splitlines()]
    assert lines == [
        ["ID", "feed", "health", "entries", "waiting", "last", "asked"],
        ["1", "Mill", "[31mnews", "new", "20", "3", "never"],
        ["2", "https://example.org/feed.xml", "new", "20", "3", "never"],
        [],
        ["Feed", "2:", "http_status:", "404"],
        ["Look."],
    ]


async def test_no_feeds_yet(person: Person, gateway: ScriptedGateway) -> None:
    gateway.answers["GET /api/v1/feeds"] = (200, {"items": []})

    assert (await person.types("feeds")).out == "You follow no feed yet: `feedmill add URL`\n"


async def test_json_is_what_the_gateway_said_in_plain_ascii(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers["GET /api/v1/feeds"] = (200, {"items": [FEED], "newer": "\u009b2J"})

    said = await person.types("feeds", "--json")

    assert json.loads(said.out) == {"items": [FEED], "newer": "\u009b2J"}
    assert said.out.isascii()
    assert "\x1b" not in said.out


async def test_entries_are_read_in_the_terminal(person: Person, gateway: ScriptedGateway) -> None:
    items = [ENTRY, WAITING_ENTRY, UNAVAILABLE_ENTRY]
    gateway.answers["GET /api/v1/entries"] = (200, {"items": items, "next": None})

    said = await person.types("entries", "--feed", "1", "--limit", "5")

    assert [line.rstrip() for line in said.out.splitlines()] == [
        "The wheel turns",
        "Mill news · 2026-01-30 · relevance 82%",
        "  A wheel was seen to turn.",
        "  • It turned [twice].",
        "  https://example.org/wheel",
        "",
        "Untitled",
        "Mill news · 2026-01-30",
        "  not distilled yet",
        "",
        "Untitled",
        "Mill news · 2026-01-30",
        "  Open it.",
        "",
    ]
    assert gateway.asked == ["GET /api/v1/entries?limit=5&feedId=1"]


async def test_a_story_says_where_else_it_is(person: Person, gateway: ScriptedGateway) -> None:
    others = [
        {"entryId": 6, "feedId": 2, "feedTitle": "Herald\x1b[31m"},
        {"entryId": 7, "feedId": 3, "feedTitle": ""},
    ]
    items = [{**ENTRY, "alsoIn": others}]
    gateway.answers["GET /api/v1/entries"] = (200, {"items": items, "next": None})

    said = await person.types("entries")

    assert "  also in Herald[31m, feed 3" in [line.rstrip() for line in said.out.splitlines()]


async def test_what_a_model_says_is_text_in_the_terminal_too(
    person: Person, gateway: ScriptedGateway
) -> None:
    hostile = (
        "\x1b]8;;https://evil.example\x07click\x1b]8;;\x07 [link=https://evil.example]x[/link]"
    )
    point = {"text": hostile, "start": 0, "end": 9}
    items = [{**ENTRY, "summary": hostile, "keyPoints": [point], "topics": [hostile]}]
    gateway.answers["GET /api/v1/entries"] = (200, {"items": items, "next": None})

    said = await person.types("entries")

    assert not set(said.out) & {"\x1b", "\x07"}
    assert said.out.count("[link=https://evil.example]x[/link]") == 2


async def test_entries_come_in_as_many_pages_as_it_takes(
    person: Person, gateway: ScriptedGateway
) -> None:
    gateway.answers["GET /api/v1/entries"] = (200, {"items": [ENTRY] * 100, "next": "a+b="})

    said = await person.types("entries", "--limit", "130", "--json")

    assert [path.partition("?")[2] for path in gateway.asked] == [
        "limit=100",
        "limit=30&before=a%2Bb%3D",
    ]
    assert len(json.loads(said.out)["items"]) == 200


async def test_nothing_to_read_yet(person: Person, gateway: ScriptedGateway) -> None:
    gateway.answers["GET /api/v1/entries"] = (200, {"items": [], "next": None})

    assert (await person.types("entries")).out == "There is nothing to read yet.\n"


async def test_a_feed_is_removed(person: Person, gateway: ScriptedGateway) -> None:
    gateway.answers["DELETE /api/v1/feeds/1"] = (204, None)

    assert (await person.types("remove", "1")).out == "You follow feed 1 no more.\n"
    assert json.loads((await person.types("remove", "1", "--json")).out) == {"removed": 1}
    assert (
        await person.types("remove", "2")
    ).err == "feedmill: Not found: You follow no such feed.\n"


async def test_without_a_fleet_a_command_says_how_to_start_one(person: Person) -> None:
    said = await person.types("feeds")

    assert said == Said(
        code=3, out="", err="feedmill: Feedmill is not running here: start it with `feedmill up`\n"
    )


async def test_the_fleet_that_runs_here_is_found_with_its_token(
    person: Person,
    gateway: ScriptedGateway,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FEEDMILL_URL")
    monkeypatch.delenv("FEEDMILL_TOKEN")
    gateway.answers["GET /api/v1/feeds"] = (200, {"items": []})
    folder = folder_with_a_fleet(gateway.url)

    ended = await person.types("feeds")
    with folder.locked():
        running = await person.types("feeds")
        named = await person.types("feeds", "--url", f"{gateway.url}/")

    assert (ended.code, running.code, named.code) == (3, 0, 0)


async def test_the_token_kept_here_goes_nowhere_else(
    person: Person, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEEDMILL_TOKEN")
    folder = folder_with_a_fleet(f"http://127.0.0.1:{free_port()}")

    with folder.locked():
        by_setting = await person.types("feeds")
        by_option = await person.types("feeds", "--url", gateway.url)

    missing = (
        "feedmill: FEEDMILL_TOKEN is missing: {} needs its own token, "
        "and the one kept here is for the gateway that runs here alone\n"
    )
    assert by_setting == Said(code=1, out="", err=missing.format(f"{gateway.url}/"))
    assert by_option == Said(code=1, out="", err=missing.format(gateway.url))
    assert gateway.authorized_by == []


async def test_the_token_kept_here_is_not_for_who_listens_after_the_fleet_ended(
    person: Person, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FEEDMILL_TOKEN")
    folder_with_a_fleet(gateway.url)

    said = await person.types("feeds")

    assert (said.code, gateway.authorized_by) == (1, [])


async def test_another_gateway_is_given_the_token_that_was_set(
    person: Person, gateway: ScriptedGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDMILL_TOKEN", "a-token-for-somewhere-else")
    folder = folder_with_a_fleet(f"http://127.0.0.1:{free_port()}")

    with folder.locked():
        await person.types("feeds")

    assert gateway.authorized_by == ["Bearer a-token-for-somewhere-else"]


async def test_a_gateway_that_does_not_answer_is_named(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEEDMILL_TOKEN", TOKEN)
    url = f"http://127.0.0.1:{free_port()}"

    said = await person.types("feeds", "--url", url)

    assert said.code == 1
    assert said.err.startswith(f"feedmill: nothing answers at {url}")


@pytest.mark.parametrize("url", ["feeds.example.org", "ftp://example.org", "http://"])
async def test_an_address_that_is_none_is_named(person: Person, url: str) -> None:
    said = await person.types("feeds", "--url", url)

    assert said.code == 1
    assert url in said.err


async def test_a_gateway_behind_a_path_is_found(gateway: ScriptedGateway) -> None:
    gateway.answers["GET /mill/api/v1/feeds"] = (200, {"items": []})

    async with open_gateway(Place(url=f"{gateway.url}/mill/", token=TOKEN)) as client:
        assert json.loads(await client.get("/api/v1/feeds")) == {"items": []}


async def test_patience_with_an_absent_gateway_ends() -> None:
    place = Place(url=f"http://127.0.0.1:{free_port()}", token=TOKEN)

    async with open_gateway(place) as client:
        with pytest.raises(CommandError, match="the feed is read on without us"):
            await follow_run(client, RUN["href"], _ignore, patience_seconds=0.5)


async def test_a_long_silence_is_no_absence(gateway: ScriptedGateway) -> None:
    gateway.pause_seconds = 0.15
    gateway.streams = [["retry: 10\n\n", *[": ping\n\n"] * 4], [finished(distilled=4)]]

    async with open_gateway(Place(url=gateway.url, token=TOKEN)) as client:
        end = await follow_run(client, RUN["href"], _ignore, patience_seconds=0.3)

    assert end.status is RunStatus.COMPLETED


async def test_a_gateway_that_comes_back_is_as_good_as_one_that_stayed(
    gateway: ScriptedGateway,
) -> None:
    gateway.streams = [*[["retry: 100\n\n"]] * 6, [finished(distilled=4)]]

    async with open_gateway(Place(url=gateway.url, token=TOKEN)) as client:
        end = await follow_run(client, RUN["href"], _ignore, patience_seconds=0.3)

    assert end.status is RunStatus.COMPLETED


async def test_a_run_that_is_unknown_is_not_waited_for(
    gateway: ScriptedGateway,
) -> None:
    async with open_gateway(Place(url=gateway.url, token="another-token-altogether")) as client:
        with pytest.raises(ProblemError, match="Token needed"):
            await follow_run(client, RUN["href"], _ignore)

    assert len(gateway.asked) == 1


async def test_the_end_of_a_run_is_returned_whole(gateway: ScriptedGateway) -> None:
    shown: list[IngestionProgress] = []
    gateway.streams = [[message("run.progress", progress()), finished(distilled=4)]]

    async with open_gateway(Place(url=gateway.url, token=TOKEN)) as client:
        end = await follow_run(client, RUN["href"], shown.append)

    assert shown == [IngestionProgress.model_validate(progress())]
    assert end == RunFinished(
        workflow_id="feed-ingestion/1",
        run_id="0a",
        status=RunStatus.COMPLETED,
        progress=IngestionProgress.model_validate(progress(step="done", distilled=4)),
    )


def folder_with_a_fleet(page: str) -> Folder:
    folder = Folder(Path(os.environ["FEEDMILL_DATA_DIR"]))
    folder.make()
    folder.settle_token(TOKEN)
    folder.save(FleetState(urls=Urls(page=page, docs="")))
    return folder


def _ignore(_: IngestionProgress) -> None:
    """Show nobody."""
