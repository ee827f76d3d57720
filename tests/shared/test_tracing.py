"""Traces cost nothing unless they are wanted, and nobody waits for who wants them."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from feedmill.config import GatewaySettings, StackSettings, TracingSettings, load
from feedmill.errors import SettingsError
from feedmill.telemetry import spans
from support.collector import open_collector
from support.programs import free_port

TESTS = Path(__file__).parents[1]
# More than a process that ends gives its spans, and far less than the library would wait.
PATIENCE_SECONDS = 4
SERVICES = ("ingestion", "fetch", "distillation", "orchestrator", "gateway", "cli")

_IMPORT = """
import importlib, json, sys
importlib.import_module("feedmill_{service}.__main__")
import feedmill.worker.connection
print(json.dumps([name for name in sys.modules if name.split(".")[0] in ("opentelemetry", "requests")]))
"""


async def python(*arguments: str, **environ: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env={**os.environ, "PYTHONPATH": str(TESTS), **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode is not None
    return process.returncode, output.decode(), errors.decode()


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_is_loaded_that_nobody_wants(service: str) -> None:
    code, output, errors = await python("-c", _IMPORT.format(service=service))

    assert code == 0, errors
    loaded = json.loads(output)
    # FastAPI itself loads OpenTelemetry's interfaces, which do nothing by themselves.
    allowed = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.proto", "requests")
    assert [name for name in loaded if name.startswith(allowed)] == []
    assert service == "gateway" or loaded == []


def test_without_a_collector_nothing_is_told() -> None:
    spans.start(TracingSettings(), "tester")

    assert not spans.are_sent()
    with spans.span("work") as span, spans.silence():
        span.note({"a": 1})
        span.rename("other")
        span.fail("late")
        span.end()
        assert (spans.ids(), spans.headers(), spans.plugins()) == ({}, {}, ())
    spans.stop(1.0)


@asynccontextmanager
async def silent_collector() -> AsyncIterator[str]:
    """A collector that accepts connections and never answers."""
    callers: list[asyncio.StreamWriter] = []

    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in callers:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def test_a_collector_that_is_away_costs_nobody_time() -> None:
    code, output, errors = await python(
        "-m", "support.traced_process", f"http://127.0.0.1:{free_port()}", **OFTEN
    )

    assert code == 0, errors
    cost = json.loads(output)
    assert cost["telling"] < 0.001
    assert cost["stopping"] < PATIENCE_SECONDS
    (said,) = [json.loads(line) for line in errors.splitlines()]
    assert (said["event"], said["collector"]) == ("traces not delivered", "127.0.0.1")


async def test_a_collector_that_never_answers_holds_nobody_up() -> None:
    async with silent_collector() as endpoint:
        code, output, errors = await python("-m", "support.traced_process", endpoint, **OFTEN)

    assert code == 0, errors
    cost = json.loads(output)
    assert cost["telling"] < 0.001
    assert cost["stopping"] < PATIENCE_SECONDS
    assert len(errors.splitlines()) <= 1


async def test_what_was_not_sent_yet_is_sent_at_the_end() -> None:
    async with open_collector() as collector:
        code, _, errors = await python("-m", "support.traced_process", collector.url)

    assert (code, errors) == (0, "")
    # More than this are told at once than wait for a collector; the last of them arrive.
    assert collector.spans[-1].facts["number"] == 19_999


async def test_the_share_that_is_not_sent_is_not_sent() -> None:
    async with open_collector() as collector:
        code, _, errors = await python(
            "-m", "support.traced_process", collector.url, FEEDMILL_TRACING_SHARE="0"
        )

    assert (code, errors, collector.spans) == (0, "", [])


OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "50"}


@pytest.mark.parametrize("value", ["collector:4318", "ftp://collector", "nowhere"])
def test_an_endpoint_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("FEEDMILL_TRACING_ENDPOINT", value)

    with pytest.raises(SettingsError, match="FEEDMILL_TRACING_ENDPOINT"):
        load(StackSettings)


def test_every_process_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FEEDMILL_TRACING_ENDPOINT", "")

    assert load(StackSettings).tracing_endpoint is None
    assert "tracing_share" in GatewaySettings.model_fields
