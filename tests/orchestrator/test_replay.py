"""What needs no server: every workflow loads in the sandbox, and every recorded run can go on."""

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner
from temporalio.workflow import SandboxImportNotificationPolicy

from feedmill.worker.run import workflow_runner
from feedmill_orchestrator.registry import WORKFLOWS

HISTORIES = sorted((Path(__file__).parents[1] / "histories").glob("*.json"))


def strict_sandbox() -> SandboxedWorkflowRunner:
    """The fleet's sandbox; a module that slips into it by accident is an error."""
    fleets = workflow_runner()
    return SandboxedWorkflowRunner(
        restrictions=fleets.restrictions.with_import_notification_policy(
            SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
            | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        )
    )


@pytest.mark.parametrize("workflow_class", WORKFLOWS, ids=lambda each: each.__name__)
async def test_a_workflow_loads_in_the_sandbox(workflow_class: type) -> None:
    definition = workflow._Definition.must_from_class(workflow_class)

    strict_sandbox().prepare_workflow(definition)


@pytest.mark.parametrize("path", HISTORIES, ids=lambda each: each.stem)
async def test_a_recorded_run_replays(path: Path) -> None:
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=workflow_runner(),
        data_converter=pydantic_data_converter,
    )

    await replayer.replay_workflow(WorkflowHistory.from_json("feed-ingestion/1", path.read_text()))


def test_every_workflow_has_a_recorded_run() -> None:
    recorded = {path.name.split(".")[0] for path in HISTORIES}

    assert recorded == {
        workflow._Definition.must_from_class(workflow_class).name for workflow_class in WORKFLOWS
    }
