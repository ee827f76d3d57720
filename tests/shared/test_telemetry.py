import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client

from feedmill.errors import StoreUnavailableError
from feedmill.telemetry.health import Health
from feedmill.telemetry.runtime import start_runtime
from feedmill.telemetry.server import serve_telemetry
from support.programs import free_port


async def well() -> None:
    pass


async def away() -> None:
    raise StoreUnavailableError("Postgres did not answer")


async def hangs() -> None:
    await asyncio.sleep(3_600)


@pytest.mark.parametrize(
    ("checks", "draining", "wrong"),
    [
        pytest.param({"postgres": well}, False, {}, id="ready"),
        pytest.param(
            {"postgres": away, "temporal": well},
            False,
            {"postgres": "Postgres did not answer"},
            id="one is away",
        ),
        pytest.param({"postgres": well}, True, {"process": "draining"}, id="draining"),
        pytest.param({"temporal": hangs}, False, {"temporal": "no answer"}, id="no answer"),
    ],
)
async def test_readiness_names_what_is_missing(
    monkeypatch: pytest.MonkeyPatch,
    checks: dict,
    draining: bool,
    wrong: dict,  # type: ignore[type-arg]
) -> None:
    monkeypatch.setattr("feedmill.telemetry.health._CHECK_SECONDS", 0.05)
    health = Health(checks)
    if draining:
        health.drain()

    assert await health.readiness() == wrong


async def test_being_alive_depends_on_nobody_else() -> None:
    health = Health({"postgres": away})

    assert health.liveness() == {}


async def test_stopped_pollers_are_noticed() -> None:
    health = Health({})
    health.watch(lambda: False)

    assert health.liveness() == {"pollers": "stopped"}


async def test_a_stalled_event_loop_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feedmill.telemetry.health._STALLED_AFTER_SECONDS", 0.0)
    health = Health({})

    await asyncio.sleep(0.01)

    assert health.liveness() == {"event_loop": "stalled"}


@asynccontextmanager
async def telemetry(health: Health, temporal: Client) -> AsyncIterator[str]:
    runtime, core_metrics_url = start_runtime("tester")
    port = free_port()
    client = await Client.connect(temporal.service_client.config.target_host, runtime=runtime)
    await client.service_client.check_health()
    async with serve_telemetry("127.0.0.1", port, health, core_metrics_url):
        yield f"http://127.0.0.1:{port}"


async def test_one_scrape_has_both_families(temporal: Client) -> None:
    async with telemetry(Health({}), temporal) as url, aiohttp.ClientSession() as session:
        await asyncio.sleep(0.3)
        async with session.get(f"{url}/metrics") as answer:
            text = await answer.text()

    families = {family.name for family in text_string_to_metric_families(text)}
    assert {"feedmill_feeds_polled", "feedmill_event_loop_lag_seconds"} <= families
    assert any(name.startswith("temporal_request") for name in families)


async def test_probes_answer_with_their_verdict(temporal: Client) -> None:
    health = Health({"postgres": away})
    async with telemetry(health, temporal) as url, aiohttp.ClientSession() as session:
        async with session.get(f"{url}/healthz") as answer:
            alive = (answer.status, await answer.json())
        async with session.get(f"{url}/readyz") as answer:
            ready = (answer.status, await answer.json())

    assert alive == (200, {"ok": True, "wrong": {}})
    assert ready == (503, {"ok": False, "wrong": {"postgres": "Postgres did not answer"}})
