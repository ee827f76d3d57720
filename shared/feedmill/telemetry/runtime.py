"""The Temporal runtime of a process: the SDK core's metrics on a port only we read."""

import socket
from collections.abc import Callable
from datetime import timedelta

from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    PrometheusConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)

from feedmill.telemetry.logs import stdlib_logger
from feedmill.telemetry.metrics import WORK_SECONDS

# The core's own buckets jump from 1 to 10 to 100 s: every quantile of our work would be a flat line.
_LATENCIES = (
    "temporal_activity_schedule_to_start_latency",
    "temporal_activity_execution_latency",
    "temporal_activity_succeed_endtoend_latency",
    "temporal_local_activity_execution_latency",
    "temporal_workflow_task_schedule_to_start_latency",
    "temporal_workflow_task_execution_latency",
    "temporal_workflow_task_replay_latency",
    "temporal_workflow_endtoend_latency",
    "temporal_request_latency",
    "temporal_long_request_latency",
)


def start_runtime(service: str) -> tuple[Runtime, str]:
    """Start the runtime; return it and the loopback URL of its metrics."""
    return _on_free_port(lambda port: _runtime(service, port))


def _runtime(service: str, port: int) -> Runtime:
    return Runtime(
        telemetry=TelemetryConfig(
            logging=LoggingConfig(
                filter=TelemetryFilter(core_level="WARN", other_level="ERROR"),
                forwarding=LogForwardingConfig(logger=stdlib_logger("temporalio.core")),
            ),
            metrics=PrometheusConfig(
                bind_address=f"127.0.0.1:{port}",
                counters_total_suffix=True,
                unit_suffix=True,
                durations_as_seconds=True,
                histogram_bucket_overrides=dict.fromkeys(_LATENCIES, WORK_SECONDS),
            ),
            global_tags={"service": service},
        ),
        worker_heartbeat_interval=timedelta(seconds=30),
    )


def _on_free_port(start: Callable[[int], Runtime], tries: int = 5) -> tuple[Runtime, str]:
    # Somebody may take the port between our look and the core's bind: look again.
    while True:
        port = _free_port()
        try:
            return start(port), f"http://127.0.0.1:{port}/metrics"
        except ValueError:
            tries -= 1
            if not tries:
                raise


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
