from pathlib import Path

from support.person import Person

HISTORIES = Path(__file__).parents[1] / "histories"


async def test_histories_are_checked_with_what_is_installed(person: Person, tmp_path: Path) -> None:
    history = (HISTORIES / "Supervise.all_run.json").read_text()
    (tmp_path / "Supervise.1.json").write_text(history)
    fine = await person.types("replay", "check", str(tmp_path))
    (tmp_path / "Supervise.2.json").write_text(history.replace("keep_shards", "keep_sheds"))

    broken = await person.types("replay", "check", str(tmp_path))

    assert (fine.code, broken.code) == (0, 1)


async def test_without_a_fleet_there_is_nothing_to_record(person: Person, tmp_path: Path) -> None:
    said = await person.types("replay", "record", str(tmp_path))

    assert said.code == 3
    assert "there is no Temporal to ask" in said.err
