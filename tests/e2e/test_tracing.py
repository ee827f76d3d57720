"""One piece of work, followed through the whole fleet by whoever named a collector."""

import base64
import json
from pathlib import Path

import aiohttp
import pytest

from support.collector import SOON, Collector, Told, open_collector
from support.model_server import open_model_server
from support.origin import Origin
from support.running_fleet import feedmill, running_fleet
from support.sites import serve_own_site

# A fleet starts within it, on a machine that does other things as well.
pytestmark = pytest.mark.timeout(300)

PAYLOAD_KEY = base64.b64encode(b"k" * 32).decode()
MODEL_KEY = "key-of-the-model"
FEED_SECRET = "for-my-eyes-only"
HUB_SECRET = "h" * 43
OTHERS = "a" * 32
SERVICES = {
    f"feedmill-{name}"
    for name in ("cli", "gateway", "orchestrator", "ingestion", "fetch", "distillation")
}


async def test_a_command_is_one_trace_down_to_the_model(tmp_path: Path, origin: Origin) -> None:
    site = serve_own_site(origin)
    path = site.url.removeprefix(origin.base)
    origin.redirect(f"/{FEED_SECRET}?key={FEED_SECRET}", path)
    async with open_model_server() as model, open_collector() as collector:
        environ = {
            "FEEDMILL_TRACING_ENDPOINT": collector.url,
            "FEEDMILL_PAYLOAD_KEYS": f"new={PAYLOAD_KEY}",
            "FEEDMILL_MODEL_URL": model.url,
            "FEEDMILL_MODEL_NAME": "test-model",
            "FEEDMILL_MODEL_API_KEY": MODEL_KEY,
            "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=mine",
            **SOON,
        }
        folder = tmp_path / "data"
        async with running_fleet(folder, environ) as fleet:
            token = (folder / "token").read_text().strip()
            secret_url = f"{origin.base}/{FEED_SECRET}?key={FEED_SECRET}"
            code, output, errors = await feedmill(folder, "add", secret_url, environ=environ)
            assert code == 0, output + errors
            await collector.until(lambda: collector.named("feedmill add"))
            (begun,) = collector.named("feedmill add")
            await collector.until(lambda: _is_whole(collector, begun.trace_id, site.entries))
            # Signing in puts the token into the address, and a hub's callback is a secret itself.
            await fleet.page()
            called_back = aiohttp.request(
                "POST",
                f"{fleet.base_url}/websub/{HUB_SECRET}",
                headers={"traceparent": f"00-{OTHERS}-{'b' * 16}-01"},
            )
            async with called_back as answer:
                assert answer.status == 410
            await collector.until(lambda: collector.named("POST /websub/{token}"))
            logs = [json.loads(line) for part in SERVICES for line in _log(fleet.logs(), part)]
        told = collector.trace(begun.trace_id)
        everything = "".join(span.raw + repr(span.resource) for span in collector.spans)

    assert {span.service for span in told} == SERVICES
    assert not begun.parent_id
    calls = [span for span in told if span.name == "chat test-model"]
    assert len(calls) == len(model.requests)
    for call in calls:
        # The last of those above is the first that was done.
        above = collector.ancestry(call)
        assert above[:3] == ["chat test-model", "distil entry", "RunActivity:distill_entries"]
        assert above[-6:] == [
            "RunWorkflow:SingleFeedIngestion",
            "StartChildWorkflow:SingleFeedIngestion",
            "RunWorkflow:SubscribeFeed",
            "StartWorkflow:SubscribeFeed",
            "POST /api/v1/feeds",
            "feedmill add",
        ]
        assert call.kind == "CLIENT"
        assert call.facts["gen_ai.request.model"] == "test-model"
        assert call.facts["gen_ai.usage.input_tokens"] == 100
        assert call.facts["gen_ai.usage.output_tokens"] == 20

    # A span for each entry of a slice, and for each request to a site.
    pages = [span for span in told if span.facts.get("feedmill.purpose") == "page"]
    assert {collector.ancestry(page)[1] for page in pages} == {"fetch entry"}
    assert len({page.parent_id for page in pages}) == site.entries
    polls = [span for span in told if span.facts.get("feedmill.purpose") == "feed"]
    assert [collector.ancestry(poll)[1] for poll in polls] == ["poll feed", "poll feed"]
    assert {poll.facts["server.address"] for poll in polls} == {"127.0.0.1"}

    a_line = model.requests[0].lines[1]
    # Nobody outside is told of traces, and no trace tells what is none of its business.
    for request in origin.requests:
        assert not {"traceparent", "tracestate", "baggage"} & {k.lower() for k in request.headers}
    for asked in model.requests:
        assert not {"traceparent", "tracestate", "baggage"} & asked.header_names
    for secret in (PAYLOAD_KEY, MODEL_KEY, FEED_SECRET, HUB_SECRET, token, a_line):
        assert secret not in everything

    assert OTHERS not in {span.trace_id for span in collector.spans}

    # The standard variables mean what they mean everywhere.
    assert {headers["x-tenant"] for headers in collector.headers} == {"mine"}
    assert {span.resource["service.version"] for span in told} == {"0.1.0"}

    # Asking how far a run has come, twice a second, is nobody's news.
    assert not [s for s in collector.spans if s.name.startswith(("QueryWorkflow", "HandleQuery"))]

    _check_logs(logs, begun.trace_id, told)


def _check_logs(logs: list[dict[str, str]], trace_id: str, told: list[Told]) -> None:
    """Look whether lines name the trace they belong to, and the span in which they were written."""
    written = [line for line in logs if line.get("trace_id") == trace_id]
    assert {line["service"] for line in written} >= {"ingestion", "fetch", "distillation"}
    assert {line["span_id"] for line in written} <= {span.span_id for span in told}
    assert {"activity completed", "entry fetched"} <= {line["event"] for line in written}


def _is_whole(collector: Collector, trace_id: str, entries: int) -> bool:
    told = collector.trace(trace_id)
    names = [span.name for span in told]
    has_ended = (
        "RunWorkflow:SingleFeedIngestion" in names and names.count("distil entry") == entries
    )
    return has_ended and {span.parent_id for span in told} <= {"", *(span.span_id for span in told)}


def _log(logs: dict[str, list[str]], service: str) -> list[str]:
    lines = logs.get(service.removeprefix("feedmill-"), [])
    return [line for line in lines if line.startswith("{")]
