"""Spans by OpenTelemetry, sent as OTLP over HTTP. Loaded only where they are sent: see `spans`."""

import logging
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.client import Plugin
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider

from feedmill import __version__
from feedmill.config import TracingSettings
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.spans import Facts, Kind

log = get_logger(__name__)

_PATH = "/v1/traces"
# A collector that takes longer is one that is away; nobody waits for it but the thread that sends.
_EXPORT_SECONDS = 5
# In memory while the collector is away; then the oldest are lost.
_MOST_WAITING = 4_096
_FACT_CHARACTERS = 500
_TELL_AGAIN_SECONDS = 900

_KINDS: Mapping[Kind, SpanKind] = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
}
_W3C = TraceContextTextMapPropagator()
# Not sampled, so nothing that descends from it is, in whichever process.
_SILENT_ID = 1
_SILENT = NonRecordingSpan(SpanContext(_SILENT_ID, span_id=1, is_remote=False))


class OpenTelemetryTracing:
    """Sends this process's spans to a collector, without anybody waiting for it."""

    def __init__(self, settings: TracingSettings, service: str, build: str | None) -> None:
        endpoint = str(settings.tracing_endpoint)
        # What they have to say of a collector that is away, we say ourselves, and once.
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
        exporter = OTLPSpanExporter(_traces_url(endpoint), timeout=_EXPORT_SECONDS)
        self._provider = create_tracer_provider(
            sampler=ParentBased(TraceIdRatioBased(settings.tracing_share)),
            resource=Resource.create(_resource(service, build)),
            # It would wait for a collector that is away, and for longer than anybody likes to.
            shutdown_on_exit=False,
            span_limits=SpanLimits(max_attribute_length=_FACT_CHARACTERS),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(_Discreet(exporter, endpoint), max_queue_size=_MOST_WAITING)
        )
        trace.set_tracer_provider(self._provider)
        self._tracer = self._provider.get_tracer("feedmill", __version__)

    @contextmanager
    def span(
        self, name: str, facts: Facts, kind: Kind, parent: Mapping[str, str] | None
    ) -> Iterator["_Span"]:
        context = None if parent is None else _W3C.extract(parent, Context())
        span = _Span(self._tracer.start_span(name, context, _KINDS[kind], dict(facts)))
        with trace.use_span(
            span.told, end_on_exit=False, record_exception=False, set_status_on_exception=False
        ):
            try:
                yield span
            except BaseException as error:
                span.fail(type(error).__name__)
                raise
            finally:
                span.end()

    @contextmanager
    def silence(self) -> Iterator[None]:
        token = attach(trace.set_span_in_context(_SILENT))
        try:
            yield
        finally:
            detach(token)

    def ids(self) -> Mapping[str, str]:
        current = trace.get_current_span().get_span_context()
        if not current.is_valid or current.trace_id == _SILENT_ID:
            return {}
        return {
            "trace_id": trace.format_trace_id(current.trace_id),
            "span_id": trace.format_span_id(current.span_id),
        }

    def headers(self) -> Mapping[str, str]:
        carrier: dict[str, str] = {}
        _W3C.inject(carrier)
        return carrier

    def plugins(self) -> Sequence[Plugin]:
        return (OpenTelemetryPlugin(add_temporal_spans=True),)

    def stop(self, seconds: float) -> None:
        # A thread that nobody has to wait for: the library's own patience is longer than ours.
        ending = threading.Thread(target=self._provider.shutdown, name="last-spans", daemon=True)
        ending.start()
        ending.join(seconds)


class _Span:
    def __init__(self, told: trace.Span) -> None:
        self.told = told
        self._has_ended = False

    def note(self, facts: Facts) -> None:
        if not self._has_ended:
            self.told.set_attributes(dict(facts))

    def rename(self, name: str) -> None:
        if not self._has_ended:
            self.told.update_name(name)

    def fail(self, why: str) -> None:
        if not self._has_ended:
            self.told.set_attribute("error.type", why)
            self.told.set_status(Status(StatusCode.ERROR, why))

    def end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self.told.end()


class _Discreet(SpanExporter):
    """Sends spans without what errors say: that quotes addresses, texts and what servers answer.

    A collector that is away is told of once, and again as long as it is, but seldom.
    """

    def __init__(self, exporter: SpanExporter, endpoint: str) -> None:
        self._exporter = exporter
        self._host = urlsplit(endpoint).hostname
        self._told_at: float | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export([_without_words(each) for each in spans])
        if result is SpanExportResult.SUCCESS:
            self._tell_of_success()
        else:
            self._tell_of_failure()
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)

    def _tell_of_failure(self) -> None:
        now = time.monotonic()
        if self._told_at is None or now - self._told_at > _TELL_AGAIN_SECONDS:
            self._told_at = now
            log.warning("traces not delivered", collector=self._host)

    def _tell_of_success(self) -> None:
        if self._told_at is not None:
            self._told_at = None
            log.info("traces delivered again", collector=self._host)


def _without_words(span: ReadableSpan) -> ReadableSpan:
    kinds = [_kind_of_error(each) for each in span.events]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=span.attributes,
        events=[
            Event(each.name, {"exception.type": kind}, each.timestamp) if kind else each
            for each, kind in zip(span.events, kinds, strict=True)
        ],
        links=span.links,
        kind=span.kind,
        status=_status_without_words(span.status, next(filter(None, kinds), None)),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _kind_of_error(event: Event) -> str:
    return str((event.attributes or {}).get("exception.type", ""))


def _status_without_words(status: Status, kind: str | None) -> Status:
    if status.status_code is not StatusCode.ERROR:
        return status
    # What comes before a colon is the class, wherever others than we say what went wrong.
    return Status(StatusCode.ERROR, kind or (status.description or "").partition(":")[0])


def _resource(service: str, build: str | None) -> dict[str, str]:
    facts = {
        "service.name": f"feedmill-{service}",
        "service.namespace": "feedmill",
        "service.version": __version__,
        "service.instance.id": f"{socket.gethostname()}/{os.getpid()}",
    }
    return facts | ({"feedmill.build_id": build} if build else {})


def _traces_url(endpoint: str) -> str:
    base = endpoint.rstrip("/")
    return base if base.endswith(_PATH) else base + _PATH
