import re
from typing import Any

from aiohttp import ClientSession
from prometheus_client import REGISTRY

from feedmill_gateway.routes import API
from support.library import Library

_PROBLEMS = {"401", "403", "404", "422", "503"}


async def reference(idle_web: ClientSession) -> dict[str, Any]:
    document: dict[str, Any] = await (await idle_web.get("/openapi.json")).json()
    return document


async def test_every_route_of_the_api_is_documented(idle_web: ClientSession) -> None:
    document = await reference(idle_web)

    documented = {
        (method.upper(), path) for path, each in document["paths"].items() for method in each
    }
    served = {
        (method, re.sub(r":\w+}", "}", route.path))
        for router in API
        for route in router.routes
        for method in route.methods
    }
    assert document["openapi"].startswith("3.1.")
    assert documented == served


async def test_every_operation_says_what_it_does_and_how_it_fails(idle_web: ClientSession) -> None:
    document = await reference(idle_web)

    for each in document["paths"].values():
        for operation in each.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["security"] == [{"HTTPBearer": []}, {"APIKeyCookie": []}]
            assert set(operation["responses"]) >= _PROBLEMS
            for status in _PROBLEMS:
                assert "application/problem+json" in operation["responses"][status]["content"]


async def test_whatever_the_reference_refers_to_is_there(idle_web: ClientSession) -> None:
    text = await (await idle_web.get("/openapi.json")).text()

    named = set(re.findall(r"#/components/schemas/(\w+)", text))
    assert named <= set((await reference(idle_web))["components"]["schemas"])


async def test_streams_are_documented_as_streams(idle_web: ClientSession) -> None:
    document = await reference(idle_web)

    answer = document["paths"]["/api/v1/events"]["get"]["responses"]["200"]
    assert set(answer["content"]) == {"text/event-stream"}


async def test_the_reference_page_loads_nothing_from_elsewhere(idle_web: ClientSession) -> None:
    answer = await idle_web.get("/docs")
    page = await answer.text()

    assert answer.status == 200
    assert re.findall(r"""["'](?:https?:)?//[^"']*""", page) == []
    for path in re.findall(r'(?:src|href)="([^"]+)"', page):
        loaded = await idle_web.get(path)
        assert (loaded.status, await loaded.read() != b"") == (200, True)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_requests_are_measured_by_route_not_by_address(
    api: ClientSession, library: Library
) -> None:
    feed_id = await library.feed()
    labels = {"route": "/api/v1/feeds/{feed_id}", "status": "2xx"}
    before = REGISTRY.get_sample_value("feedmill_gateway_request_seconds_count", labels) or 0

    await api.get(f"/api/v1/feeds/{feed_id}")
    await api.get(f"/api/v1/nothing/{feed_id}")

    after = REGISTRY.get_sample_value("feedmill_gateway_request_seconds_count", labels)
    routes = {
        sample.labels["route"]
        for metric in REGISTRY.collect()
        if metric.name == "feedmill_gateway_request_seconds"
        for sample in metric.samples
    }
    assert after == before + 1
    assert not any(str(feed_id) in route for route in routes)
