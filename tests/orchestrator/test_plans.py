"""Workflows are pure plans, and a change of their steps is seen: by their sources and by replay."""

import types
from pathlib import Path

import pytest
from temporalio.worker import UnsandboxedWorkflowRunner

from feedmill_orchestrator.replaying import check
from feedmill_orchestrator.workflows.patches import PATCHES
from support.plans import baseline, commands, fingerprints, impurities
from support.queues import WORKFLOW_MODULES
from support.record_histories import HISTORIES

SUPERVISE = next(path for path in WORKFLOW_MODULES if path.stem == "supervise")
# What an operator's innocent "let it settle first" does to runs that are open.
STEP = "        return await workflow.execute_activity_method("
CHANGED = SUPERVISE.read_text().replace(STEP, f"        await workflow.sleep(5)\n{STEP}")


@pytest.mark.parametrize("path", WORKFLOW_MODULES, ids=lambda path: path.stem)
def test_a_workflow_module_reads_nothing_that_replay_does_not_repeat(path: Path) -> None:
    assert impurities(path.read_text()) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.environ['X']", "os in line 1"),
        ("from random import choice", "random in line 1"),
        ("from feedmill.config import load", "feedmill.config in line 1"),
        ("async def run():\n    return datetime.now(UTC)", "datetime.now in line 2"),
        ("async def run():\n    await asyncio.wait(them)", "asyncio.wait in line 2"),
        ("async def run():\n    await workflow.sleep(0)", "workflow.sleep in line 2"),
        ("async def run():\n    import time", "time in line 2"),
    ],
)
def test_what_replay_does_not_repeat_is_found(source: str, found: str) -> None:
    assert impurities(source) == [found]


def test_the_commands_of_workflows_are_those_that_were_committed() -> None:
    # Do open runs go on? Then `python -m support.plans` in tests/ makes this the baseline.
    assert fingerprints() == baseline()


def test_a_changed_step_changes_the_fingerprint() -> None:
    before = baseline()[SUPERVISE.name]

    assert commands(SUPERVISE.read_text()) == before
    assert commands(CHANGED) != before


def test_steps_in_another_order_are_another_fingerprint() -> None:
    source = next(path for path in WORKFLOW_MODULES if path.stem == "redrive").read_text()
    take_back, go_on = (
        "            slice_ = await self._take_back(reason, batch, after=after, limit=limit)\n",
        "            await take_up_again(batch, new=slice_.new_entry_ids, fetched=slice_.fetched_entry_ids)\n",
    )

    assert commands(source.replace(take_back + go_on, go_on + take_back)) != commands(source)


async def test_a_changed_step_fails_the_replay() -> None:
    module = types.ModuleType("changed_supervise")
    exec(compile(CHANGED, SUPERVISE.name, "exec"), vars(module))
    paths = [HISTORIES / "Supervise.all_run.json"]

    unchanged = await check(paths)
    changed = await check(paths, [module.SuperviseWorkflow], UnsandboxedWorkflowRunner())

    assert unchanged == []
    assert [each.name for each in changed] == ["Supervise.all_run.json"]
    assert "Nondeterminism" in changed[0].problem or "TMPRL1100" in changed[0].problem


def test_patches_are_told_apart_and_explained() -> None:
    assert len({patch.id for patch in PATCHES}) == len(PATCHES)
    for patch in PATCHES:
        assert patch.since
        assert patch.why.endswith(".")
        assert patch.longest_run_days > 0
