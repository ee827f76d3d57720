"""One log shape for everything: our services, activities, workflows, and libraries.

An event is a short constant phrase; data go in keys. Context (workflow, activity, attempt) is bound
once, by the interceptor.
"""

import logging
import sys
from typing import Any

import structlog
from structlog.types import EventDict, Processor, WrappedLogger
from temporalio import activity, workflow

from feedmill.config import LogFormat, LogSettings
from feedmill.telemetry import spans

# Libraries that say too much at INFO about what our own lines already say.
_QUIET: tuple[str, ...] = (
    "aiohttp.access",
    "httpx",
    "httpx2",
    "openai",
    "sqlalchemy.engine",
    "uvicorn.access",
    "uvicorn.error",
    "alembic",
)

# What the SDK's adapters attach to a record, beside what the caller gave.
_TEMPORAL_FIELDS = ("temporal_workflow", "temporal_activity")


def configure_logs(settings: LogSettings, service: str) -> None:
    """Send every log line of this process to stderr in one shape. Called once, at start."""
    _silence_sdk_suffixes()
    console = settings.log_format is LogFormat.CONSOLE or (
        settings.log_format is LogFormat.AUTO and sys.stderr.isatty()
    )
    shared = _shared_processors(service)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), _lift_temporal_fields, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_render(console=console),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    # The SDK reports each failed activity with its whole traceback; our interceptor has already said
    # it in one line.
    activity.logger.base_logger.setLevel(logging.ERROR)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger: `log = get_logger(__name__)`, `log.info("feed polled", feed_id=7)`."""
    return structlog.stdlib.get_logger(name)


def stdlib_logger(name: str) -> logging.Logger:
    """Return the standard library's logger, for a library that wants one to write to."""
    return logging.getLogger(name)


def _silence_sdk_suffixes() -> None:
    # The adapters would append a Python dict to each message; the interceptor binds the same facts
    # as keys.
    workflow.logger.workflow_info_on_message = False
    activity.logger.activity_info_on_message = False


def _shared_processors(service: str) -> list[Processor]:
    def name_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        name_service,
        _name_trace,
    ]


def _name_trace(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    event.update(spans.ids())
    return event


def _lift_temporal_fields(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    for field in _TEMPORAL_FIELDS:
        nested: dict[str, Any] = event.pop(field, None) or {}
        for key in ("workflow_id", "workflow_type", "attempt", "task_queue", "activity_type"):
            if key in nested:
                event.setdefault(key, nested[key])
        run_id = nested.get("run_id", nested.get("workflow_run_id"))
        if run_id:
            event.setdefault("run_id", run_id)
    return event


def _render(*, console: bool) -> list[Processor]:
    if console:
        return [structlog.dev.ConsoleRenderer()]
    return [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
