"""The gateway of a release, talked to from outside."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# What deploy/k8s/servers.yaml says.
TOKEN = "only-for-trying-it-out"


class Gateway:
    """Known by its Service's address."""

    def __init__(self, address: str) -> None:
        self._base = f"http://{address}"

    def get(self, path: str) -> Any:
        return self._ask(path, None)

    def add(self, url: str) -> dict[str, Any]:
        """Follow a feed; return what the API answered."""
        added: dict[str, Any] = self._ask("/api/v1/feeds", {"url": url})
        return added

    def progress(self, run: Mapping[str, str]) -> dict[str, Any]:
        found: dict[str, Any] = self.get(run["href"])
        return found

    def finished(self, run: Mapping[str, str], seconds: float = 240) -> dict[str, Any]:
        """Wait for a run to end; return its progress.

        A pod that is lost keeps its places at a host for a minute and a half.
        """
        deadline = time.monotonic() + seconds
        while (found := self.progress(run))["status"] == "running":
            assert time.monotonic() < deadline, found
            time.sleep(0.3)
        assert found["status"] == "completed", found
        progress: dict[str, Any] = found["progress"]
        return progress

    def are_running(self, runs: Iterable[Mapping[str, str]]) -> bool:
        """Whether any of these runs has not ended."""
        return any(self.progress(run)["status"] == "running" for run in runs)

    def until_fetched(self, run: Mapping[str, str], entries: int) -> None:
        """Wait until a run has fetched so many entries."""
        while (self.progress(run)["progress"] or {}).get("fetched", 0) < entries:
            time.sleep(0.1)

    @contextmanager
    def read_all_the_time(self) -> Iterator[list[str]]:
        """Read as people do while the block lasts; what failed is in the list, and how often it went well."""
        failures: list[str] = []
        reads, over = [0], threading.Event()

        def read() -> None:
            while not over.is_set():
                try:
                    self.get("/api/v1/entries?limit=5")
                    reads[0] += 1
                except (urllib.error.URLError, OSError) as error:
                    failures.append(repr(error))
                time.sleep(0.1)

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield failures
        finally:
            over.set()
            reader.join()
        assert reads[0] > 10

    def _ask(self, path: str, body: object) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
