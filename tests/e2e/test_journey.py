"""One feed, from its address to distilled entries, through the whole fleet."""

import asyncio
import json
import re
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from prometheus_client.parser import text_string_to_metric_families

from feedmill.models.outcomes import ADVICE, Reason
from feedmill.models.subscribing import NO_FEED
from support.origin import Origin
from support.running_fleet import RunningFleet
from support.sites import Site, article, serve_many, serve_own_site, serve_real_site

# A fleet starts within it, on a machine that does other things as well.
pytestmark = pytest.mark.timeout(300)

SERVICES = ["distillation", "fetch", "gateway", "ingestion", "orchestrator"]
ENDS = {"distilled", "unavailable", "undistillable"}


@pytest.mark.parametrize(
    "serve",
    [pytest.param(serve_real_site, id="real pages"), pytest.param(serve_own_site, id="our own")],
)
async def test_a_feed_goes_all_the_way(
    fleet: RunningFleet, origin: Origin, serve: Callable[[Origin], Site]
) -> None:
    site = serve(origin)

    added = await fleet.add(site.url)
    progress = await fleet.finished(added["run"])
    entries = await fleet.entries(added["feed"]["id"])

    assert progress["total"] == len(entries) == site.entries
    assert {entry["stage"] for entry in entries} <= ENDS
    distilled = [entry for entry in entries if entry["stage"] == "distilled"]
    assert len(distilled) >= site.entries * 0.8
    for entry in distilled:
        assert entry["summary"]
        assert entry["distiller"] == "extractive"
        whole = await fleet.get(f"/api/v1/entries/{entry['id']}")
        for point in whole["keyPoints"]:
            assert whole["text"][point["start"] : point["end"]] == point["text"]


async def test_its_progress_is_streamed_to_its_end(fleet: RunningFleet, origin: Origin) -> None:
    site = serve_many(origin, 12)

    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(4)
        return web.Response(text=article(0), content_type="text/html")

    # In the first slice of ten: the second slice is through while this one is still waited for.
    origin.script("/mills/0", slow)
    added = await fleet.add(site.url)

    seen = [event async for event in fleet.events(f"{added['run']['href']}/events")]

    kinds = [kind for kind, _ in seen]
    assert kinds.count("entry.added") == 12
    assert kinds.count("entry.fetched") == 12
    assert kinds.count("entry.distilled") == 12
    assert kinds.index("entry.distilled") < len(kinds) - 1 - kinds[::-1].index("entry.fetched")
    assert kinds[-1] == "run.finished"
    assert seen[-1][1]["status"] == "completed"
    assert seen[-1][1]["progress"]["distilled"] == 12


async def test_the_command_adds_and_lists(fleet: RunningFleet, origin: Origin) -> None:
    site = serve_many(origin, 3, path="/by-command.xml")

    added = await fleet.run("add", site.url)
    listed = await fleet.run("entries", "--limit", "3", "--json")

    assert added[0] == 0, added
    assert "3" in added[1]
    assert {item["stage"] for item in json.loads(listed[1])["items"]} == {"distilled"}


async def test_the_page_shows_entries_and_feeds(fleet: RunningFleet, origin: Origin) -> None:
    site = serve_many(origin, 2, path="/for-page.xml")
    await fleet.finished((await fleet.add(site.url))["run"])

    page = await fleet.page()

    assert "Mill 0" in page
    assert site.url in page


async def test_a_second_poll_asks_only_for_changes(fleet: RunningFleet, origin: Origin) -> None:
    feed = "<rss version='2.0'><channel><title>Quiet</title></channel></rss>"
    modified = "Sun, 22 Nov 2026 06:00:00 GMT"
    origin.serve(
        "/quiet.xml", feed, content_type="text/xml", etag='W/"q-1"', last_modified=modified
    )
    added = await fleet.add(origin.url("/quiet.xml"))
    await fleet.finished(added["run"])

    _, again = await fleet.post(f"/api/v1/feeds/{added['feed']['id']}/refresh")
    await fleet.finished(again["run"])

    first, second = origin.asked("/quiet.xml")
    assert "If-None-Match" not in first.headers
    assert second.headers["If-None-Match"] == 'W/"q-1"'
    assert second.headers["If-Modified-Since"] == modified


async def outcome(fleet: RunningFleet, url: str) -> tuple[str, bool]:
    """Add a feed; return the reason its run ended with, and whether it is followed in the end."""
    added = await fleet.add(url)
    progress = await fleet.finished(added["run"])
    async with asyncio.timeout(20):
        # What was no feed is left a moment after its run has said so.
        while True:
            feeds = (await fleet.get("/api/v1/feeds"))["items"]
            named = [feed["reason"] for feed in feeds if feed["url"] == url]
            if progress["reason"] not in NO_FEED or not named:
                break
            await asyncio.sleep(0.1)
    assert named in ([], [progress["reason"]])
    return progress["reason"], bool(named)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/page", "not_a_feed", id="a page"),
        pytest.param("/report.pdf", "not_a_feed", id="a PDF"),
        pytest.param("/flood", "too_large", id="an endless stream"),
        pytest.param("/gone", "gone", id="gone"),
        pytest.param("/loop", "too_many_redirects", id="a redirect loop"),
        pytest.param("/cut", "truncated", id="cut short"),
    ],
)
async def test_an_address_that_is_no_feed_has_a_named_outcome(
    fleet: RunningFleet, origin: Origin, path: str, reason: str
) -> None:
    origin.serve("/page", "<!doctype html><title>A page</title><p>No feed here.")
    origin.serve("/report.pdf", b"%PDF-1.7 ...", content_type="application/pdf")
    origin.flood("/flood")
    origin.fail("/gone", 410)
    origin.redirect("/loop", origin.url("/loop"))
    origin.cut("/cut", b"<rss><channel>", promised_bytes=5_000)

    named, is_followed = await outcome(fleet, origin.url(path))

    assert named == reason
    assert ADVICE[Reason(named)]
    # What is only away, or broken today, is asked again.
    assert is_followed == (named not in NO_FEED)


async def test_an_unknown_host_has_a_named_outcome(fleet: RunningFleet) -> None:
    url = "http://no-such-host.invalid/feed.xml"

    named, is_followed = await outcome(fleet, url)
    by_command = await fleet.run("add", url)

    assert (named, is_followed) == ("host_unknown", False)
    assert by_command[0] == 1
    assert ADVICE[Reason.HOST_UNKNOWN] in " ".join((by_command[1] + by_command[2]).split())


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("feed.xml", "url_invalid", id="no host"),
        pytest.param("ftp://example.com/feed.xml", "url_invalid", id="not the web"),
        pytest.param("http://10.1.2.3/feed.xml", "address_forbidden", id="private"),
        pytest.param("http://169.254.169.254/latest", "address_forbidden", id="metadata"),
    ],
)
async def test_an_address_nobody_would_ask_is_refused_at_once(
    fleet: RunningFleet, url: str, reason: str
) -> None:
    status, problem = await fleet.post("/api/v1/feeds", {"url": url})
    by_command = await fleet.run("add", url)

    assert (status, problem["reason"]) == (422, reason)
    assert problem["advice"]
    assert by_command[0] == 1
    assert problem["advice"].split(".")[0] in " ".join((by_command[1] + by_command[2]).split())


async def test_status_tells_each_part(fleet: RunningFleet) -> None:
    status = await fleet.status()

    assert status["running"] is True
    assert [part["name"] for part in status["parts"]] == [
        "postgres",
        "temporal",
        "ingestion",
        "fetch",
        "distillation",
        "orchestrator",
        "gateway",
    ]
    assert {part["state"] for part in status["parts"]} == {"ready"}
    assert all(part["pid"] for part in status["parts"])
    assert status["urls"].keys() >= {"page", "docs", "temporalUi", "metrics"}


async def test_every_process_serves_both_families_of_metrics(fleet: RunningFleet) -> None:
    urls = (await fleet.status())["urls"]["metrics"]

    families: dict[str, set[str]] = {}
    async with aiohttp.ClientSession() as session:
        for name in SERVICES:
            async with session.get(urls[name]) as answer:
                text = await answer.text()
            families[name] = {family.name for family in text_string_to_metric_families(text)}

    for name in SERVICES:
        assert any(each.startswith("temporal_") for each in families[name]), name
        assert "feedmill_ready" in families[name], name


async def test_all_five_log_in_one_shape(fleet: RunningFleet, origin: Origin) -> None:
    site = serve_many(origin, 1, path="/logged.xml")
    added = await fleet.add(site.url)
    await fleet.finished(added["run"])

    logs = fleet.logs()

    for name in SERVICES:
        lines: list[dict[str, Any]] = [json.loads(line) for line in logs[name]]
        assert lines, name
        for line in lines:
            assert line.keys() >= {"event", "level", "logger", "service", "timestamp"}, line
            assert line["service"] == name
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line["timestamp"])
    work = [json.loads(line) for name in SERVICES[:2] for line in logs[name]]
    assert added["run"]["workflowId"] in {line.get("workflow_id") for line in work}
