import uuid
from pathlib import Path

import pytest
from temporalio.client import Client

from feedmill.contracts.workflows import Supervise
from feedmill.models.upkeep import KeepShards
from feedmill_orchestrator.replaying import EXIT_INCOMPATIBLE, check, main, record
from support.fleet import ScriptedIngestion, fleet
from support.record_histories import HISTORIES
from support.starting import result


async def test_runs_of_a_fleet_are_recorded_and_can_go_on(temporal: Client, tmp_path: Path) -> None:
    async with fleet(temporal, ScriptedIngestion()):
        await result(temporal, Supervise.run, KeepShards(), id=f"supervise/{uuid.uuid4()}")

    names = await record(temporal, tmp_path, per_workflow=3)
    paths = sorted(tmp_path.glob("*.json"))

    assert sorted(names) == [path.name for path in paths]
    assert any(name.startswith("Supervise.") for name in names)
    # Runs that tests of changed or terminated workflows left behind are none of ours.
    assert await check([path for path in paths if path.name.startswith("Supervise.")]) == []


def test_a_folder_is_checked_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    history = (HISTORIES / "Supervise.all_run.json").read_text()
    (tmp_path / "Supervise.1.json").write_text(history)
    assert main(["check", str(tmp_path)]) == 0
    (tmp_path / "Supervise.2.json").write_text(history.replace("keep_shards", "keep_sheds"))

    assert main(["check", str(tmp_path)]) == EXIT_INCOMPATIBLE

    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "replayed 2 runs, 1 cannot go on"
    assert said.err.startswith("Supervise.2.json: ")
