import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.common import Priority

from feedmill.contracts.options import priority_of
from feedmill.contracts.workflows import ContentDistillation
from feedmill.models.distillates import (
    DistillationSkipped,
    DistillEntries,
    DistillOutcome,
    EntriesDistilled,
)
from feedmill.models.runs import BatchDistilled, DistillBatch, EntriesProgress, RunStep
from support.fleet import ScriptedDistillation, ScriptedIngestion, fleet
from support.starting import result


async def test_a_batch_is_distilled_in_slices(time_skipping: Client) -> None:
    def outcome(entry_id: int) -> DistillOutcome | None:
        return DistillationSkipped(entry_id=25) if entry_id == 25 else None

    distillation = ScriptedDistillation(outcome)
    async with fleet(time_skipping, ScriptedIngestion(), None, distillation):
        request = DistillBatch(entry_ids=tuple(range(1, 26)))
        ended = await result(time_skipping, ContentDistillation.run, request)

    assert ended == BatchDistilled(
        progress=EntriesProgress(step=RunStep.DONE, total=25, distilled=24, left=1)
    )
    assert sorted(map(len, distillation.slices)) == [8, 8, 9]


@pytest.mark.parametrize(
    ("interactive", "tenant", "priority"),
    [
        pytest.param(True, "", Priority(priority_key=1), id="somebody waits"),
        pytest.param(False, "", Priority(priority_key=3), id="nobody does"),
        pytest.param(False, "ann", Priority(priority_key=3, fairness_key="ann"), id="whose"),
        pytest.param(
            False, "ä" * 40, Priority(priority_key=3, fairness_key="ä" * 32), id="a long name"
        ),
    ],
)
def test_where_work_stands_in_its_queue(
    *, interactive: bool, tenant: str, priority: Priority
) -> None:
    assert priority_of(interactive=interactive, tenant=tenant) == priority


async def test_its_priority_reaches_the_queue(temporal: Client) -> None:
    class Looking(ScriptedDistillation):
        @activity.defn
        async def distill_entries(self, request: DistillEntries) -> EntriesDistilled:
            seen.append(activity.info().priority)
            return await super().distill_entries(request)

    seen: list[Priority] = []
    async with fleet(temporal, ScriptedIngestion(), None, Looking()):
        request = DistillBatch(entry_ids=(1,), interactive=True, tenant="ann")
        await result(temporal, ContentDistillation.run, request)

    assert [(each.priority_key, each.fairness_key) for each in seen] == [(1, "ann")]
