import io
import json
import logging
import sys
import uuid
from collections.abc import Iterator

import pytest
import structlog
from temporalio import activity
from temporalio.client import Client

from feedmill.config import LogFormat, LogSettings
from feedmill.contracts.queues import TaskQueue
from feedmill.telemetry.logs import configure_logs, get_logger
from feedmill.worker.run import build_worker
from support.workflows import CallOne

COMMON = {"event", "level", "logger", "service", "timestamp"}
WORK = {"workflow_id", "workflow_type", "run_id", "attempt", "task_queue"}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What this process logs while the test runs, in JSON."""
    stream = io.StringIO()
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs(LogSettings(log_format=LogFormat.JSON), "tester")
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def parsed(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_service_line_is_one_json_object(lines: io.StringIO) -> None:
    get_logger("feedmill.here").info("feed polled", feed_id=7, new=3)

    (line,) = parsed(lines)
    assert line.keys() == COMMON | {"feed_id", "new"}
    assert (line["event"], line["service"], line["level"]) == ("feed polled", "tester", "info")


def test_a_library_line_has_the_same_shape(lines: io.StringIO) -> None:
    logging.getLogger("some.library").warning("cache %s", "full", extra={"size": 9})

    (line,) = parsed(lines)
    assert line.keys() == COMMON | {"size"}
    assert line["event"] == "cache full"


def test_an_exception_stays_on_one_line(lines: io.StringIO) -> None:
    try:
        raise ValueError("bug")
    except ValueError:
        get_logger("feedmill.here").exception("activity broke")

    (line,) = parsed(lines)
    assert "exception" in line


@activity.defn
async def speak() -> str:
    get_logger("feedmill.activity").info("page fetched", entry_id=1)
    return "spoken"


async def test_workflow_and_activity_lines_share_their_shape(
    lines: io.StringIO, time_skipping: Client
) -> None:
    workflow_id = f"speaker/{uuid.uuid4()}"

    async with build_worker(
        time_skipping, TaskQueue.ORCHESTRATION, activities=[speak], workflows=[CallOne]
    ):
        await time_skipping.execute_workflow(
            CallOne.run, "speak", id=workflow_id, task_queue=TaskQueue.ORCHESTRATION
        )

    by_event = {str(line["event"]): line for line in parsed(lines)}
    assert by_event["calling"].keys() == COMMON | WORK | {"callee"}
    assert by_event["page fetched"].keys() == COMMON | WORK | {"activity_type", "entry_id"}
    assert by_event["activity completed"].keys() == COMMON | WORK | {"activity_type", "seconds"}
    assert by_event["calling"]["workflow_id"] == by_event["page fetched"]["workflow_id"]
    assert by_event["page fetched"]["workflow_id"] == workflow_id


@pytest.mark.parametrize(
    ("log_format", "is_terminal", "is_json"),
    [
        pytest.param(LogFormat.AUTO, True, False, id="a person looks on"),
        pytest.param(LogFormat.AUTO, False, True, id="a container"),
        pytest.param(LogFormat.JSON, True, True, id="JSON wished for"),
        pytest.param(LogFormat.CONSOLE, False, False, id="console wished for"),
    ],
)
def test_format_follows_the_terminal_unless_told(
    monkeypatch: pytest.MonkeyPatch,
    lines: io.StringIO,
    log_format: LogFormat,
    is_terminal: bool,
    is_json: bool,
) -> None:
    monkeypatch.setattr(sys, "stderr", lines)
    monkeypatch.setattr(lines, "isatty", lambda: is_terminal)
    configure_logs(LogSettings(log_format=log_format), "tester")

    logging.getLogger("any").warning("hello")

    assert lines.getvalue().startswith("{") is is_json
