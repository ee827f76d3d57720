"""A real OpenTelemetry collector's door on loopback: OTLP over HTTP, read with the official messages.

async with open_collector() as collector:
    ... FEEDMILL_TRACING_ENDPOINT=collector.url ...
    spans = await collector.until(lambda spans: ...)
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_MOST_BYTES = 64 * 1024 * 1024

# Spans come soon after they end; by default they would be collected for five seconds.
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "200"}


@dataclass(frozen=True)
class Told:
    """One span, as it was told."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: str
    facts: Mapping[str, object]
    resource: Mapping[str, object]
    links: Sequence[str]
    failure: str
    started_at: int
    raw: str = field(repr=False, compare=False)


class Collector:
    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Told] = []
        self.headers: list[Mapping[str, str]] = []

    def named(self, name: str) -> list[Told]:
        return [span for span in self.spans if span.name == name]

    def trace(self, trace_id: str) -> list[Told]:
        return [span for span in self.spans if span.trace_id == trace_id]

    def ancestry(self, span: Told) -> list[str]:
        """Return the names of a span and everything above it, outermost last."""
        by_id = {each.span_id: each for each in self.trace(span.trace_id)}
        names = [span.name]
        while span.parent_id:
            if span.parent_id not in by_id:
                return [*names, "?"]
            span = by_id[span.parent_id]
            names.append(span.name)
        return names

    async def until(self, is_enough: Callable[[], object], seconds: float = 30) -> None:
        """Wait for spans that are still on their way."""
        async with asyncio.timeout(seconds):
            while not is_enough():
                await asyncio.sleep(0.1)

    async def _take(self, request: web.Request) -> web.Response:
        told = ExportTraceServiceRequest.FromString(await request.read())
        self.headers.append(request.headers)
        for of_resource in told.resource_spans:
            resource = _facts(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                self.spans += [_told(resource, span) for span in of_scope.spans]
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")


@asynccontextmanager
async def open_collector() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application(client_max_size=_MOST_BYTES)
    app.router.add_post("/v1/traces", collector._take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def _told(resource: Mapping[str, object], span: Span) -> Told:
    return Told(
        service=str(resource["service.name"]),
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        facts=_facts(span.attributes),
        resource=resource,
        links=[link.trace_id.hex() for link in span.links],
        failure=span.status.message,
        started_at=span.start_time_unix_nano,
        raw=str(span),
    )


def _facts(attributes: Sequence[KeyValue]) -> dict[str, object]:
    return {each.key: _value(each.value) for each in attributes}


def _value(value: AnyValue) -> object:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind) if kind else None
