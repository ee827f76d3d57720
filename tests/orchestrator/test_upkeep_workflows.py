import asyncio

from temporalio.client import Client

from feedmill.contracts.workflows import PruneEntries, Reconcile, Supervise
from feedmill.models.upkeep import (
    ForgetOld,
    KeepShards,
    OldForgotten,
    PruneSlice,
    RepairStages,
    ShardsKept,
    SlicePruned,
    StagesRepaired,
    StalledPickedUp,
)
from support.fleet import (
    ScriptedDistillation,
    ScriptedFetch,
    ScriptedIngestion,
    ScriptedUpkeep,
    fleet,
)
from support.starting import result, start


async def test_what_has_stalled_goes_the_rest_of_the_way(temporal: Client) -> None:
    stalled = StalledPickedUp(new_entry_ids=(1, 2), fetched_entry_ids=(3,), left=7)
    upkeep = ScriptedUpkeep([stalled])
    fetch, distillation = ScriptedFetch(), ScriptedDistillation()
    async with fleet(temporal, ScriptedIngestion(), fetch, distillation, upkeep=upkeep):
        handle = await start(temporal, Reconcile.run, RepairStages(most=3))
        repaired = await handle.result()
        again = await result(temporal, Reconcile.run, RepairStages(most=3))
        async with asyncio.timeout(20):
            while sum(map(len, distillation.slices)) < 3:
                await asyncio.sleep(0.02)

    assert repaired == StagesRepaired(picked_up=3, left=7)
    assert again == StagesRepaired()
    assert sorted(fetch.slices) == [(1,), (2,)]
    assert sorted(each for slice_ in distillation.slices for each in slice_) == [1, 2, 3]
    # Each run claims under a name of its own, and asks for as much as it was told.
    assert upkeep.pick_ups[0].batch == f"reconcile-{handle.result_run_id}"
    assert upkeep.pick_ups[0].most == 3
    assert upkeep.pick_ups[0].batch != upkeep.pick_ups[1].batch


async def test_old_entries_are_forgotten_slice_by_slice(time_skipping: Client) -> None:
    slices = [SlicePruned(pruned=2, next_after=at) for at in (10, 20, 30)]
    upkeep = ScriptedUpkeep(pruned=[*slices, SlicePruned(pruned=1)])
    async with fleet(time_skipping, ScriptedIngestion(), upkeep=upkeep):
        request = ForgetOld(keep_days=90, keep_newest=5, slices=2)
        forgotten = await result(time_skipping, PruneEntries.run, request)

    assert forgotten == OldForgotten(pruned=7)
    assert upkeep.prunings == [
        PruneSlice(keep_days=90, keep_newest=5, after_entry_id=at) for at in (0, 10, 20, 30)
    ]


async def test_nothing_is_forgotten_unless_somebody_says_so(time_skipping: Client) -> None:
    upkeep = ScriptedUpkeep(pruned=[SlicePruned(pruned=1)])
    async with fleet(time_skipping, ScriptedIngestion(), upkeep=upkeep):
        forgotten = await result(time_skipping, PruneEntries.run, ForgetOld())

    assert (forgotten, upkeep.prunings) == (OldForgotten(), [])


async def test_shards_are_kept_running(time_skipping: Client) -> None:
    async with fleet(time_skipping, ScriptedIngestion()):
        kept = await result(time_skipping, Supervise.run, KeepShards(shards=3))

    assert kept == ShardsKept(running=3)
