"""What happens around every activity: log context, measurement, and the decision about retrying."""

import time
from typing import Any

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from temporalio.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

from feedmill.errors import FeedmillError, PermanentError, TransientError
from feedmill.telemetry.logs import get_logger
from feedmill.telemetry.metrics import ACTIVITY_SECONDS

log = get_logger(__name__)

# Temporal keeps failures in history, and history is replayed.
_MESSAGE_CHARACTERS = 1_000


class FeedmillInterceptor(Interceptor):
    """Wrap every activity of a worker."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _Activity(next)


class _Activity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        info = activity.info()
        with structlog.contextvars.bound_contextvars(
            workflow_id=info.workflow_id,
            workflow_type=info.workflow_type,
            run_id=info.workflow_run_id,
            activity_type=info.activity_type,
            attempt=info.attempt,
            task_queue=info.task_queue,
        ):
            return await self._measured(input, info.activity_type)

    async def _measured(self, input_: ExecuteActivityInput, name: str) -> Any:
        started = time.perf_counter()
        outcome = "failed"
        try:
            answer = await super().execute_activity(input_)
            outcome = "completed"
        except FeedmillError as error:
            outcome = "permanent" if isinstance(error, PermanentError) else "transient"
            log.warning("activity failed", error=str(error), error_type=type(error).__name__)
            raise as_application_error(error) from error
        except (CancelledError, TimeoutError):
            outcome = "cancelled"
            raise
        except Exception:
            log.exception("activity broke")
            raise
        finally:
            seconds = time.perf_counter() - started
            ACTIVITY_SECONDS.labels(name, outcome).observe(seconds)
        log.info("activity completed", seconds=round(seconds, 3))
        return answer


def as_application_error(error: FeedmillError) -> ApplicationError:
    """Return Temporal's form of one of our errors: the class alone decides about retrying."""
    return ApplicationError(
        str(error)[:_MESSAGE_CHARACTERS],
        type=type(error).__name__,
        non_retryable=isinstance(error, PermanentError),
        next_retry_delay=error.retry_after if isinstance(error, TransientError) else None,
        # Waiting for somebody is no alarm.
        category=ApplicationErrorCategory.BENIGN
        if isinstance(error, TransientError)
        else ApplicationErrorCategory.UNSPECIFIED,
    )
