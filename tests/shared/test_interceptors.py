import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError

from feedmill.contracts.queues import TaskQueue
from feedmill.errors import (
    FeedmillError,
    ModelUnavailableError,
    NotFoundError,
    StoreUnavailableError,
)
from feedmill.models.events import RunRef
from feedmill.worker import current_run, heartbeating
from feedmill.worker.interceptors import as_application_error
from feedmill.worker.run import build_worker
from support.workflows import CallOne


class Faulty:
    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.attempts = 0

    @activity.defn
    async def faulty(self) -> str:
        self.attempts += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


async def call(client: Client, *activities: Callable[..., object]) -> str:
    async with build_worker(
        client, TaskQueue.ORCHESTRATION, activities=activities, workflows=[CallOne]
    ):
        answer: str = await client.execute_workflow(
            CallOne.run,
            activities[0].__name__,
            id=f"call/{uuid.uuid4()}",
            task_queue=TaskQueue.ORCHESTRATION,
        )
        return answer


@pytest.mark.parametrize(
    ("error", "non_retryable", "delay"),
    [
        pytest.param(NotFoundError("no feed 7"), True, None, id="permanent"),
        pytest.param(StoreUnavailableError("away"), False, None, id="transient"),
        pytest.param(
            ModelUnavailableError("busy", retry_after=timedelta(seconds=30)),
            False,
            timedelta(seconds=30),
            id="transient, with the time it asked for",
        ),
    ],
)
def test_the_class_decides_about_retrying(
    error: FeedmillError,
    non_retryable: bool,
    delay: timedelta | None,
) -> None:
    translated = as_application_error(error)

    assert translated.message == str(error)
    assert translated.type == type(error).__name__
    assert translated.non_retryable is non_retryable
    assert translated.next_retry_delay == delay


def test_a_long_message_is_cut_before_it_enters_history() -> None:
    translated = as_application_error(NotFoundError("x" * 100_000))

    assert len(translated.message) == 1_000


async def test_a_transient_error_is_retried_until_it_passes(time_skipping: Client) -> None:
    faulty = Faulty(StoreUnavailableError("away"), StoreUnavailableError("still away"))

    answer = await call(time_skipping, faulty.faulty)

    assert (answer, faulty.attempts) == ("done", 3)


async def test_a_permanent_error_is_not_retried(time_skipping: Client) -> None:
    faulty = Faulty(NotFoundError("no feed 7"))

    with pytest.raises(WorkflowFailureError) as failure:
        await call(time_skipping, faulty.faulty)

    assert faulty.attempts == 1
    assert isinstance(failure.value.cause, ActivityError)
    assert isinstance(failure.value.cause.cause, ApplicationError)
    assert failure.value.cause.cause.type == "NotFoundError"


async def test_every_attempt_is_measured_by_how_it_ended(time_skipping: Client) -> None:
    def count(outcome: str) -> float:
        labels = {"activity": "faulty", "outcome": outcome}
        return REGISTRY.get_sample_value("feedmill_activity_seconds_count", labels) or 0

    before = {outcome: count(outcome) for outcome in ("completed", "transient", "failed")}

    await call(time_skipping, Faulty(StoreUnavailableError("away"), ValueError("bug")).faulty)

    after = {outcome: count(outcome) - before[outcome] for outcome in before}
    assert after == {"completed": 1, "transient": 1, "failed": 1}


@activity.defn
async def name_the_run() -> str:
    async with heartbeating():
        run = current_run()
        assert run is not None
        return run.workflow_id


async def test_an_activity_knows_the_run_it_works_for(time_skipping: Client) -> None:
    assert (await call(time_skipping, name_the_run)).startswith("call/")


def test_outside_an_activity_there_is_no_run() -> None:
    run: RunRef | None = current_run()

    assert run is None
