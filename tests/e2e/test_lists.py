"""A list of feeds, imported: the fleet takes it from there by itself."""

import asyncio
from pathlib import Path

import pytest

from support.origin import Origin
from support.running_fleet import RunningFleet
from support.sites import serve_many

# A fleet starts within it, on a machine that does other things as well.
pytestmark = pytest.mark.timeout(300)


async def test_an_imported_list_is_polled_fetched_and_distilled_by_itself(
    fleet: RunningFleet, origin: Origin, tmp_path: Path
) -> None:
    sites = [serve_many(origin, 3, path=f"/imported-{number}.xml") for number in range(4)]
    outlines = "".join(f'<outline text="{site.url}" xmlUrl="{site.url}"/>' for site in sites)
    opml = tmp_path / "list.opml"
    opml.write_text(
        f'<opml version="2.0"><body><outline text="Mills">{outlines}</outline></body></opml>'
    )

    code, said, _ = await fleet.run("import", str(opml))
    async with asyncio.timeout(120):
        while await distilled(fleet) < 12:
            await asyncio.sleep(0.5)
    _, exported, _ = await fleet.run("export")

    assert (code, said.splitlines()[0]) == (0, "4 of 4 feeds added, 1 category made.")
    assert all(site.url in exported for site in sites)
    assert all(len(origin.asked(f"/imported-{number}.xml")) == 1 for number in range(4))


async def distilled(fleet: RunningFleet) -> int:
    feeds = (await fleet.get("/api/v1/feeds"))["items"]
    return sum(feed["stages"]["distilled"] for feed in feeds if feed["category"] == ["Mills"])
