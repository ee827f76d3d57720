"""A whole fleet, started the way a person starts it, and talked to the way a person's tools do."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FEEDMILL = Path(sys.executable).parent / "feedmill"

# Loopback may be asked, quickly: the origin is ours.
MANNERS = {
    "FEEDMILL_ALLOWED_NETWORKS": "127.0.0.0/8",
    "FEEDMILL_HOST_SPACING_SECONDS": "0.02",
    "FEEDMILL_HOST_IN_FLIGHT": "16",
    "FEEDMILL_REFRESH_INTERVAL_SECONDS": "0",
}


async def feedmill(
    folder: Path, *arguments: str, environ: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Run the command; return its exit code, output and errors."""
    process = await asyncio.create_subprocess_exec(
        FEEDMILL,
        *arguments,
        env={**os.environ, **MANNERS, "FEEDMILL_DATA_DIR": str(folder), **(environ or {})},
        cwd=folder.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


class RunningFleet:
    """One fleet, known by its folder."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, base_url: str) -> None:
        self.folder = folder
        self._session = session
        self.base_url = base_url

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Run a `feedmill` command against this fleet."""
        return await feedmill(self.folder, *arguments)

    async def status(self) -> dict[str, Any]:
        _, output, _ = await self.run("status", "--json")
        status: dict[str, Any] = json.loads(output)
        return status

    async def get(self, path: str) -> Any:
        async with self._session.get(self.base_url + path) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def page(self) -> str:
        """Open the page the way its printed address does, which signs in."""
        address = (await self.status())["urls"]["page"]
        async with self._session.get(address) as answer:
            assert answer.status == 200
            return await answer.text()

    async def post(self, path: str, body: object = None) -> tuple[int, Any]:
        async with self._session.post(self.base_url + path, json=body) as answer:
            return answer.status, await answer.json()

    async def add(self, url: str) -> dict[str, Any]:
        """Follow a feed; return what the API answered."""
        status, answer = await self.post("/api/v1/feeds", {"url": url})
        assert status == 202, answer
        added: dict[str, Any] = answer
        return added

    async def finished(self, run: Mapping[str, str], seconds: float = 90) -> dict[str, Any]:
        """Wait for a run to end; return its progress."""
        async with asyncio.timeout(seconds):
            while True:
                try:
                    found = await self.get(run["href"])
                except (aiohttp.ClientError, AssertionError):
                    # Whatever is being killed may be what answers.
                    found = {"status": "unknown"}
                if found["status"] not in {"running", "unknown"}:
                    assert found["status"] == "completed", found
                    progress: dict[str, Any] = found["progress"]
                    return progress
                await asyncio.sleep(0.2)

    async def events(self, path: str) -> AsyncGenerator[tuple[str, Any]]:
        """Yield the kind and content of server-sent events until the stream ends."""
        timeout = aiohttp.ClientTimeout(total=90)
        async with self._session.get(self.base_url + path, timeout=timeout) as answer:
            kind = ""
            async for raw in answer.content:
                line = raw.decode().rstrip("\n")
                if line.startswith("event: "):
                    kind = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield kind, json.loads(line.removeprefix("data: "))

    async def entries(self, feed_id: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (
            await self.get(f"/api/v1/entries?feedId={feed_id}&limit=200")
        )["items"]
        return items

    async def until_ready(self) -> None:
        """Wait until every part is of use again."""
        async with asyncio.timeout(90):
            while {part["state"] for part in (await self.status())["parts"]} != {"ready"}:
                await asyncio.sleep(0.5)

    async def pid(self, part: str) -> int:
        (found,) = [each for each in (await self.status())["parts"] if each["name"] == part]
        return int(found["pid"])

    def logs(self) -> dict[str, list[str]]:
        """Return the log lines of each part."""
        return {
            path.stem: path.read_text().splitlines()
            for path in sorted((self.folder / "logs").glob("*.log"))
        }


@asynccontextmanager
async def running_fleet(
    folder: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[RunningFleet]:
    """Bring a fleet up, and end it with the block."""
    code, output, errors = await feedmill(folder, "up", "--detach", environ=environ)
    assert code == 0, output + errors
    try:
        token = (folder / "token").read_text().strip()
        state = json.loads((await feedmill(folder, "status", "--json"))[1])
        base_url = state["urls"]["page"].split("/?")[0].rstrip("/")
        headers = {"Authorization": f"Bearer {token}"}
        # Cookies of a host that is a bare address are refused by default.
        cookies = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(headers=headers, cookie_jar=cookies) as session:
            yield RunningFleet(folder, session, base_url)
    finally:
        await feedmill(folder, "down")
